"""``manage.py backup FOLDER``: keep the archive, its rows and its files."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from media_archive.errors import PhotowallError
from photowall.backup.folder import Folder
from photowall.backup.taking import Taken, take
from photowall.backup.words import amount, bar

KEEP = 7
KEY = (
    "THE KEY IS NOT IN IT. Stored secrets can only be opened with "
    "PHOTOWALL_ENCRYPTION_KEY (or SECRET_KEY, where that is not set; with `manage.py "
    "up`: secrets.json in the var folder). Keep that somewhere else, and safe."
)


class Command(BaseCommand):
    """Runs beside everything else. Ends with 1 if the store lacks files."""

    help = "Back up database and files into a folder; running it again is incremental."
    # A backup is wanted also where something else is wrong.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to, and how many to keep."""
        parser.add_argument("folder", type=Path, help="the folder that holds backups")
        parser.add_argument(
            "--keep",
            type=_number,
            default=KEEP,
            help=f"how many backups stay there, this one included ({KEEP})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises ``CommandError`` for what was refused, failed or interrupted."""
        folder = Folder(options["folder"])
        try:
            taken = take(folder, options["keep"], partial(bar, self.stdout))
        except PhotowallError as error:
            raise CommandError(error.message) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted: this backup is incomplete. The next one goes on with "
                "the files that were copied."
            ) from None
        self._tell(taken)
        found = taken.manifest
        if found.missing or found.damaged or found.unreadable:
            raise CommandError(
                "The backup is complete but for what the store itself lacks: "
                "`manage.py archive_verify` names it."
            )

    def _tell(self, taken: Taken) -> None:
        found = taken.manifest
        self.stdout.write(f"Backup {taken.path}")
        items = found.counts.get("media_archive_mediaitem", 0)
        self.stdout.write(
            f"  {items:,} media items, journal at {found.journal:,}, dump of "
            f"{amount(found.dump_bytes)}"
        )
        self.stdout.write(
            f"  {found.files:,} files ({amount(found.files_bytes)}), "
            f"{found.copied:,} of them copied now"
        )
        for names, what in (
            (found.erased, "erased meanwhile"),
            (found.missing, "MISSING in the store"),
            (found.damaged, "DAMAGED in the store"),
            (found.unreadable, "NOT READABLE in the store"),
        ):
            if names:
                some = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
                self.stdout.write(f"  {len(names):,} files {what}: {some}")
        if taken.pruned or taken.pruned_files:
            self.stdout.write(
                f"  removed {taken.pruned:,} older or unfinished backups and "
                f"{taken.pruned_files:,} files that no backup names"
            )
        self.stdout.write(KEY)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10_000):
        raise ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)
