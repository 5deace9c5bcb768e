"""The store in a folder: what is there is whole, also after the power failed.

A file is written beside its place under another name, made durable, and renamed. The
web server of the machine may have to read files itself, so the folder's group may read
them (and nobody else: originals say where they were taken), and new folders pass the
group on when theirs does (``chmod g+s``).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.core.files.storage import FileSystemStorage

from media_archive.stores.shape import KINDS, PIECE, Damaged, Kept

FILE_MODE = 0o640
FOLDER_MODE = 0o750
UNFINISHED = "part-"
"""How names begin that are not complete yet."""


class LocalStore(FileSystemStorage):
    """Files below ``MEDIA_ROOT``."""

    def keep(self, name: str, path: Path, *, over: bool = False) -> None:
        """Keep a copy of ``path``. A file of that name and size that is there already
        stays, unless ``over``; one of another size was damaged, and is replaced."""
        target = Path(self.path(name))
        with contextlib.suppress(FileNotFoundError):
            if not over and target.stat().st_size == path.stat().st_size:
                # Young again: whoever takes it for a file without a row leaves it.
                os.utime(target)
                return
        _make_folder(target.parent, Path(self.location))
        number, made = tempfile.mkstemp(prefix=UNFINISHED, dir=target.parent)
        unfinished = Path(made)
        try:
            with os.fdopen(number, "wb") as copy, path.open("rb") as content:
                shutil.copyfileobj(content, copy, PIECE)
                copy.flush()
                os.fchmod(copy.fileno(), FILE_MODE)
                os.fsync(copy.fileno())
            # Of two who bring the same bytes at once one replaces the other's.
            unfinished.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise
        _make_durable(target.parent)

    def read(self, name: str, start: int, length: int, size: int) -> Iterator[bytes]:
        """``length`` bytes from ``start`` on, in pieces, of a file of ``size``."""
        with Path(self.path(name)).open("rb", buffering=0) as content:
            has = os.fstat(content.fileno()).st_size
            if has != size:
                raise Damaged(errno.EIO, f"{name} has {has} bytes, not {size}")
            content.seek(start)
            while length > 0 and (piece := content.read(min(PIECE, length))):
                length -= len(piece)
                yield piece

    def walk(self) -> Iterator[Kept]:
        """All files of the store's folders, by name."""
        for kind in KINDS:
            yield from _walk(Path(self.location) / kind, kind)

    def delete(self, name: str) -> None:
        """Take a file away, if it is there. Folders stay: somebody may be about to
        write into them."""
        Path(self.path(name)).unlink(missing_ok=True)


def _walk(folder: Path, name: str) -> Iterator[Kept]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        below = f"{name}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), below)
            continue
        with contextlib.suppress(FileNotFoundError):  # deleted while we walk
            about = entry.stat(follow_symlinks=False)
            modified = datetime.fromtimestamp(about.st_mtime, UTC)
            yield Kept(below, about.st_size, modified)


def _make_folder(folder: Path, root: Path) -> None:
    """``folder`` with all above it, durably."""
    if folder.is_dir():
        return
    if folder != root:
        _make_folder(folder.parent, root)
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            passed_on = folder.stat().st_mode & stat.S_ISGID
            folder.chmod(FOLDER_MODE | passed_on)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(FOLDER_MODE | folder.stat().st_mode & stat.S_ISGID)
    _make_durable(folder.parent)


def _make_durable(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
