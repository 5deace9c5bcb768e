"""A media item as a viewer sees it: everything needed to paint, nothing trusted.

The shape is described in ``docs/reference/live-protocol.md``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from media_archive.models import Author, MediaAsset, MediaItem
from media_archive.picture_addresses import may_be_shown
from media_archive.records import Kind

LONGEST_CAPTION = 2200
MOST_TAGS = 60
MOST_CHILDREN = 10
MOST_RENDITIONS = 8
"""Limits of one post, so that a frame is never larger than some 200 kB."""

SOURCES = {
    "data365": "Instagram",
    "instagram_graph": "Instagram",
    "instagram_v1": "Instagram",
    "mastodon": "Mastodon",
}
"""What people call the place a provider brings posts from."""


def post_of(item: MediaItem) -> dict[str, Any]:
    """The post of ``item``, which must be loaded with ``.whole()``.

    Visibility is not looked at: who calls decides what may be shown.
    """
    assets = list(item.assets.all())
    pictured = item.kind != Kind.TEXT
    first = _picture(assets[0]) if assets and pictured else _NO_PICTURE
    album = item.kind == Kind.ALBUM
    return {
        "id": str(item.pk),
        "kind": item.kind,
        **first,
        "caption": item.caption[:LONGEST_CAPTION] if item.caption else item.caption,
        "posted_at": moment(item.posted_at) if item.posted_at else None,
        "archived_at": moment(item.archived_at),
        "author": _author(item.author) if item.author else None,
        "source": source_label(item.provider),
        "permalink": address(item.permalink),
        "tags": sorted(tag.name for tag in _tags(item))[:MOST_TAGS],
        "pinned": item.pinned,
        "children": [
            {"kind": asset.kind, **_picture(asset)} for asset in assets[:MOST_CHILDREN]
        ]
        if album
        else [],
        "color": None,
    }


def source_label(provider: str) -> str:
    """ "Instagram" for ``instagram_v1``; the first word of a key nobody named."""
    return SOURCES.get(provider) or provider.partition("_")[0].title()


def moment(time: datetime) -> str:
    """UTC, ISO 8601 with milliseconds: ``2026-11-20T21:14:05.000Z``."""
    utc = time.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"


def address(url: object) -> str | None:
    """``url`` if it is an http or https address with a host, else None."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return url if usable else None


def _loadable(url: object) -> str | None:
    """``url`` if a page of ours may load it. A refused address would only cost the
    page a failure, seconds and a complaint: it shows words at once instead."""
    known = address(url)
    return known if known is not None and may_be_shown(known) else None


_NO_PICTURE: dict[str, Any] = {
    "w": None,
    "h": None,
    "alt": None,
    "renditions": [],
    "video": None,
}


def _picture(asset: MediaAsset) -> dict[str, Any]:
    sources = [
        source
        for source in asset.sources
        if isinstance(source, dict) and _loadable(source.get("url"))
    ]
    pictures = sorted((s for s in sources if s.get("kind") == Kind.IMAGE), key=_width)
    films = sorted((s for s in sources if s.get("kind") == Kind.VIDEO), key=_width)
    largest = (pictures or films or [{}])[-1]
    return {
        "w": largest.get("width"),
        "h": largest.get("height"),
        "alt": asset.alt_text,
        "renditions": [
            {"w": s.get("width"), "h": s.get("height"), "url": s["url"]}
            for s in pictures[-MOST_RENDITIONS:]
        ],
        "video": films[-1]["url"] if films else None,
    }


def _width(source: dict[str, Any]) -> int:
    return source.get("width") or 0


def _author(author: Author) -> dict[str, str | None]:
    return {
        "name": author.name,
        "user": author.username,
        "avatar": _loadable(author.avatar_url),
    }


def _tags(item: MediaItem) -> list[Any]:
    """What ``.whole()`` has prefetched; asking ``item.tags`` would be a query."""
    tags: list[Any] = item.all_tags  # type: ignore[attr-defined]
    return tags
