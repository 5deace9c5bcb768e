"""Room for files: work that needs some stops before the disk is full.

A full disk harms everything on it, a database too. So the last of it
(``PHOTOWALL_DISK_KEEP``) is kept free: downloads wait until there is room again. Only a
store in a local folder has a disk of its own; an S3-compatible store has no such
figure.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import FileSystemStorage, default_storage
from django.db.models import Min, Sum
from django.utils import timezone

from media_archive.errors import DiskFull
from media_archive.models import Rendition, StoredFile

SIZES_KEPT = 300
"""Seconds that sums over all rows are kept."""
LATELY = timedelta(days=7)
"""The days whose growth is taken for the present pace."""
SOON = 7.0
"""With room for fewer days than this a person is told."""
FAR = 3650.0
"""More days than this are no end."""

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


def is_full() -> bool:
    """Whether ``guard()`` refuses."""
    try:
        guard()
    except DiskFull:
        return True
    return False


@dataclass(frozen=True, slots=True)
class Outlook:
    """How the store fills its disk; sizes in bytes. ``total`` and ``free`` are None for
    a store without a disk of ours. ``per_day`` is the growth of the last days, and
    ``days`` how long there is room like that; None = no end is seen."""

    used: int
    per_day: int
    total: int | None = None
    free: int | None = None
    days: float | None = None

    @property
    def is_short(self) -> bool:
        """Whether a person should do something."""
        if self.free is None or self.total is None:
            return False
        little = self.free < wanted(settings.PHOTOWALL_DISK_WARN, self.total)
        return little or (self.days is not None and self.days < SOON)

    @property
    def sentence(self) -> str:
        """For people: "12 GB are free; at the present pace for about 3 days"."""
        if self.free is None:
            return "The store is elsewhere: look at its room there."
        words = f"{in_words(self.free)} are free for pictures"
        if self.days is None:
            return f"{words}."
        if self.days < 1:
            return f"{words}. At the present pace the disk is full today."
        about = f"{self.days:,.0f} {'day' if round(self.days) == 1 else 'days'}"
        return f"{words}. At the present pace the disk is full in about {about}."


def outlook() -> Outlook:
    """How it looks, at most five minutes old but for the free room."""
    used, per_day = cache.get_or_set("store-sizes", _sizes, SIZES_KEPT) or (0, 0)
    if (place := folder()) is None:
        return Outlook(used, per_day)
    disk = shutil.disk_usage(place)
    keep = wanted(settings.PHOTOWALL_DISK_KEEP, disk.total)
    left = max(0, disk.free - keep)
    days = left / per_day if per_day else None
    far = days is not None and days > FAR
    return Outlook(used, per_day, disk.total, disk.free, None if far else days)


def _sizes() -> tuple[int, int]:
    """(bytes in rows, bytes that came in a day): originals and what is made of them."""
    whole = StoredFile.objects.aggregate(size=Sum("size"), first=Min("stored_at"))
    made = Rendition.objects.aggregate(size=Sum("size"))["size"] or 0
    originals = whole["size"] or 0
    if not originals:
        return 0, 0
    now = timezone.now()
    lately = StoredFile.objects.filter(stored_at__gt=now - LATELY)
    came = lately.aggregate(size=Sum("size"))["size"] or 0
    # A store of an hour has not had a week to grow in.
    since = max(whole["first"], now - LATELY)
    span = max((now - since) / timedelta(days=1), 1 / 24)
    return originals + made, int(came * (originals + made) / originals / span)


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
