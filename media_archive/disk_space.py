"""Room for files: work that needs some stops before the disk is full.

A full disk harms everything on it, a database too. So the last of it
(``PHOTOWALL_DISK_KEEP``) is kept free: downloads wait until there is room again. Only a
store in a local folder has a disk of its own; an S3-compatible store has no such
figure.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage

from media_archive.errors import DiskFull

Room = tuple[int, float]
"""(bytes, share of the disk): the larger of both is meant."""


def guard() -> None:
    """Raises ``DiskFull`` when less than ``PHOTOWALL_DISK_KEEP`` is free."""
    if (place := folder()) is None:
        return
    disk = shutil.disk_usage(place)
    keep = wanted(settings.PHOTOWALL_DISK_KEEP, disk.total)
    if disk.free < keep:
        raise DiskFull(
            f"{in_words(disk.free)} of the disk are free, and {in_words(keep)} are "
            "kept so. Downloads go on by themselves when there is room."
        )


def folder() -> Path | None:
    """The folder of the store, or what is there of the way to it; None if the store
    is no local folder."""
    # The proxy's class is not what it stands for.
    if not isinstance(default_storage, FileSystemStorage):
        return None
    place = Path(default_storage.location)
    while not place.exists():
        place = place.parent
    return place


def wanted(room: Room, total: int) -> int:
    """Bytes that ``room`` means on a disk of ``total`` bytes."""
    size, share = room
    return max(size, int(share * total))


def in_words(size: float) -> str:
    """``1.5 GB`` for people; powers of 1024."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1024:
            return (
                f"{size:,.0f} {unit}"
                if size >= 10 or unit == "bytes"
                else (f"{size:.1f} {unit}")
            )
        size /= 1024
    return f"{size:,.1f} TB"
