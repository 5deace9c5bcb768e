"""``manage.py archive_sweep``: the daily sweep of the store, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from media_archive import orphans
from media_archive.disk_space import in_words
from media_archive.progress import Progress


class Command(BaseCommand):
    """Safe to run at any time, beside everything else that runs."""

    help = (
        "Remove files that no row speaks of and rows that nothing shows, both older "
        "than an hour, and bring again what is missing. Runs by itself once a day."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises ``CommandError`` when the store does not answer, or interrupted."""
        try:
            with Progress(None, self.stdout, "files") as progress:
                found = orphans.sweep(progress.advance)
        except KeyboardInterrupt:
            raise CommandError("Interrupted. What is done is done.") from None
        except OSError as error:
            raise CommandError(f"The store does not answer: {error}") from error
        for name, what in found.names:
            self.stdout.write(f"{name}: {what}")
        removed = f"{found.removed:,} removed ({in_words(found.removed_size)})"
        self.stdout.write(
            f"{found.files:,} files, {in_words(found.size)}. {removed}, "
            f"{found.missing:,} missing, {found.damaged:,} damaged."
        )
