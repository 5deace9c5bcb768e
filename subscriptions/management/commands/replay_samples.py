"""``manage.py replay_samples FOLDER``: archive recorded answers of a provider.

They go the way of live posts, from the provider's own reading to ``ingest.store``,
so that the archive, the wall and the API can be seen holding real posts.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DataError

from media_archive import ingest, journal
from media_archive.errors import InvalidTag
from media_archive.journal import Recording
from media_archive.records import IncomingMedia
from media_archive.tags import normalise_tag
from subscriptions.providers import REGISTRY, get_provider
from subscriptions.providers.base import Provider

AT_ONCE = 100
"""Posts stored in one transaction."""
LARGEST_FILE = 64 * 1024 * 1024
BAR = 24


class NotRead(Exception):
    """A file that is no JSON document; the text says why."""


@dataclass
class Tally:
    """What became of the files and of the posts in them."""

    files: int = 0
    found: int = 0
    new: int = 0
    changed: int = 0
    known: int = 0
    refused: int = 0
    without: list[str] = field(default_factory=list)
    not_read: list[str] = field(default_factory=list)

    def add(self, result: ingest.StoreResult) -> None:
        """Count one page."""
        self.new += len(result.new)
        self.changed += len(result.changed)
        self.known += len(result.unchanged)
        self.refused += result.refused


class Command(BaseCommand):
    """Safe to run again: what is stored already is known then."""

    help = "Archive recorded answers of a provider: every *.json below a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder, whose format it is, and the tag to list everything under."""
        parser.add_argument("folder", type=Path, help="where the recordings are")
        parser.add_argument(
            "--provider", choices=sorted(REGISTRY), default="instagram_v1"
        )
        parser.add_argument("--tag", help="list all that is found under this hashtag")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises ``CommandError`` when there is no such folder or hashtag."""
        folder: Path = options["folder"]
        provider = get_provider(options["provider"])
        tag = _tag(options["tag"])
        tally = Tally()
        files = _files(folder)
        for number, path in enumerate(files, start=1):
            self._progress(number, len(files))
            self._replay(path, str(path.relative_to(folder)), provider, tag, tally)
        self._progress_done()
        self._report(folder, tally, tag)

    def _replay(
        self, path: Path, name: str, provider: Provider, tag: str | None, tally: Tally
    ) -> None:
        tally.files += 1
        try:
            media = provider.media_in(_document(path))
            tally.found += len(media)
            if not media:
                tally.without.append(name)
            for page in _pages(media):
                store = partial(_store, provider.key, page, tag)
                tally.add(journal.recorded(store))
        except NotRead as error:
            tally.not_read.append(f"{name}: {error}")
        except (DataError, ValueError) as error:
            tally.not_read.append(f"{name}: the database does not take it ({error})")

    def _report(self, folder: Path, tally: Tally, tag: str | None) -> None:
        if not tally.files:
            self.stdout.write(f"There is no *.json below {folder}.")
        for name in tally.without:
            self.stdout.write(f"no media     {name}")
        for line in tally.not_read:
            self.stdout.write(f"not read     {line}")
        with_media = tally.files - len(tally.without) - len(tally.not_read)
        rows = [
            ("files", tally.files),
            ("  with media", with_media),
            ("  no media", len(tally.without)),
            ("  not read", len(tally.not_read)),
            ("posts found", tally.found),
            ("  new", tally.new),
            ("  changed", tally.changed),
            ("  known", tally.known),
            ("  not understood", tally.refused),
        ]
        self.stdout.write("")
        for word, count in rows:
            self.stdout.write(f"{word:<18}{count:>8,}")
        self.stdout.write("")
        if tag is not None:
            self.stdout.write(f"See them at /wall/{tag}/")
        elif tally.found:
            self.stdout.write(
                "They are listed under the tags that they name themselves. Which tag "
                "a recorded\nlisting was read under is not in it: run this again with "
                "--tag TAG to list all of\nthem under one, and open /wall/TAG/."
            )

    def _progress(self, number: int, count: int) -> None:
        if self.stdout.isatty():
            full = BAR * number // count
            bar = "█" * full + "░" * (BAR - full)
            self.stdout.write(f"\r{bar} {number:,} of {count:,} files", ending="")
            self.stdout.flush()

    def _progress_done(self) -> None:
        if self.stdout.isatty():
            self.stdout.write("")


def _tag(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return normalise_tag(text)
    except InvalidTag as error:
        raise CommandError(error.message) from error


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise CommandError(f"There is no folder {folder}.")
    return sorted(path for path in folder.rglob("*.json") if path.is_file())


def _document(path: Path) -> object:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise NotRead(f"larger than {LARGEST_FILE // 1024**2} MiB")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise NotRead(error.strerror or "cannot be opened") from error
    except (ValueError, RecursionError) as error:
        raise NotRead(f"not JSON ({error})") from error


def _store(
    provider: str, page: Sequence[IncomingMedia], tag: str | None, recording: Recording
) -> ingest.StoreResult:
    return ingest.store(recording, provider, page, tag)


def _pages(media: Sequence[IncomingMedia]) -> list[Sequence[IncomingMedia]]:
    """Portions, the oldest posts first; inside each, newest first as recorded."""
    starts = range(0, len(media), AT_ONCE)
    return [media[start : start + AT_ONCE] for start in reversed(starts)]
