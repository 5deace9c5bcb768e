"""From a record to rows, without touching the database.

What does not fit a column (too long, NUL, a lone surrogate) is cut or cleaned here
and kept whole in the raw document: a bad field never costs the item.
"""

from __future__ import annotations

import hashlib
import json
import math
from datetime import UTC, datetime
from typing import Any

from media_archive.models import Author, MediaAsset, MediaItem, RawDocument
from media_archive.records import IncomingAuthor, IncomingMedia

CHANGEABLE = [
    "kind",
    "author",
    "caption",
    "permalink",
    "posted_at",
    "changed_at",
    "place_native_id",
    "place_name",
    "latitude",
    "longitude",
    "likes",
    "comments",
    "views",
    "content_hash",
    "revision",
]
"""The columns of a media item that a provider's newer word changes.

Not ``dated_at``: an item keeps its place in the lists.
"""
LARGEST = 2**63 - 1
LONGEST_ID = 128


def content_hash(record: IncomingMedia) -> str:
    """SHA-256 over the normalised record without the raw document."""
    content = _columns(record) | {
        "author": [
            _author_columns(record.author),
            record.author.native_id if record.author else None,
        ],
        "tags": list(record.tags),
        "assets": [
            [asset.kind, asset.alt_text, _sources(asset.sources)]
            for asset in record.assets
        ],
    }
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def new_item(
    provider: str,
    record: IncomingMedia,
    digest: str,
    author: Author | None,
    now: datetime,
) -> MediaItem:
    """An unsaved row for a post that is not stored yet."""
    columns = _columns(record)
    return MediaItem(
        provider=provider,
        native_id=record.native_id,
        author=author,
        content_hash=digest,
        dated_at=columns["posted_at"] or now,
        archived_at=now,
        changed_at=now,
        **columns,
    )


def change_item(
    item: MediaItem,
    record: IncomingMedia,
    digest: str,
    author: Author | None,
    now: datetime,
) -> None:
    """Bring a stored row up to the provider's newer word (unsaved)."""
    for name, value in _columns(record).items():
        setattr(item, name, value)
    item.author = author or item.author
    item.content_hash = digest
    item.changed_at = now


def raw_document(item: MediaItem, record: IncomingMedia, now: datetime) -> RawDocument:
    """The provider's document as ASCII JSON: every code point survives."""
    return RawDocument(
        item=item, document=json.dumps(record.raw, ensure_ascii=True), received_at=now
    )


def assets(item: MediaItem, record: IncomingMedia) -> list[MediaAsset]:
    """Unsaved rows, one for each picture or video."""
    return [
        MediaAsset(
            item=item,
            position=position,
            kind=asset.kind,
            alt_text=clean(asset.alt_text),
            sources=_sources(asset.sources),
        )
        for position, asset in enumerate(record.assets)
    ]


def update_author(row: Author, said: IncomingAuthor) -> bool:
    """Take over what ``said`` tells; True if the row differs now."""
    before = (row.username, row.name, row.avatar_url)
    for name, value in _author_columns(said).items():
        if value is not None:
            setattr(row, name, value)
    return before != (row.username, row.name, row.avatar_url)


def copy_of_author(row: Author) -> Author:
    """The row without its key, for an upsert by (provider, native id)."""
    return Author(
        provider=row.provider,
        native_id=row.native_id,
        username=row.username,
        name=row.name,
        avatar_url=row.avatar_url,
    )


def usable_id(native_id: str) -> bool:
    """Whether a row can be known by this id, unchanged."""
    return 0 < len(native_id) <= LONGEST_ID and clean(native_id) == native_id


def clean(text: str | None, longest: int | None = None) -> str | None:
    """``text`` as a database can hold it: no NUL, no lone surrogate, cut to
    ``longest`` characters."""
    if text is None:
        return None
    text = text.replace("\x00", "")
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text[:longest] if longest is not None else text


def _columns(record: IncomingMedia) -> dict[str, Any]:
    place = record.place
    return {
        "kind": record.kind.value,
        "caption": clean(record.caption),
        "permalink": _url(record.permalink),
        "posted_at": _time(record.posted_at),
        "place_native_id": clean(place.native_id, 128) if place else None,
        "place_name": clean(place.name, 512) if place else None,
        "latitude": _degrees(place.latitude, 90) if place else None,
        "longitude": _degrees(place.longitude, 180) if place else None,
        "likes": _count(record.likes),
        "comments": _count(record.comments),
        "views": _count(record.views),
    }


def _author_columns(author: IncomingAuthor | None) -> dict[str, str | None]:
    if author is None:
        return {}
    return {
        "username": clean(author.username, 255),
        "name": clean(author.name, 255),
        "avatar_url": _url(author.avatar_url),
    }


def _sources(sources: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": clean(source.name, 64),
            "kind": source.kind.value,
            "url": url,
            "width": _count(source.width),
            "height": _count(source.height),
        }
        for source in sources
        if (url := _url(source.url)) is not None
    ]


def _url(text: str | None) -> str | None:
    text = clean(text)
    if text is None or len(text) > 2048 or not text.startswith(("http://", "https://")):
        return None
    return text


def _time(value: datetime | None) -> datetime | None:
    try:
        return value.astimezone(UTC) if value is not None else None
    except OverflowError:
        # Year 1 or 9999 with an offset that leads out of the calendar.
        return None


def _degrees(value: float | None, most: float) -> float | None:
    if value is None or not math.isfinite(value) or abs(value) > most:
        return None
    return float(value)


def _count(value: int | None) -> int | None:
    return value if value is not None and -LARGEST <= value <= LARGEST else None
