"""A media item as a viewer sees it: everything needed to paint, nothing trusted.

Pictures and films are those we keep, at our own addresses; what is not kept (yet) is
not shown. The shape is described in ``docs/reference/live-protocol.md``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from media_archive import files
from media_archive.kept_pictures import JPEG, address_of, for_purpose, sizes
from media_archive.models import (
    Author,
    DownloadState,
    MediaAsset,
    MediaItem,
    StoredFile,
)
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


def post_of(item: MediaItem, more: int = 0) -> dict[str, Any]:
    """The post of ``item``, which must be loaded with ``.whole()``, as the face of its
    cluster with ``more`` others behind it.

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
        "cluster": {"id": str(item.cluster_id), "more": more}
        if item.cluster_id is not None
        else None,
        "children": [
            {"kind": asset.kind, **_picture(asset)} for asset in assets[:MOST_CHILDREN]
        ]
        if album
        else [],
    }


def is_settled(item: MediaItem) -> bool:
    """Whether there is nothing to wait for: the first picture is kept, or never will
    be. The same as ``MediaItemQuerySet.showable()`` asks, of a row with its assets."""
    first = next(iter(item.assets.all()), None)
    return (
        item.kind == Kind.TEXT or first is None or first.state != DownloadState.PENDING
    )


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


_NO_PICTURE: dict[str, Any] = {
    "w": None,
    "h": None,
    "alt": None,
    "renditions": [],
    "jpeg": None,
    "thumb": None,
    "bg": None,
    "lqip": None,
    "color": None,
    "tint": None,
    "luma": None,
    "animated": None,
    "video": None,
}


def _picture(asset: MediaAsset) -> dict[str, Any]:
    kept = _kept(asset.picture) if asset.picture is not None else {}
    film = asset.film
    return {
        **_NO_PICTURE,
        **kept,
        "alt": asset.alt_text,
        "video": files.address(film.name) if film is not None else None,
    }


def _kept(file: StoredFile) -> dict[str, Any]:
    jpegs = sizes(file, JPEG)
    moving = for_purpose(file, "a480") if (file.frames or 1) > 1 else None
    return {
        "w": file.width,
        "h": file.height,
        "renditions": [
            {"w": each.width, "h": each.height, "url": files.address(each.name)}
            for each in sizes(file)[-MOST_RENDITIONS:]
        ],
        "jpeg": address_of(jpegs[-1] if jpegs else None),
        "thumb": address_of(for_purpose(file, "s168")),
        "bg": address_of(for_purpose(file, "bg")),
        "lqip": file.placeholder or None,
        "color": file.color or None,
        "tint": file.tint or None,
        "luma": file.luma,
        "animated": address_of(moving),
    }


def _author(author: Author) -> dict[str, str | None]:
    return {
        "name": author.name,
        "user": author.username,
        "avatar": address_of(for_purpose(author.avatar, "s192")),
        "avatar_small": address_of(for_purpose(author.avatar, "s96")),
    }


def _tags(item: MediaItem) -> list[Any]:
    """What ``.whole()`` has prefetched; asking ``item.tags`` would be a query."""
    tags: list[Any] = item.all_tags  # type: ignore[attr-defined]
    return tags
