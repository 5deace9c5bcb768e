"""The folder that holds backups: dumps side by side, files shared among them.

FOLDER/files/o/ab/cd/….jpg      every kept file once, by its name in the store
FOLDER/erased.jsonl             what was purged by then, as hashes
FOLDER/20261121T173001Z/        one backup: a dump, the list of its files, and,
                                written last, its manifest
"""

from __future__ import annotations

import fcntl
import heapq
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from media_archive.stores.shape import is_name
from photowall.backup.errors import BackupRefused
from photowall.backup.in_order import InOrder, Named, ascending

MANIFEST = "manifest.json"
LIST = "files.txt"
_NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
PART = ".part"
"""How the names of unfinished files end."""


class Folder:
    """Where backups are kept."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.files = self.path / "files"
        self.erased = self.path / "erased.jsonl"

    def make(self) -> None:
        """Make it, for its owner alone. Raises ``BackupRefused``."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.files.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise BackupRefused(
                f"{self.path} cannot be written to: {error.strerror}."
            ) from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One backup at a time writes here. Raises ``BackupRefused``."""
        with (self.path / ".lock").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise BackupRefused(
                    f"Another backup is being written to {self.path}."
                ) from error
            yield

    def begin(self, now: datetime) -> Path:
        """A new, empty folder for one backup, named by the time (UTC)."""
        stem = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        names = (stem, *(f"{stem}-{number}" for number in range(2, 100)))
        name = next(name for name in names if not (self.path / name).exists())
        made = self.path / name
        made.mkdir(mode=0o700)
        return made

    def all(self) -> list[Path]:
        """Every backup, the incomplete ones too, oldest first. Links are none: what
        they lead to is somebody else's, and is not pruned."""
        if not self.path.is_dir():
            return []
        found = [
            p
            for p in self.path.iterdir()
            if _NAME.fullmatch(p.name) and p.is_dir() and not p.is_symlink()
        ]
        return sorted(found, key=lambda path: _order(path.name))

    def complete(self) -> list[Path]:
        """Those with a manifest, oldest first."""
        return [path for path in self.all() if (path / MANIFEST).is_file()]

    def prune(self, keep: int) -> tuple[int, int]:
        """Leave the newest ``keep`` backups, and the files that they name; what a
        killed run left goes too. Returns how many backups and files are gone. Raises
        ``OSError``, ``BackupRefused``; what is left goes the next time."""
        kept = set(self.complete()[-keep:])
        lists = [path / LIST for path in kept]
        for path in lists:
            # Whole, before anything goes: what is damaged may name less than it should.
            for _ in listed(path):
                continue
        gone = [path for path in self.all() if path not in kept]
        for path in gone:
            # Without its manifest first: half removed, it is no backup any more.
            (path / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(path)
        named = InOrder(heapq.merge(*map(listed, lists)))
        removed = 0
        for file in _files_below(self.files):
            name = file.relative_to(self.files).as_posix()
            if not is_name(name) or named.size_of(name) is None:
                file.unlink()
                removed += 1
        return len(gone), removed


def write_list(path: Path, wanted: Iterator[tuple[str, int]]) -> tuple[int, int]:
    """Write names and sizes, one a line, ascending; how many, and their bytes."""
    count = size = 0
    with path.open("w", encoding="utf-8") as handle:
        for name, length in ascending(wanted, "The database"):
            handle.write(f"{length} {name}\n")
            count, size = count + 1, size + length
    return count, size


def listed(path: Path) -> Iterator[tuple[str, int]]:
    """Names and sizes of a list that ``write_list`` wrote. Raises ``BackupRefused`` for
    names that no store of ours has, as they could lead out of it, and for names that
    do not ascend."""
    return ascending(_lines(path), str(path))


def _lines(path: Path) -> Iterator[Named]:
    with path.open(encoding="utf-8", errors="replace") as handle:
        for line in handle:
            length, _, name = line.rstrip("\n").partition(" ")
            is_number = length.isascii() and length.isdigit() and len(length) < 20
            if not is_number or not is_name(name):
                raise BackupRefused(f"{path} names {name!r}, which is no file of ours.")
            yield name, int(length)


def settle(path: Path) -> None:
    """Its bytes are on the disk, also after a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _order(name: str) -> tuple[str, int]:
    stem, _, number = name.partition("-")
    return stem, int(number or 1)


def _files_below(folder: Path) -> Iterator[Path]:
    """By name, as far as their names are of our making."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent) / name for name in sorted(names))
