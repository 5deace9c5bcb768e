"""Tombstones that outlive a restore: what was purged after a backup was taken comes
back with it, and is purged once more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from media_archive import retention
from media_archive.models import MediaItem, Tombstone
from photowall.backup.errors import BackupRefused
from photowall.backup.facts import Ask
from photowall.backup.folder import PART, settle

COLUMNS = ("key", "provider", "item_id", "purged_at", "actor", "reason")
Erasures = dict[str, dict[str, Any]]
"""Tombstones by their keys, as they are written into JSON."""
_CHUNK = 500


def of_database(ask: Ask, tables: Iterable[str], schema: str = "") -> Erasures:
    """The tombstones of the database that ``ask`` asks."""
    table = Tombstone._meta.db_table  # noqa: SLF001  public in Django
    if table not in {*tables}:
        return {}
    place = f'"{schema}".' if schema else ""
    rows = ask(f'SELECT {", ".join(COLUMNS)} FROM {place}"{table}"')
    found = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    return {row["key"]: row | {"purged_at": _moment(row["purged_at"])} for row in found}


def of_folder(path: Path) -> Erasures:
    """Those that stand beside the backups. Raises ``BackupRefused`` if they cannot be
    read."""
    if not path.exists():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return {row["key"]: row for row in map(json.loads, lines)}
    except (ValueError, TypeError, KeyError) as error:
        raise BackupRefused(
            f"{path} is damaged: take it from a copy of the folder. Without it, what "
            "was purged may come back; who accepts that moves it away."
        ) from error


def leave(path: Path, erasures: Erasures) -> None:
    """Add them to those that stand beside the backups."""
    merged = of_folder(path) | erasures
    draft = path.with_name(path.name + PART)
    with draft.open("w", encoding="utf-8") as handle:
        for row in merged.values():
            handle.write(json.dumps(row) + "\n")
    settle(draft)
    draft.replace(path)


def apply(erasures: Mapping[str, Mapping[str, Any]]) -> int:
    """Purge again what they name, in the database that we are connected to, and keep
    their tombstones. How many items were there again."""
    known = set(Tombstone.objects.values_list("key", flat=True))
    new = {key: row for key, row in erasures.items() if key not in known}
    found = dict(_items_of(new)) if new else {}
    for key, pk in found.items():
        row = new[key]
        # The restore may yet fail, and the database of before names these files: who
        # runs Photowall afterwards removes them.
        retention.purge([pk], actor=row["actor"], reason=row["reason"], remove=False)
    Tombstone.objects.bulk_create(
        [
            Tombstone(**{**row, "purged_at": datetime.fromisoformat(row["purged_at"])})
            for row in new.values()
        ],
        ignore_conflicts=True,
        batch_size=_CHUNK,
    )
    return len(found)


def _items_of(wanted: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """(key, primary key) of each item that a tombstone of ``wanted`` stands for."""
    rows = MediaItem.objects.order_by("pk").values_list("pk", "provider", "native_id")
    for pk, provider, native_id in rows.iterator():
        key = Tombstone.key_of(provider, native_id)
        if key in wanted:
            yield key, pk


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    # SQLite has no times, only their text, in UTC.
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC).isoformat()
