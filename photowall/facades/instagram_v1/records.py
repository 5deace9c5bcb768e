"""Rows → records, which the dialect's ``wire`` renders.

Where a picture, film or portrait is kept, its address is ours; else the provider's.
Clients of this dialect are older than WebP: they get JPEG.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch

from media_archive.kept_pictures import JPEG, absolute, for_purpose, sizes
from media_archive.models import Author, MediaAsset, MediaItem, MediaTag
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
    """``items`` with everything ``record_of`` reads, in five queries."""
    own_tags = MediaTag.objects.filter(given=True).select_related("tag").order_by("id")
    return items.select_related("author__avatar").prefetch_related(
        Prefetch("assets", MediaAsset.objects.select_related("picture", "film")),
        "assets__picture__renditions",
        "author__avatar__renditions",
        Prefetch("listings", own_tags, to_attr="own_tags"),
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
        avatar_url=_portrait(author),
    )


def _portrait(author: Author) -> str | None:
    kept = for_purpose(author.avatar, "s192", JPEG)
    return absolute(kept.name) if kept is not None else author.avatar_url


def _place(item: MediaItem) -> IncomingPlace | None:
    place = IncomingPlace(
        native_id=item.place_native_id,
        name=item.place_name,
        latitude=item.latitude,
        longitude=item.longitude,
    )
    return None if place == IncomingPlace() else place


def _asset(asset: MediaAsset) -> IncomingAsset:
    said = [_source(source) for source in asset.sources]
    pictures = _kept_pictures(asset) or [s for s in said if s.kind is not Kind.VIDEO]
    films = [source for source in said if source.kind is Kind.VIDEO]
    films = _kept_film(asset, films) or films
    return IncomingAsset(
        kind=Kind(asset.kind), sources=(*pictures, *films), alt_text=asset.alt_text
    )


def _kept_pictures(asset: MediaAsset) -> list[AssetSource]:
    """Our sizes of it; the dialect's names go to those that fit best."""
    if asset.picture is None:
        return []
    return [
        AssetSource(made.spec, absolute(made.name), Kind.IMAGE, made.width, made.height)
        for made in sizes(asset.picture, JPEG)
    ]


def _kept_film(asset: MediaAsset, films: list[AssetSource]) -> list[AssetSource]:
    """Our one film, which was the provider's largest."""
    if asset.film is None:
        return []
    largest = max(films, key=lambda source: source.width or 0, default=None)
    size = (largest.width, largest.height) if largest else (None, None)
    name = "standard_resolution"
    return [AssetSource(name, absolute(asset.film.name), Kind.VIDEO, *size)]


def _source(source: dict[str, Any]) -> AssetSource:
    return AssetSource(
        name=source["name"],
        url=source["url"],
        kind=Kind(source["kind"]),
        width=source["width"],
        height=source["height"],
    )
