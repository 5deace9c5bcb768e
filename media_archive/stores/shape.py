"""What every store of ours offers, and which names there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, NamedTuple, Protocol

KINDS = ("f", "o", "r")
"""Films, originals, renditions: the folders of a store, by name."""
PIECE = 256 * 1024
"""Bytes that are read at once: most renditions are one piece."""
CONTENT_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "heic": "image/heic",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mov": "video/quicktime",
}
"""By a name's ending. What is not here we neither keep nor serve."""

_NAME = re.compile(
    r"[ofr]/(?P<a>[0-9a-f]{2})/(?P<b>[0-9a-f]{2})/(?P=a)(?P=b)[0-9a-f]{60}"
    rf"\.({'|'.join(CONTENT_TYPES)})"
)
_INSIDE = re.compile(r"[ofr](/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")


class Kept(NamedTuple):
    """A file that the store has; ``size`` in bytes, ``modified`` with its zone."""

    name: str
    size: int
    modified: datetime


class Damaged(OSError):
    """The store has a file of another size than it should have."""


class Store(Protocol):
    """A place for files. All of it raises ``OSError``: ``FileNotFoundError`` for what
    is not there, ``ENOSPC`` when there is no room, ``PermissionError`` when the place
    refuses us, others while it is away."""

    def keep(self, name: str, path: Path, *, over: bool = False) -> None:
        """Keep a copy of ``path``, whole or not at all. What is there under the name
        is replaced if it has another size, or with ``over``."""

    def read(self, name: str, start: int, length: int, size: int) -> Iterator[bytes]:
        """``length`` bytes from ``start`` on, in pieces. Raises ``Damaged`` for a file
        that has not ``size`` bytes in all."""

    def open(self, name: str, mode: str = "rb") -> IO[bytes]:
        """The file, to read; it can be wound back."""

    def exists(self, name: str) -> bool:
        """Whether it is there."""

    def size(self, name: str) -> int:
        """Its bytes."""

    def delete(self, name: str) -> None:
        """Take it away, if it is there."""

    def walk(self) -> Iterator[Kept]:
        """All there is, ours or not; names of ours ascend."""


def is_name(text: str) -> bool:
    """Whether it is a name as we make them. Nothing that climbs, hides or comes from
    outside is."""
    return len(text) < 128 and _NAME.fullmatch(text) is not None


def name_of_ours(text: str) -> str:
    """The name itself. Raises ``ValueError`` when it is none of ours."""
    if not is_name(text):
        raise ValueError(f"This is not a name of the store: {text[:100]!r}")
    return text


def inside(text: str) -> str:
    """A name below one of the store's folders, ours or a stray's. Raises
    ``ValueError`` for what leads elsewhere."""
    if not _INSIDE.fullmatch(text):
        raise ValueError(f"This does not lie in the store: {text[:100]!r}")
    return text


def content_type_of(name: str) -> str:
    """What a name of ours holds, by its ending."""
    return CONTENT_TYPES[name.rpartition(".")[2]]
