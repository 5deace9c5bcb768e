"""``manage.py renditions``: make the renditions that are missing, or all anew."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from media_archive import renditions
from media_archive.errors import DiskFull, PictureRefused
from media_archive.models import StoredFile
from media_archive.progress import Progress

AT_ONCE = 200
"""Pictures that are read from the database at a time."""
TOLD = 20
"""Pictures without renditions that are told one by one."""


class Command(BaseCommand):
    """Safe to run again, to interrupt, and beside everything else that runs."""

    help = (
        "Make the sizes that stored pictures lack, from the stored originals. "
        "Nothing is fetched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which of them."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--missing",
            action="store_true",
            help="only what is missing or of an older set (this is the default)",
        )
        which.add_argument(
            "--all", action="store_true", help="all of them, also those that are there"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises ``CommandError`` when the disk is full, and when interrupted; and at
        the end if a picture could not be made."""
        anew: bool = options["all"]
        failed: list[str] = []
        made = 0
        total = _pictures().count()
        with Progress(total, self.stdout, "pictures") as progress:
            try:
                for file in _each():
                    if anew or _lacks(file):
                        try:
                            renditions.make(file, anew=anew)
                            made += 1
                        except PictureRefused as refusal:
                            failed.append(f"{file.name}: {refusal.message}")
                        except FileNotFoundError:
                            failed.append(f"{file.name}: it is not in the store.")
                    progress.advance(1, f"{made:,} made")
            except KeyboardInterrupt:
                words = "Interrupted. What was made stays; run it again to go on."
                raise CommandError(words) from None
            except DiskFull as full:
                raise CommandError(f"{full.message} What was made stays.") from full
        self._report(total, made, failed)

    def _report(self, total: int, made: int, failed: list[str]) -> None:
        self.stdout.write(f"{made:,} of {total:,} pictures got renditions.")
        for line in failed[:TOLD]:
            self.stdout.write(f"  {line}")
        if failed:
            more = len(failed) - TOLD
            if more > 0:
                self.stdout.write(f"  and {more:,} more")
            raise CommandError(f"{len(failed):,} pictures could not be made.")


def _pictures() -> Any:
    """Everything that is no film."""
    return StoredFile.objects.exclude(content_type__startswith="video/")


def _each() -> Iterator[StoredFile]:
    """The newest first: what people look at. What is new meanwhile is made anyway."""
    below: int | None = None
    while True:
        rows = _pictures().order_by("-pk").prefetch_related("renditions", "authors")
        if below is not None:
            rows = rows.filter(pk__lt=below)
        page = [*rows[:AT_ONCE]]
        if not page:
            return
        yield from page
        below = page[-1].pk


def _lacks(file: StoredFile) -> bool:
    there = {rendition.spec for rendition in file.renditions.all()}
    portrait = bool(file.authors.all())
    missing = renditions.missing_of(file, there, portrait=portrait)
    return bool(missing) or file.rendered_version != renditions.VERSION
