"""Rows → records, which the dialect's ``wire`` renders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch

from media_archive.models import MediaAsset, MediaItem, MediaTag
from media_archive.querysets import MediaItemQuerySet
from media_archive.records import (
    AssetSource,
    IncomingAsset,
    IncomingAuthor,
    IncomingMedia,
    IncomingPlace,
    Kind,
)


def whole(items: MediaItemQuerySet) -> MediaItemQuerySet:
    """``items`` with everything ``record_of`` reads, in four queries."""
    own_tags = MediaTag.objects.filter(given=True).select_related("tag").order_by("id")
    return items.select_related("author").prefetch_related(
        "assets", Prefetch("listings", own_tags, to_attr="own_tags")
    )


def record_of(item: MediaItem) -> IncomingMedia:
    """What the archive knows of ``item`` (from ``whole()``), without the raw
    document. Tags are those the post itself names, in their normal form."""
    return IncomingMedia(
        native_id=item.native_id,
        kind=Kind(item.kind),
        raw={},
        author=_author(item),
        caption=item.caption,
        permalink=item.permalink,
        posted_at=item.posted_at,
        place=_place(item),
        tags=tuple(listing.tag.name for listing in _own_tags(item)),
        likes=item.likes,
        comments=item.comments,
        views=item.views,
        assets=tuple(_asset(asset) for asset in item.assets.all()),
    )


def _own_tags(item: MediaItem) -> Iterable[MediaTag]:
    return item.own_tags  # type: ignore[attr-defined]


def _author(item: MediaItem) -> IncomingAuthor | None:
    author = item.author
    if author is None:
        return None
    return IncomingAuthor(
        native_id=author.native_id,
        username=author.username,
        name=author.name,
        avatar_url=author.avatar_url,
    )


def _place(item: MediaItem) -> IncomingPlace | None:
    place = IncomingPlace(
        native_id=item.place_native_id,
        name=item.place_name,
        latitude=item.latitude,
        longitude=item.longitude,
    )
    return None if place == IncomingPlace() else place


def _asset(asset: MediaAsset) -> IncomingAsset:
    return IncomingAsset(
        kind=Kind(asset.kind),
        sources=tuple(_source(source) for source in asset.sources),
        alt_text=asset.alt_text,
    )


def _source(source: dict[str, Any]) -> AssetSource:
    return AssetSource(
        name=source["name"],
        url=source["url"],
        kind=Kind(source["kind"]),
        width=source["width"],
        height=source["height"],
    )
