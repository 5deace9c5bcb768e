"""`manage.py sandbox`: the pretend upstream, web server and all, in one process."""

from __future__ import annotations

import logging
import os
import sys
from argparse import ArgumentParser
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from channels.routing import get_default_application
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from photowall import serving
from photowall.facades.models import ApiClient
from photowall.sandbox import options
from photowall.sandbox.faults import notifications
from photowall.sandbox.faults.connections import BreakableServer
from photowall.sandbox.memory import return_freed_blocks
from photowall.sandbox.publisher import Publisher
from photowall.sandbox.threads import Threads, deliver

logger = logging.getLogger(__name__)
PATIENCE = 1.2
"""Seconds the threads are given to end."""


class Command(BaseCommand):
    """Runs until Ctrl-C (or TERM): migrates, serves, publishes, notifies."""

    help = "Runs a second Photowall that plays the upstream and posts pictures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        address = urlsplit(settings.PHOTOWALL_BASE_URL)
        parser.add_argument(
            "--port",
            type=int,
            default=address.port or 8001,
            help="where it listens (default: the port of PHOTOWALL_BASE_URL)",
        )
        parser.add_argument(
            "--every",
            type=float,
            default=options.every(),
            help="seconds between two posts",
        )
        parser.add_argument(
            "--no-publish",
            action="store_true",
            help="post nothing by itself; `sandbox_publish` still does",
        )

    def run_from_argv(self, argv: list[str]) -> None:
        # Its rows hold secrets: nobody else's business on this machine.
        os.umask(0o077)
        super().run_from_argv(argv)
        # All is in rows and all connections are closed. Taking the interpreter down
        # would take a second, or as long as a receiver hangs.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

    def handle(self, *args: Any, **given: Any) -> None:
        if given["every"] <= 0:
            raise CommandError("--every must be more than 0 seconds.")
        options.database().parent.mkdir(parents=True, exist_ok=True)
        call_command("migrate", interactive=False, verbosity=0)
        ensure_client()
        return_freed_blocks()
        notifications.install()
        threads = Threads()
        threads.start(deliver, "deliveries")
        if not given["no_publish"]:
            publisher = Publisher()
            threads.start(partial(publisher.run, given["every"]), "publisher")
        connections.close_all()
        self.stdout.write(f"The sandbox runs at {settings.PHOTOWALL_BASE_URL}/")
        self.stdout.flush()
        try:
            serve(given["port"])
        finally:
            for name in threads.end(PATIENCE):
                logger.warning("The %s did not end in time", name)
            connections.close_all()


def ensure_client() -> None:
    """The API client that may follow this instance, from the settings."""
    client_id, client_secret = options.client()
    if client_id:
        ApiClient.objects.update_or_create(
            client_id=client_id,
            defaults={
                "name": "Follower",
                "client_secret": client_secret,
                "enabled": True,
            },
        )


def serve(port: int) -> None:
    """Serves HTTP and WebSockets on the loopback until TERM or INT.

    Raises ``CommandError`` when the port is taken.
    """
    server = BreakableServer(
        application=get_default_application(),
        endpoints=[f"tcp:port={port}:interface=127.0.0.1"],
        http_timeout=serving.SECONDS,
        server_name="Photowall",
        verbosity=0,
        websocket_max_frame_size=serving.LARGEST_FRAME,
        websocket_max_message_size=serving.LARGEST_MESSAGE,
    )
    server.run()
    if not server.listening_addresses:
        raise CommandError(f"Port {port} is taken: give another with --port.")
