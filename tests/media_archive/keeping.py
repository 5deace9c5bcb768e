"""Stored pictures for tests that look at the store: rows, and files with bytes."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from django.core.files.storage import default_storage

from media_archive import files
from media_archive.models import (
    Download,
    DownloadState,
    MediaAsset,
    MediaItem,
    Rendition,
    Role,
    StoredFile,
)

HOUR = 3600


def put(kind: str, content: bytes) -> tuple[str, str]:
    """(name, sha256) of a file that the store has now."""
    digest = hashlib.sha256(content).hexdigest()
    make = {
        "o": files.original_name,
        "f": files.film_name,
        "r": files.rendition_name,
    }[kind]
    name = make(digest, "video/mp4" if kind == "f" else "image/webp")
    path = files.scratch() / f"part-{digest[:8]}"
    path.write_bytes(content)
    files.put(name, path)
    path.unlink()
    return name, digest


def a_file(content: bytes = b"picture", *, rendition: bool = True) -> StoredFile:
    """A stored picture with one rendition, both in the store."""
    name, digest = put("o", content)
    file = StoredFile.objects.create(
        sha256=digest, name=name, content_type="image/webp", size=len(content)
    )
    if rendition:
        small, small_digest = put("r", content + b" small")
        Rendition.objects.create(
            file=file,
            spec="w480.webp.1",
            name=small,
            sha256=small_digest,
            content_type="image/webp",
            width=480,
            height=480,
            size=len(content) + 6,
        )
    return file


def show(item: MediaItem, file: StoredFile) -> Download:
    """The item's first asset shows the file, which a download has brought."""
    asset = MediaAsset.objects.get(item=item, position=0)
    MediaAsset.objects.filter(pk=asset.pk).update(picture=file, state="ready")
    download, _ = Download.objects.update_or_create(
        asset=asset,
        role=Role.PICTURE,
        defaults={"state": DownloadState.READY, "file": file},
    )
    return download


def place(name: str) -> Path:
    """Where the store has it."""
    return Path(default_storage.path(name))


def make_old(*names: str, hours: float = 2) -> None:
    """As if the files had been put there hours ago."""
    then = time.time() - hours * HOUR
    for name in names:
        os.utime(place(name), (then, then))


def names() -> set[str]:
    """All that the store has."""
    return {file.name for file in files.walk()}
