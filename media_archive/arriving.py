"""A file that is on its way here: whole in the end, or not there."""

from __future__ import annotations

import hashlib
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from media_archive.errors import CompressedAnswer, DiskFull


class ArrivingFile:
    """Around one exchange: ``path`` is written while the bytes arrive, and taken
    away again unless ``keep`` was called.

    It is opened when there is something to write, so an answer that brings nothing
    costs no file. Raises ``DiskFull`` whenever it cannot be written.
    """

    compressed = CompressedAnswer

    def __init__(self, path: Path) -> None:
        self.path = path
        self._hash = hashlib.sha256()
        self._size = 0
        self._file: FileIO | None = None
        self._kept = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None and not self._kept:
            self._file.close()
            self.path.unlink(missing_ok=True)

    @property
    def sha256(self) -> str:
        """Of what has arrived so far, in hex."""
        return self._hash.hexdigest()

    def wants(self, status: int) -> bool:
        """Only what is there is brought."""
        if status != 200:
            return False
        if self._file is None:
            try:
                # Without a buffer: what is written is written, or the error is here.
                self._file = FileIO(self.path, "w")
            except OSError as error:
                raise _no_room(error) from error
        return True

    def take(self, chunk: bytes) -> None:
        """More bytes."""
        self._hash.update(chunk)
        self._size += len(chunk)
        left = memoryview(chunk)
        while left and self._file is not None:
            try:
                left = left[self._file.write(left) :]
            except OSError as error:
                raise _no_room(error) from error

    def keep(self) -> int:
        """It is whole: it stays. Its size in bytes."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError as error:
                raise _no_room(error) from error
        self._kept = True
        return self._size


def _no_room(error: OSError) -> DiskFull:
    return DiskFull(f"The file cannot be written: {error.strerror}.")
