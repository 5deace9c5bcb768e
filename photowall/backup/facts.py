"""What a dump holds, asked of the very state of the database that is dumped.

Plain SQL, not models: a database is also backed up by a newer Photowall that has not
migrated it yet, and one that is replaced may be older than we are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from media_archive.models import JournalCounter, MediaItem, Rendition, StoredFile
from media_archive.stores.shape import is_name

NOT_KEPT = "django_session"
"""Nobody who is logged in stays so after a restore."""
PEOPLES_OWN = (
    "auth_user",
    "media_archive_mediaitem",
    "media_archive_tombstone",
    "subscriptions_provideraccount",
    "subscriptions_subscription",
)
"""A database without a row in any of these is empty: nobody would miss it."""


class Ask(Protocol):
    """Runs one statement and gives its rows."""

    def __call__(self, statement: str, /) -> Iterable[tuple[Any, ...]]: ...


@dataclass(frozen=True)
class Facts:
    """``migrations`` as ``app.name``, ``counts`` rows by table, ``journal`` the newest
    number."""

    migrations: list[str]
    counts: dict[str, int]
    journal: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that anybody would miss."""
        return not any(self.counts.get(table) for table in PEOPLES_OWN)


def learn(ask: Ask, tables: Iterable[str]) -> Facts:
    """Read the facts of the database that ``ask`` asks."""
    there = sorted({*tables} - {NOT_KEPT})
    counts = {table: _one(ask, f'SELECT count(*) FROM "{table}"') for table in there}
    applied: list[str] = []
    if "django_migrations" in counts:
        rows = ask("SELECT app, name FROM django_migrations ORDER BY app, name")
        applied = [f"{app}.{name}" for app, name in rows]
    return Facts(applied, counts, _journal(ask, counts))


def wanted_files(ask: Ask, counts: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Names and sizes of all files that the rows name, each once, by name."""
    tables = [
        model._meta.db_table  # noqa: SLF001  public in Django
        for model in (StoredFile, Rendition)
    ]
    parts = [f'SELECT name, size FROM "{t}"' for t in tables if t in {*counts}]
    if not parts:
        return
    last = None
    for name, size in ask(" UNION ".join(parts) + " ORDER BY name"):
        if name != last and is_name(str(name)):
            yield str(name), int(size)
        last = name


def newest_item(ask: Ask, counts: dict[str, int]) -> int:
    """The highest number of a media item; 0 without any."""
    table = MediaItem._meta.db_table  # noqa: SLF001  public in Django
    return _one(ask, f'SELECT max(id) FROM "{table}"') if table in counts else 0


def _journal(ask: Ask, counts: dict[str, int]) -> int:
    table = JournalCounter._meta.db_table  # noqa: SLF001  public in Django
    return _one(ask, f'SELECT max("last") FROM "{table}"') if table in counts else 0


def _one(ask: Ask, statement: str) -> int:
    return int(next(iter(ask(statement)))[0] or 0)
