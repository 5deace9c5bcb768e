"""``replay_receipt ID``: read a kept receipt again, as if it had just come."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from subscriptions import inbox
from subscriptions.models import Receipt
from subscriptions.tasks import fetch_subscription


class Command(BaseCommand):
    """The receipt stays; its state is what the reading says now."""

    help = "Read a kept receipt again; if it says so, its tag is fetched."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which."""
        parser.add_argument("id", type=int, help="the receipt's number")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises ``CommandError`` when there is no such receipt."""
        try:
            feed_pk = inbox.process(options["id"])
        except (Receipt.DoesNotExist, OverflowError) as error:
            raise CommandError(f"There is no receipt {options['id']}.") from error
        if feed_pk is not None:
            fetch_subscription.delay_on_commit(feed_pk)
        receipt = Receipt.objects.get(pk=options["id"])
        said = f"Receipt {receipt.pk}: {receipt.get_state_display().lower()}."
        self.stdout.write(f"{said} {receipt.reason}".strip())
