"""``manage.py restore FOLDER``: bring the archive back from a backup."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from media_archive.errors import PhotowallError
from photowall.backup.folder import Folder
from photowall.backup.restoring import Plan, Restored, plan, restore
from photowall.backup.words import amount, bar

NO_KEY = (
    "THE PRESENT KEY DOES NOT OPEN THE SECRETS OF THIS BACKUP. Put the one of its day "
    "into PHOTOWALL_ENCRYPTION_KEY (with `manage.py up`: put back the secrets.json of "
    "its var folder); until then nothing can be called with the stored credentials."
)


class Command(BaseCommand):
    """Nobody else may use the database. Safe to repeat after it was killed."""

    help = "Restore database and files from a folder that `backup` wrote."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which backup, and what a person has agreed to."""
        parser.add_argument("folder", type=Path, help="the folder that holds backups")
        parser.add_argument("--which", help="its name; without, the newest one")
        parser.add_argument(
            "--replace", action="store_true", help="replace a database that has rows"
        )
        parser.add_argument(
            "--yes", action="store_true", help="do not ask for the name with --replace"
        )
        parser.add_argument(
            "--despite-missing",
            action="store_true",
            help="also when files of the backup are missing or damaged",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises ``CommandError`` for what was refused, failed or interrupted."""
        bars = partial(bar, self.stdout)
        try:
            chosen = plan(Folder(options["folder"]), options["which"], bars)
            self._describe(chosen)
            self._agree(chosen, replace=options["replace"], yes=options["yes"])
            done = restore(chosen, bars, despite_missing=options["despite_missing"])
        except PhotowallError as error:
            raise CommandError(error.message) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted: the database is as it was. Repeat the restore."
            ) from None
        self._tell(chosen, done)

    def _describe(self, chosen: Plan) -> None:
        found = chosen.manifest
        items = found.counts.get("media_archive_mediaitem", 0)
        self.stdout.write(
            f"{chosen.backup.name}: Photowall {found.photowall}, {found.kind}, "
            f"{items:,} media items, journal at {found.journal:,}, {found.files:,} "
            f"files ({amount(found.files_bytes)})"
        )
        if not chosen.key_fits:
            self.stdout.write(NO_KEY)

    def _agree(self, chosen: Plan, *, replace: bool, yes: bool) -> None:
        present = chosen.present
        if present.is_empty:
            return
        if not replace:
            raise CommandError(
                f"The database {present.name} is not empty: its rows would be lost. "
                "Back it up first; --replace then replaces it."
            )
        if not present.readable:
            self.stdout.write(
                f"{present.name} is broken: which posts were purged since the backup "
                "is known from the folder only."
            )
        if yes:
            return
        if not sys.stdin.isatty():
            raise CommandError("Nobody can be asked here: --yes says that you mean it.")
        self.stdout.write(
            f"Type {present.name} to have all its rows replaced: ", ending=""
        )
        self.stdout.flush()
        if sys.stdin.readline().strip() != present.name:
            raise CommandError("That is another name; nothing was changed.")

    def _tell(self, chosen: Plan, done: Restored) -> None:
        after = done.aftermath
        self.stdout.write(f"Restored {chosen.backup}")
        self.stdout.write(
            f"  {after.items:,} media items; the journal goes on at {after.journal:,}"
        )
        self.stdout.write(
            f"  {done.copied.files:,} of {chosen.manifest.files:,} files brought "
            f"({amount(done.copied.size)})"
        )
        if after.erased_again:
            self.stdout.write(
                f"  {after.erased_again:,} items, purged since, are purged again"
            )
        if done.not_in_the_store:
            some = ", ".join(done.not_in_the_store[:3])
            self.stdout.write(
                f"  {len(done.not_in_the_store):,} files are MISSING in the store: "
                f"{some}"
            )
        self.stdout.write(
            f"  everybody logs in anew; {after.users:,} accounts and {after.tokens:,} "
            "API tokens are as they were then: end those that were ended since"
        )
        if after.unopened:
            self.stdout.write(
                f"  {after.unopened:,} STORED SECRETS CANNOT BE OPENED with the key "
                "of now: see above"
            )
        self.stdout.write(
            "Start Photowall again; `manage.py archive_verify` re-hashes every file."
        )
