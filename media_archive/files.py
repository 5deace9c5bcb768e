"""The store of pictures and films: files under names that say what is in them.

A name is made of the SHA-256 of the bytes, so a file never changes, may be written
twice without harm, and can be checked at any time. Originals (``o/``) are as they
came, with all that a camera wrote into them: they are not for the public. Films
(``f/``) and renditions (``r/``) are shown. Where the files are: Django's default
storage, a local folder or an S3-compatible store.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/heic": "heic",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/quicktime": "mov",
}


def original_name(sha256: str, content_type: str) -> str:
    """Where a picture as it came is kept."""
    return _name("o", sha256, content_type)


def film_name(sha256: str, content_type: str) -> str:
    """Where a film is kept."""
    return _name("f", sha256, content_type)


def rendition_name(sha256: str, content_type: str) -> str:
    """Where a rendition is kept, by the hash of its own bytes."""
    return _name("r", sha256, content_type)


def put(name: str, path: Path) -> None:
    """Keep the file ``path`` under ``name``, whole or not at all. What is there
    already under that name has the same bytes and stays.

    Raises ``OSError`` (``ENOSPC``: the disk is full).
    """
    if default_storage.exists(name):
        return
    with path.open("rb") as content:
        default_storage.save(name, File(content))


def open_file(name: str) -> IO[bytes]:
    """Its bytes, to read. Raises ``FileNotFoundError``."""
    return default_storage.open(name, "rb")


def exists(name: str) -> bool:
    """Whether the store has it."""
    return default_storage.exists(name)


def delete(name: str) -> None:
    """Take it away; nothing happens if it is not there."""
    default_storage.delete(name)


def address(name: str) -> str:
    """Where a page finds it: below ``/media/``."""
    return f"{settings.MEDIA_URL}{name}"


def _name(kind: str, sha256: str, content_type: str) -> str:
    ending = ENDINGS[content_type]
    return f"{kind}/{sha256[:2]}/{sha256[2:4]}/{sha256}.{ending}"
