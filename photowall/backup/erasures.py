"""Tombstones that outlive a restore: what was purged after a backup was taken comes
back with it, and is purged once more."""

from __future__ import annotations

import json
import re
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

    def add(self, rows: Iterable[Row]) -> Erasures:
        """One that is there already is replaced. Itself."""
        for some in _portions(rows):
            self._own.execute("BEGIN")
            self._own.executemany(
                "INSERT OR REPLACE INTO erased VALUES (?, ?)",
                [(row["key"], json.dumps(row)) for row in some],
            )
            self._own.execute("COMMIT")
        return self

    def of(self, keys: Iterable[str]) -> dict[str, Row]:
        """Those with one of a few keys."""
        wanted = [*keys]
        marks = ", ".join("?" * len(wanted))
        rows = self._own.execute(
            f"SELECT key, row FROM erased WHERE key IN ({marks})",
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
    except (OSError, ValueError, OverflowError, RecursionError) as error:
        raise BackupRefused(
            f"{path} is damaged: take it from a copy of the folder. Without it, what "
            "was purged may come back; who accepts that moves it away."
        ) from error


def leave(path: Path, erasures: Erasures) -> None:
    """Add them to those that stand beside the backups."""
    merged = Erasures().add(of_folder(path)).add(erasures)
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


def _time(row: Row) -> datetime:
    return datetime.fromisoformat(row["purged_at"])


def _read(line: str) -> Row:
    """One that ``leave`` wrote. Raises ``ValueError`` for any other."""
    row: Any = json.loads(line)
    if not isinstance(row, dict) or set(row) != {*COLUMNS}:
        raise ValueError("These are not the columns of a tombstone.")
    for name in COLUMNS:
        value = row[name]
        if name == "item_id":
            fits = type(value) is int and -(2**63) <= value < 2**63
        else:
            fits = isinstance(value, str) and _is_held(value, name)
        if not fits:
            raise ValueError(f"{name} is none of ours.")
    at = datetime.fromisoformat(row["purged_at"])
    if at.tzinfo is None or not row["key"]:
        raise ValueError("It has no key, or a time in no time zone.")
    at.astimezone(UTC)
    return row


def _is_held(text: str, name: str) -> bool:
    """Whether the column holds it: not too long, no NUL, no halves of characters."""
    field = Tombstone._meta.get_field(name)  # noqa: SLF001  public in Django
    longest: int | None = getattr(field, "max_length", None)
    short = longest is None or len(text) <= longest
    return short and not re.search("[\0\ud800-\udfff]", text)


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    # SQLite has no times, only their text, in UTC.
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC).isoformat()


def _portions(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rest = iter(rows)
    while some := list(islice(rest, _CHUNK)):
        yield some
