"""Tombstones that outlive a restore: what was purged after a backup was taken comes
back with it, and is purged once more."""

from __future__ import annotations

import json
import sqlite3
import weakref
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from media_archive import retention
from media_archive.models import MediaItem, Tombstone
from photowall.backup.errors import BackupRefused
from photowall.backup.facts import Ask
from photowall.backup.folder import PART, settle

COLUMNS = ("key", "provider", "item_id", "purged_at", "actor", "reason")
_CHUNK = 500

Row = dict[str, Any]
"""A tombstone as it is written into JSON."""


class Erasures:
    """Tombstones, each once by its key. They are many where a long subscription ended,
    so they are on the disk: in a database of SQLite without a name, which is gone with
    this object."""

    def __init__(self) -> None:
        self._own = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._own.close)
        self._own.execute("PRAGMA journal_mode = OFF")
        self._own.execute(
            "CREATE TABLE erased (key TEXT PRIMARY KEY, row TEXT) WITHOUT ROWID"
        )

    def add(self, rows: Iterable[Row]) -> None:
        """One that is there already is replaced."""
        for some in _portions(rows):
            self._own.execute("BEGIN")
            self._own.executemany(
                "INSERT OR REPLACE INTO erased VALUES (?, ?)",
                [(row["key"], json.dumps(row)) for row in some],
            )
            self._own.execute("COMMIT")

    def of(self, keys: Iterable[str]) -> dict[str, Row]:
        """Those with one of a few keys."""
        wanted = [*keys]
        marks = ", ".join("?" * len(wanted))
        rows = self._own.execute(
            f"SELECT key, row FROM erased WHERE key IN ({marks})",  # noqa: S608  marks
            wanted,
        )
        return {key: json.loads(row) for key, row in rows}

    def __iter__(self) -> Iterator[Row]:
        with closing(self._own.execute("SELECT row FROM erased ORDER BY key")) as rows:
            for (row,) in rows:
                yield json.loads(row)

    def __len__(self) -> int:
        return int(self._own.execute("SELECT count(*) FROM erased").fetchone()[0])


def of_database(ask: Ask, tables: Iterable[str], schema: str = "") -> Iterator[Row]:
    """The tombstones of the database that ``ask`` asks."""
    table = Tombstone._meta.db_table  # noqa: SLF001  public in Django
    if table not in {*tables}:
        return
    place = f'"{schema}".' if schema else ""
    for values in ask(f'SELECT {", ".join(COLUMNS)} FROM {place}"{table}"'):
        row = dict(zip(COLUMNS, values, strict=True))
        yield row | {"purged_at": _moment(row["purged_at"])}


def of_folder(path: Path) -> Iterator[Row]:
    """Those that stand beside the backups. Raises ``BackupRefused`` if they cannot be
    read."""
    if not path.exists():
        return
    try:
        with path.open(encoding="utf-8") as lines:
            yield from map(_read, lines)
    except (ValueError, TypeError, KeyError) as error:
        raise BackupRefused(
            f"{path} is damaged: take it from a copy of the folder. Without it, what "
            "was purged may come back; who accepts that moves it away."
        ) from error


def leave(path: Path, erasures: Erasures) -> None:
    """Add them to those that stand beside the backups."""
    merged = Erasures()
    merged.add(of_folder(path))
    merged.add(erasures)
    draft = path.with_name(path.name + PART)
    with draft.open("w", encoding="utf-8") as handle:
        for row in merged:
            handle.write(json.dumps(row) + "\n")
    settle(draft)
    draft.replace(path)


def apply(erasures: Erasures) -> int:
    """Purge again what they name, in the database that we are connected to, and keep
    their tombstones. How many items were there again."""
    again = sum(_purge(some) for some in _come_back(erasures)) if len(erasures) else 0
    for some in _portions(erasures):
        Tombstone.objects.bulk_create(
            [Tombstone(**row | {"purged_at": _time(row)}) for row in some],
            ignore_conflicts=True,
        )
    return again


def _come_back(erasures: Erasures) -> Iterator[dict[int, Row]]:
    """Tombstones by the primary keys of the items that they stand for, some at once.
    What the database has a tombstone for itself is not among them."""
    rows = MediaItem.objects.order_by("pk").values_list("pk", "provider", "native_id")
    last = 0
    while some := list(rows.filter(pk__gt=last)[:_CHUNK]):
        last = some[-1][0]
        keys = {Tombstone.key_of(provider, native): pk for pk, provider, native in some}
        wanted = erasures.of(keys)
        known = Tombstone.objects.filter(key__in=[*wanted])
        for key in known.values_list("key", flat=True):
            del wanted[key]
        yield {keys[key]: row for key, row in wanted.items()}


def _purge(doomed: dict[int, Row]) -> int:
    told = defaultdict[tuple[str, str], list[int]](list)
    for pk, row in doomed.items():
        told[row["actor"], row["reason"]].append(pk)
    for (actor, reason), pks in told.items():
        # The restore may yet fail, and the database of before names these files: who
        # runs Photowall afterwards removes them.
        retention.purge(pks, actor=actor, reason=reason, remove=False)
    return len(doomed)


def _read(line: str) -> Row:
    """Raises ``ValueError``, ``TypeError`` or ``KeyError`` for what is no tombstone."""
    row = json.loads(line)
    kinds = {name: int if name == "item_id" else str for name in COLUMNS}
    if not all(isinstance(row[name], kind) for name, kind in kinds.items()):
        raise ValueError("A value of another type than it should have.")
    _time(row)
    return {name: row[name] for name in COLUMNS}


def _time(row: Row) -> datetime:
    return datetime.fromisoformat(row["purged_at"])


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    # SQLite has no times, only their text, in UTC.
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC).isoformat()


def _portions(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rest = iter(rows)
    while some := list(islice(rest, _CHUNK)):
        yield some
