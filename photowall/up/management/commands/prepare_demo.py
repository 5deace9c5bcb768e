"""`prepare_demo`: what `up` runs once web and sandbox answer."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from media_archive.errors import PhotowallError
from photowall.up import demo
from photowall.up.cast import DEMO_TAG
from photowall.up.places import lasting_secrets
from subscriptions import lifecycle
from subscriptions.models import State, Subscription
from subscriptions.tasks import fetch_subscription


class Command(BaseCommand):
    help = "Make the demo's people and follow its tag at the sandbox."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--sandbox", metavar="URL", help="where the sandbox is")

    def handle(self, *args: Any, **options: Any) -> None:
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
        for pk in demo.follow(account, DEMO_TAG):
            lifecycle.request(pk)
            fetch_subscription.delay_on_commit(pk)
            subscription = Subscription.objects.get(pk=pk)
            self.stdout.write(f"{subscription}: {subscription.state}")
            if subscription.state == State.FAILED:
                raise CommandError(f"{subscription}: {subscription.state_reason}")
