"""The hand-over between the floors: what a provider says, normalised, not stored yet.

Everywhere in this module ``None`` means *the provider did not say*. It is never
replaced by ``0`` or ``""``: an analyst must be able to tell "no likes" from "likes
were not given".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a media item is. ``UNKNOWN`` keeps a type we have no name for."""

    IMAGE = "image"
    VIDEO = "video"
    ALBUM = "album"
    TEXT = "text"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class IncomingAuthor:
    """Who posted it. ``native_id`` is the provider's id, always as text."""

    native_id: str
    username: str | None = None
    name: str | None = None
    avatar_url: str | None = None


@dataclass(frozen=True, slots=True)
class IncomingPlace:
    """Where it was posted. Degrees in WGS 84; either both or none are given."""

    native_id: str | None = None
    name: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class AssetSource:
    """One size of one picture or video, at the provider's address.

    ``name`` is the provider's own word for the size ("standard_resolution").
    ``kind`` is ``IMAGE`` or ``VIDEO``: a video asset has sources of both (its
    poster pictures and its films). Sizes are pixels.
    """

    name: str
    url: str
    kind: Kind = Kind.IMAGE
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class IncomingAsset:
    """One picture or video of a media item, with every size the provider offers."""

    kind: Kind
    sources: Sequence[AssetSource]
    alt_text: str | None = None


@dataclass(frozen=True, slots=True)
class IncomingMedia:
    """One post as a provider told it.

    ``native_id`` is unique within a provider. ``tags`` are as given (any case);
    ``ingest`` normalises them. ``raw`` is the provider's document for this one
    post, untouched. Times are aware datetimes in UTC.
    """

    native_id: str
    kind: Kind
    raw: Mapping[str, Any]
    author: IncomingAuthor | None = None
    caption: str | None = None
    permalink: str | None = None
    posted_at: datetime | None = None
    place: IncomingPlace | None = None
    tags: Sequence[str] = ()
    likes: int | None = None
    comments: int | None = None
    views: int | None = None
    assets: Sequence[IncomingAsset] = field(default=())
