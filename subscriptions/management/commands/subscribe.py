"""``subscribe TAG [--account NAME]``: follow a hashtag and wait for the answer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from media_archive.errors import PhotowallError
from subscriptions import accounts, lifecycle
from subscriptions.management.keys import must_open
from subscriptions.models import ProviderAccount, State
from subscriptions.tasks import fetch_subscription


class Command(BaseCommand):
    """Asks the provider itself, so it needs the web process but no worker."""

    help = "Follow a hashtag. The web process must be running: it is called back."

    def add_arguments(self, parser: CommandParser) -> None:
        """The tag, and where to follow it."""
        parser.add_argument("tag", help="with or without #")
        parser.add_argument("--account", help="a provider account's name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises ``CommandError`` with the reason when it comes to nothing."""
        account = _account(options["account"])
        must_open(account)
        try:
            made = lifecycle.create(account, options["tag"], "command line")
        except PhotowallError as error:
            raise CommandError(error.message) from error
        lifecycle.request(made.pk)
        made.refresh_from_db()
        if made.state == State.FAILED:
            raise CommandError(f"#{made.tag}: {made.state_reason}")
        if made.state == State.ACTIVE:
            fetch_subscription.delay_on_commit(made.pk)
        said = f"#{made.tag} is {made.get_state_display().lower()}."
        why = "" if made.state == State.ACTIVE else made.state_reason
        self.stdout.write(f"{said} {why}".strip())


def _account(name: str | None) -> ProviderAccount:
    if name is None:
        account = accounts.default_account()
        if account is None:
            raise CommandError("There is no provider account: add one in the admin.")
        return account
    found = ProviderAccount.objects.filter(name=name).first()
    if found is None:
        known = ", ".join(ProviderAccount.objects.values_list("name", flat=True))
        raise CommandError(f"There is no account “{name}”. There are: {known or '-'}.")
    return found
