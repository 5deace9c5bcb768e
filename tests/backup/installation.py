"""Installations of the tests: a database and a store each, that one process enters one
after the other, as one would log in to machines."""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environ
import psycopg
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from media_archive import files, journal
from media_archive.models import (
    DownloadState,
    JournalKind,
    MediaAsset,
    MediaItem,
    Rendition,
    StoredFile,
)
from media_archive.records import IncomingMedia
from tests.builders import a_record, store

NO_ROWS_OF_OURS = ("django_session", "media_archive_journalcounter")
"""A restore ends sessions, and lets the counter leap."""

_OF_A_PLACE = ("ENGINE", "HOST", "NAME", "OPTIONS", "PASSWORD", "PORT", "USER")


@dataclass
class Installation:
    """``url`` of its database; its store is below ``folder``."""

    url: str
    folder: Path
    settings: Any

    @property
    def media(self) -> Path:
        return self.folder / "media"

    @property
    def database(self) -> Path:
        """The file, where it is SQLite."""
        return Path(self.url.removeprefix("sqlite:///"))

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This process is now one of this installation's, whatever its database."""
        theirs = connections["default"]
        place = connections.settings["default"]
        connections.settings["default"] = self._place() | {
            name: value for name, value in place.items() if name not in _OF_A_PLACE
        }
        connections["default"] = connections.create_connection("default")
        media, var = self.settings.MEDIA_ROOT, os.environ["PHOTOWALL_VAR"]
        self.settings.MEDIA_ROOT = self.media
        os.environ["PHOTOWALL_VAR"] = str(self.folder)
        try:
            yield
        finally:
            connections["default"].close()
            connections.settings["default"] = place
            connections["default"] = theirs
            self.settings.MEDIA_ROOT = media
            os.environ["PHOTOWALL_VAR"] = var

    def environment(self) -> dict[str, str]:
        """For a process of it."""
        return {
            **os.environ,
            "DATABASE_URL": self.url,
            "PHOTOWALL_VAR": str(self.folder),
            "PHOTOWALL_ROLE": "command",
        }

    def rows(self) -> dict[str, list[str]]:
        """Every row of every table, as text, sorted."""
        if self.is_sqlite:
            with closing(sqlite3.connect(self.database)) as own:
                return _rows(
                    lambda s: own.execute(s).fetchall(),
                    "SELECT name FROM sqlite_master WHERE type = 'table' "
                    "AND name NOT LIKE 'sqlite%'",
                )
        with psycopg.connect(self.url) as server:
            return _rows(
                lambda s: server.execute(s).fetchall(),
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
            )

    def kept(self) -> dict[str, str]:
        """Every file of the store with the hash of its bytes."""
        return {
            path.relative_to(self.media).as_posix(): hashlib.sha256(
                path.read_bytes()
            ).hexdigest()
            for path in self.media.rglob("*")
            if path.is_file()
        }

    def _place(self) -> dict[str, Any]:
        place = environ.Env.db_url_config(self.url)
        if self.is_sqlite:
            # As settings.py has it.
            place["OPTIONS"] = {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
            }
        return {"OPTIONS": {}} | place


def _rows(ask: Callable[[str], list[Any]], tables: str) -> dict[str, list[str]]:
    return {
        name: sorted(map(repr, ask(f'SELECT * FROM "{name}"')))
        for (name,) in sorted(ask(tables))
        if name not in NO_ROWS_OF_OURS
    }


def a_kept_post(record: IncomingMedia | None = None) -> MediaItem:
    """A post whose picture was downloaded: two files, file first, row second."""
    pk = store([record or a_record()]).new[0]
    item = MediaItem.objects.get(pk=pk)
    names = [_a_file(kind, f"{kind} of {item.native_id}" * 500) for kind in "or"]
    (original, size), (rendition, small) = names
    with journal.recording() as recording:
        kept = StoredFile.objects.create(
            sha256=_hash_in(original),
            name=original,
            content_type="image/jpeg",
            size=size,
            rendered_at=timezone.now(),
        )
        Rendition.objects.create(
            file=kept,
            spec="w480.jpeg.1",
            name=rendition,
            sha256=_hash_in(rendition),
            content_type="image/jpeg",
            width=480,
            height=480,
            size=small,
        )
        MediaAsset.objects.filter(item=item).update(
            picture=kept, state=DownloadState.READY
        )
        item.revision += 1
        item.save()
        recording.add(item, JournalKind.PICTURED, detail={"asset": 0, "state": "ready"})
    return item


def files_of(item: MediaItem) -> list[str]:
    """Names of its files."""
    kept = StoredFile.objects.get(assets__item=item)
    return [kept.name, *kept.renditions.values_list("name", flat=True)]


def _a_file(kind: str, text: str) -> tuple[str, int]:
    content = text.encode()
    path = files.scratch() / f"part-{hashlib.md5(content).hexdigest()}"  # noqa: S324
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    make = files.original_name if kind == "o" else files.rendition_name
    name = make(sha256, "image/jpeg")
    files.put(name, path)
    path.unlink()
    return name, len(content)


def _hash_in(name: str) -> str:
    return Path(name).stem


def migrated(made: Installation) -> None:
    """All tables, no rows but Django's own."""
    with made.entered():
        call_command("migrate", interactive=False, verbosity=0)


def backed_up(place: Installation, folder: Path, **options: object) -> str:
    """What the command said."""
    said = io.StringIO()
    with place.entered():
        call_command("backup", str(folder), stdout=said, **options)
    return said.getvalue()


def restored(place: Installation, folder: Path, **options: object) -> str:
    """What the command said."""
    said = io.StringIO()
    with place.entered():
        call_command("restore", str(folder), stdout=said, **options)
    return said.getvalue()
