"""Plain functions that make rows. Everything not said is ordinary."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from media_archive import ingest, journal
from media_archive.models import MediaItem
from media_archive.records import (
    AssetSource,
    IncomingAsset,
    IncomingAuthor,
    IncomingMedia,
    Kind,
)

PROVIDER = "instagram_v1"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ANA = IncomingAuthor("7", "ana.costa", "Ana Costa", "https://pictures.example/ana.jpg")

_numbers = itertools.count(1)


def a_source(name: str = "standard_resolution", side: int = 640) -> AssetSource:
    """One square picture."""
    return AssetSource(
        name, f"https://pictures.example/{name}.jpg", Kind.IMAGE, side, side
    )


def an_asset() -> IncomingAsset:
    """One picture in two sizes."""
    return IncomingAsset(Kind.IMAGE, [a_source("thumbnail", 150), a_source()])


def a_record(native_id: str | None = None, **said: Any) -> IncomingMedia:
    """One post; each next one is posted a minute later."""
    number = next(_numbers)
    native_id = f"post-{number:06}" if native_id is None else native_id
    usual: dict[str, Any] = {
        "kind": Kind.IMAGE,
        "raw": {"id": native_id},
        "author": ANA,
        "caption": f"Caption {number} #nofilter",
        "permalink": f"https://photos.example/p/{native_id}/",
        "posted_at": NOON + timedelta(minutes=number),
        "tags": ["nofilter"],
        "assets": [an_asset()],
    }
    return IncomingMedia(native_id=native_id, **(usual | said))


def store(
    records: Sequence[IncomingMedia],
    listed_under: str | None = None,
    provider: str = PROVIDER,
) -> ingest.StoreResult:
    """One page stored in a transaction of its own."""
    with journal.recording() as recording:
        return ingest.store(recording, provider, records, listed_under)


def an_item(native_id: str | None = None, **said: Any) -> MediaItem:
    """One stored post."""
    return MediaItem.objects.get(pk=store([a_record(native_id, **said)]).new[0])


def some_items(count: int, **said: Any) -> list[MediaItem]:
    """``count`` stored posts, oldest first."""
    newest_first = [a_record(**said) for _ in range(count)][::-1]
    ids = store(newest_first).new
    found = MediaItem.objects.in_bulk(ids)
    return [found[pk] for pk in ids]
