"""Shots whose pictures are known only by their hash: as settling them leaves them."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

from media_archive import clusters, journal
from media_archive.journal import Recording
from media_archive.models import (
    DownloadState,
    JournalKind,
    MediaAsset,
    MediaItem,
    StoredFile,
)
from media_archive.records import IncomingAuthor
from tests.builders import NOON, an_item

_files = itertools.count(1)


def near(base: int, bits: int) -> int:
    """A hash that differs from ``base`` in its lowest ``bits`` bits."""
    return base ^ (2**bits - 1)


def settle(item_pk: int, shot: int | None, width: int = 640) -> None:
    """The first picture of the item is kept, and its hash is ``shot``."""

    def work(recording: Recording) -> None:
        rows = MediaItem.objects.select_for_update(no_key=True)
        item = rows.get(pk=item_pk)
        MediaAsset.objects.filter(item=item, position=0).update(
            picture=a_file(shot, width), state=DownloadState.READY
        )
        item.revision += 1
        item.save(update_fields=["revision"])
        recording.add(item, JournalKind.PICTURED, detail={"asset": 0, "state": "ready"})
        clusters.assign(recording, item)

    journal.recorded(work)


def a_file(shot: int | None, width: int = 640) -> StoredFile:
    """A kept picture with that hash (64 bits; the column is signed)."""
    if shot is not None and shot >= 2**63:
        shot -= 2**64
    number = next(_files)
    return StoredFile.objects.create(
        sha256=f"{number:064x}",
        name=f"f/{number}.jpg",
        content_type="image/jpeg",
        size=1,
        width=width,
        height=640,
        frames=1,
        perceptual_hash=shot,
    )


def a_shot(shot: int | None, seconds: float = 0, **said: Any) -> MediaItem:
    """A stored post whose picture is settled, posted ``seconds`` after noon."""
    item = a_post(seconds, **said)
    settle(item.pk, shot)
    item.refresh_from_db()
    return item


def a_post(seconds: float = 0, **said: Any) -> MediaItem:
    """A stored post whose picture is not known yet."""
    return an_item(posted_at=at(seconds), **said)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def somebody(name: str) -> IncomingAuthor:
    return IncomingAuthor(name, name, name.title(), None)


def cluster_of(item: MediaItem) -> int | None:
    return MediaItem.objects.values_list("cluster_id", flat=True).get(pk=item.pk)
