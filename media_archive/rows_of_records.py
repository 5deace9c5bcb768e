"""From a record to rows, without touching the database.

What does not fit a column (too long, NUL, a lone surrogate) is cut or cleaned here
and kept whole in the raw document: a bad field never costs the item.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from media_archive.downloads.sources import has, key_of, meant_by
from media_archive.records import (
    AssetSource,
    IncomingAsset,
    IncomingAuthor,
    IncomingMedia,
)

CONTENT = (
    "kind",
    "caption",
    "permalink",
    "posted_at",
    "place_native_id",
    "place_name",
    "latitude",
    "longitude",
    "likes",
    "comments",
    "views",
)
"""The columns of a media item that a record fills, in the order of ``content()``."""
NEW_ITEM = (
    "provider",
    "native_id",
    "author_id",
    "content_hash",
    "dated_at",
    "archived_at",
    "changed_at",
    *CONTENT,
)
CHANGED_ITEM = ("id", "author_id", "content_hash", "changed_at", "revision", *CONTENT)
"""What a provider's newer word changes. Not ``dated_at``: an item keeps its place in
the lists. Not what people decided: ``visibility``, ``pinned``."""
RAW = ("item_id", "document", "received_at")
ASSET = (
    "item_id",
    "position",
    "kind",
    "alt_text",
    "sources",
    "source_key",
    "state",
)
ASSET_KEY, ASSET_TOLD = ASSET[:2], ASSET[2:6]
"""What an asset is known by, and what a newer word changes of it. Not ``state``: what
is shown stays until another picture is here."""
AUTHOR = ("provider", "native_id", "username", "name", "avatar_url")

MAPPING = 1
"""Part of every content hash. To be raised with each change of this module that makes
other rows of the same record: what is stored is then written anew when it is read
again, or by ``manage.py remap``."""
LARGEST = 2**63 - 1
LONGEST_ID = 128


@dataclass(frozen=True, slots=True)
class Held:
    """A stored item whose row this transaction has locked."""

    pk: int
    content_hash: str
    revision: int
    dated_at: datetime
    author_id: int | None


def content_hash(record: IncomingMedia) -> str:
    """SHA-256 over the normalised record without the raw document. Addresses that are
    signed count without their signature: some providers sign anew in every answer."""
    author, place = record.author, record.place
    said = (
        MAPPING,
        record.kind,
        author
        and (
            author.native_id,
            author.username,
            author.name,
            meant_by(author.avatar_url),
        ),
        record.caption,
        record.permalink,
        record.posted_at and record.posted_at.isoformat(),
        place and (place.native_id, place.name, place.latitude, place.longitude),
        record.tags,
        record.likes,
        record.comments,
        record.views,
        [
            (
                asset.kind,
                asset.alt_text,
                [
                    (s.name, meant_by(s.url), s.kind, s.width, s.height)
                    for s in asset.sources
                ],
            )
            for asset in record.assets
        ],
    )
    return hashlib.sha256(_ENCODE(said).encode("ascii")).hexdigest()


_ENCODE = json.JSONEncoder(separators=(",", ":")).encode


def new_item(
    provider: str,
    record: IncomingMedia,
    digest: str,
    author_id: int | None,
    now: datetime,
) -> tuple[Any, ...]:
    """The columns ``NEW_ITEM`` of a post that is not stored yet."""
    return (
        provider,
        record.native_id,
        author_id,
        digest,
        dated_at(record, now),
        now,
        now,
        *content(record),
    )


def changed_item(
    held: Held,
    record: IncomingMedia,
    digest: str,
    author_id: int | None,
    now: datetime,
) -> tuple[Any, ...]:
    """The columns ``CHANGED_ITEM`` for the provider's newer word. An author that
    it does not name stays."""
    author_id = author_id or held.author_id
    return (held.pk, author_id, digest, now, held.revision + 1, *content(record))


def dated_at(record: IncomingMedia, now: datetime) -> datetime:
    """The time by which a new item is sorted."""
    return _time(record.posted_at) or now


def content(record: IncomingMedia) -> tuple[Any, ...]:
    """The columns ``CONTENT``."""
    place = record.place
    return (
        record.kind.value,
        clean(record.caption),
        _url(record.permalink),
        _time(record.posted_at),
        clean(place.native_id, 128) if place else None,
        clean(place.name, 512) if place else None,
        _degrees(place.latitude, 90) if place else None,
        _degrees(place.longitude, 180) if place else None,
        _count(record.likes),
        _count(record.comments),
        _count(record.views),
    )


def raw_document(record: IncomingMedia) -> str:
    """The provider's document as ASCII JSON: every code point survives."""
    return json.dumps(record.raw, ensure_ascii=True)


def assets(item_id: int, record: IncomingMedia) -> list[tuple[Any, ...]]:
    """The columns ``ASSET``, one row for each picture or video."""
    return [
        _asset(item_id, position, asset) for position, asset in enumerate(record.assets)
    ]


def _asset(item_id: int, position: int, asset: IncomingAsset) -> tuple[Any, ...]:
    said = sources(asset.sources)
    return (
        item_id,
        position,
        asset.kind.value,
        clean(asset.alt_text),
        said,
        key_of(said),
        # Without an address of a picture there is none to wait for.
        "pending" if has(said, "image") else "gone",
    )


def author(said: IncomingAuthor) -> tuple[str | None, ...]:
    """Username, name and address of the picture, as columns hold them."""
    return (
        clean(said.username, 255),
        clean(said.name, 255),
        _url(said.avatar_url),
    )


def usable_id(native_id: str) -> bool:
    """Whether a row can be known by this id, unchanged."""
    return 0 < len(native_id) <= LONGEST_ID and clean(native_id) == native_id


def clean(text: str | None, longest: int | None = None) -> str | None:
    """``text`` as a database can hold it: no NUL, no lone surrogate, cut to
    ``longest`` characters."""
    if text is None:
        return None
    if not text.isascii() or "\x00" in text:
        text = text.replace("\x00", "")
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text[:longest] if longest is not None else text


def sources(told: Iterable[AssetSource]) -> list[dict[str, Any]]:
    """The column ``MediaAsset.sources``."""
    return [
        {
            "name": clean(source.name, 64),
            "kind": source.kind.value,
            "url": url,
            "width": _count(source.width),
            "height": _count(source.height),
        }
        for source in told
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
