"""`prepare_demo`: what `up` runs before, and while, web and sandbox start.

One process for migrating and for the rows: each start of Django costs seconds.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from media_archive.errors import PhotowallError
from photowall.up import demo
from photowall.up.cast import DEMO_TAG
from photowall.up.places import lasting_secrets
from photowall.up.ports import answers_http
from subscriptions import lifecycle
from subscriptions.models import State, Subscription
from subscriptions.tasks import fetch_subscription

PATIENCE = 50.0  # seconds web and sandbox may take to start


class Command(BaseCommand):
    help = "Migrate, make the demo's people, follow its tag at the sandbox."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--sandbox", metavar="URL", help="where the sandbox is")
        parser.add_argument(
            "--migrated",
            type=Path,
            metavar="FILE",
            help="made once the tables are there",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=1)
        if options["migrated"]:
            options["migrated"].touch()
        secrets = lasting_secrets(settings.VAR / "secrets.json")
        if not demo.make_admin(secrets["admin_password"]):
            self.stdout.write(f"{demo.ADMIN} keeps the password they have.")
        demo.make_analyst(secrets["analyst_token"])
        if options["sandbox"]:
            try:
                self._follow(options["sandbox"].rstrip("/"), secrets)
            except PhotowallError as error:
                raise CommandError(f"the sandbox does not answer: {error}") from error

    def _follow(self, url: str, secrets: dict[str, str]) -> None:
        account = demo.connect_sandbox(
            url, secrets["sandbox_client_id"], secrets["sandbox_client_secret"]
        )
        # It calls us while we ask it, so both must answer.
        for place in (url, settings.PHOTOWALL_BASE_URL):
            self._wait_for(place)
        for pk in demo.follow(account, DEMO_TAG):
            lifecycle.request(pk)
            fetch_subscription.delay_on_commit(pk)
            subscription = Subscription.objects.get(pk=pk)
            self.stdout.write(f"{subscription}: {subscription.state}")
            if subscription.state == State.FAILED:
                raise CommandError(f"{subscription}: {subscription.state_reason}")

    def _wait_for(self, url: str) -> None:
        port = urlsplit(url).port or 80
        deadline = time.monotonic() + PATIENCE
        while not answers_http(port):
            if time.monotonic() > deadline:
                raise CommandError(f"{url} does not answer")
            time.sleep(0.1)
