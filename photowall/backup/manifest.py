"""The manifest of one backup: what it holds, written last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from photowall.backup.errors import BackupRefused
from photowall.backup.folder import LIST, MANIFEST, settle

FORMAT = 1
DUMPS = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}
"""Name of the dump by the kind of database: no other file is ever restored."""
_BLOCK = 1024 * 1024


@dataclass
class Manifest:
    """One backup. Times are ISO 8601 in UTC, sizes bytes, hashes SHA-256.

    ``sealed`` is a word encrypted with the key of the day: a key that opens it opens
    the secrets of the dump. ``counts`` are rows by table. ``server`` and ``program``
    are the major versions of the PostgreSQL server and of its pg_dump. ``erased``,
    ``missing``, ``damaged`` and ``unreadable`` name files that the dump names and the
    backup does not hold.
    """

    photowall: str
    began_at: str
    ended_at: str
    kind: str
    dump: str
    dump_bytes: int
    dump_sha256: str
    list_sha256: str
    journal: int
    migrations: list[str]
    counts: dict[str, int]
    files: int
    files_bytes: int
    copied: int
    sealed: str
    server: int = 0
    program: int = 0
    erased: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    format: int = FORMAT

    def write(self, backup: Path) -> None:
        """Whole or not at all: from now on it is a backup."""
        draft = backup / f"{MANIFEST}.part"
        draft.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        settle(draft)
        draft.replace(backup / MANIFEST)
        settle(backup)

    @property
    def absent(self) -> set[str]:
        """Files that the dump names and the backup does not hold."""
        return {*self.erased, *self.missing, *self.damaged, *self.unreadable}


def read(backup: Path) -> Manifest:
    """Raises ``BackupRefused`` for what is incomplete, or not of a format we read."""
    path = backup / MANIFEST
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BackupRefused(
            f"{backup} has no {MANIFEST}: it was not finished, and is no backup."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path) from error
    written = document.get("format") if isinstance(document, dict) else None
    if isinstance(written, int) and written > FORMAT:
        raise BackupRefused(
            f"{backup} was made by a newer Photowall ({document.get('photowall')}): "
            "install that one, and restore with it."
        )
    try:
        found = Manifest(**document)
    except TypeError as error:
        raise _damaged(path) from error
    kinds = get_type_hints(Manifest)
    odd = [
        each.name
        for each in fields(Manifest)
        if not _is_of(getattr(found, each.name), kinds[each.name])
    ]
    if odd:
        raise BackupRefused(f"{path} is damaged: {odd[0]!r} is not what we write.")
    if found.dump not in DUMPS.values():
        # A path would lead to a file that is not of this backup.
        raise BackupRefused(
            f"{path} is damaged: it names {found.dump[:100]!r} as its dump, which no "
            "dump of ours is called."
        )
    return found


def _damaged(path: Path) -> BackupRefused:
    return BackupRefused(f"{path} cannot be read: it is damaged.")


def _is_of(value: Any, kind: Any) -> bool:
    """Whether JSON's ``value`` is what a field of that type holds."""
    if kind is int:
        return _is_number(value)
    if kind is str:
        return _is_text(value)
    if kind == list[str]:
        return isinstance(value, list) and all(map(_is_text, value))
    return isinstance(value, dict) and all(
        _is_text(table) and _is_number(count) for table, count in value.items()
    )


def _is_number(value: Any) -> bool:
    """How many of something: it fits the columns of a database, and is no truth."""
    return type(value) is int and 0 <= value < 2**53


def _is_text(value: Any) -> bool:
    """Words that can be shown: no control characters, no halves of characters."""
    return isinstance(value, str) and value.isprintable()


def check(
    backup: Path, manifest: Manifest, told: Callable[[int], None] = lambda _: None
) -> None:
    """Raises ``BackupRefused`` if dump or list have other bytes than the manifest
    says. ``told`` hears of the bytes read."""
    if manifest.dump != DUMPS.get(manifest.kind):
        raise BackupRefused(
            f"{backup / MANIFEST} is damaged: {manifest.dump} is no dump of "
            f"{manifest.kind}."
        )
    for name, sha256 in (
        (manifest.dump, manifest.dump_sha256),
        (LIST, manifest.list_sha256),
    ):
        path = backup / name
        if not path.is_file():
            raise BackupRefused(f"{path} is missing: the backup is damaged.")
        if sha256_of(path, told) != sha256:
            raise BackupRefused(
                f"{path} has other bytes than when it was written: the backup is "
                "damaged. Take an older one (--which)."
            )


def sha256_of(path: Path, told: Callable[[int], None] = lambda _: None) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(_BLOCK):
            digest.update(block)
            told(len(block))
    return digest.hexdigest()
