"""The store of pictures and films: files under names that say what is in them.

A name is made of the SHA-256 of the bytes, so a file never changes, may be written
twice without harm, and can be checked at any time. Originals (``o/``) are as they
came, with all that a camera wrote into them: they are not for the public. Films
(``f/``) and renditions (``r/``) are shown. Where the files are: Django's default
storage, a local folder or an S3-compatible store (``media_archive.stores``).

All of it raises ``OSError``: ``FileNotFoundError`` for what is not there, ``ENOSPC``
when there is no room, ``PermissionError`` when the store refuses us, others while it is
away. A name that is not one of ours is a ``ValueError``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from django.conf import settings
from django.core.files.storage import default_storage

from media_archive.stores.shape import (
    CONTENT_TYPES,
    Kept,
    Store,
    inside,
    name_of_ours,
)

ENDINGS = {content_type: ending for ending, content_type in CONTENT_TYPES.items()}
"""What we keep, and the ending of its names."""


def original_name(sha256: str, content_type: str) -> str:
    """Where a picture as it came is kept."""
    return _name("o", sha256, content_type)


def film_name(sha256: str, content_type: str) -> str:
    """Where a film is kept."""
    return _name("f", sha256, content_type)


def rendition_name(sha256: str, content_type: str) -> str:
    """Where a rendition is kept, by the hash of its own bytes."""
    return _name("r", sha256, content_type)


def put(name: str, path: Path, *, over: bool = False) -> None:
    """Keep a copy of the file ``path`` under ``name``, whole or not at all. What is
    there already under that name should have the same bytes, and stays. If its size
    says that it has not, it is replaced; with ``over`` in any case."""
    _store().keep(name_of_ours(name), path, over=over)


def open_file(name: str) -> IO[bytes]:
    """Its bytes, to read; they can be wound back."""
    return _store().open(name_of_ours(name), "rb")


def read(name: str, start: int, length: int, *, size: int) -> Iterator[bytes]:
    """``length`` bytes from ``start`` on, in pieces of 256 kB at most. Nothing else is
    read. Raises ``stores.shape.Damaged`` for a file that has not ``size`` bytes."""
    return _store().read(name_of_ours(name), start, length, size)


def exists(name: str) -> bool:
    """Whether the store has it."""
    return _store().exists(name_of_ours(name))


def size_of(name: str) -> int:
    """Its bytes."""
    return _store().size(name_of_ours(name))


def delete(name: str) -> None:
    """Take it away; nothing happens if it is not there. Strays that ``walk`` found may
    be taken away as well."""
    _store().delete(inside(name))


def walk() -> Iterator[Kept]:
    """Each file of the store as (name, size, modified), also those that are none of
    ours. Holds a few at a time, however many there are."""
    return _store().walk()


def address(name: str) -> str:
    """Where a page finds it: below ``/media/``."""
    return f"{settings.MEDIA_URL}{name}"


def scratch() -> Path:
    """The folder for files that are on their way: on the disk of a local store, and
    for us alone. Names in it begin with ``part-``; what is older than an hour is
    nobody's."""
    folder = Path(settings.MEDIA_ROOT) / "incoming"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _store() -> Store:
    return cast("Store", default_storage)


def _name(kind: str, sha256: str, content_type: str) -> str:
    ending = ENDINGS[content_type]
    return f"{kind}/{sha256[:2]}/{sha256[2:4]}/{sha256}.{ending}"
