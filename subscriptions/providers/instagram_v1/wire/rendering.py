"""Writing media, so that client libraries of 2011 - 2017 do not stumble.

They raise when a key is missing, when a size has a fourth key, when an id is not a
text or a count not an integer (seen by running them). So every key is always there;
``location``, ``caption`` and ``link`` alone may be null. What a record does not say
is written as the API wrote "nothing": ``""``, 0, ``"0"``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from media_archive.records import (
    AssetSource,
    IncomingAsset,
    IncomingAuthor,
    IncomingMedia,
    IncomingPlace,
    Kind,
)

TYPES: Mapping[Kind, str] = {Kind.VIDEO: "video", Kind.ALBUM: "carousel"}
"""The dialect has no other word than ``image`` for the rest."""

IMAGE_WIDTHS: Mapping[str, int] = {
    "low_resolution": 320,
    "thumbnail": 150,
    "standard_resolution": 640,
}
VIDEO_WIDTHS: Mapping[str, int] = {
    "low_bandwidth": 480,
    "standard_resolution": 640,
    "low_resolution": 480,
}

NOBODY = IncomingAuthor(native_id="0")
_INTEGER_ID = re.compile(r"0|[1-9][0-9]{0,17}")


def render_media(
    record: IncomingMedia,
    *,
    liked: bool | None = None,
    distance: float | None = None,
) -> dict[str, object]:
    """One post. ``liked`` only when asked with a token; ``distance`` in metres,
    only in place searches."""
    user = render_user(record.author)
    created_time = render_time(record.posted_at)
    pk = record.native_id
    pictures = [_images(asset) for asset in record.assets]
    said: dict[str, object] = {
        "attribution": None,
        "tags": list(record.tags),
        "type": TYPES.get(record.kind, "image"),
        "location": render_place(record.place),
        "comments": {"count": record.comments or 0, "data": []},
        "filter": "Normal",
        "created_time": created_time,
        "link": record.permalink,
        "likes": {"count": record.likes or 0, "data": []},
        "images": next((images for images in pictures if images), {}),
        "users_in_photo": [],
        "caption": None,
        "id": f"{pk}_{user['id']}" if record.author else pk,
        "user": user,
    }
    if record.caption is not None:
        said["caption"] = {
            "created_time": created_time,
            "text": record.caption,
            "from": dict(user),
            "id": pk,
        }
    if record.kind is Kind.ALBUM:
        said["carousel_media"] = [_child(asset) for asset in record.assets]
    elif record.assets:
        said.update(_videos_key(record.assets[0]))
    if liked is not None:
        said["user_has_liked"] = liked
    if distance is not None:
        said["distance"] = distance
    return said


def render_user(author: IncomingAuthor | None) -> dict[str, object]:
    """The small user object inside media, captions and lists."""
    author = author or NOBODY
    return {
        "username": author.username or "",
        "profile_picture": author.avatar_url or "",
        "id": author.native_id,
        "full_name": author.name or "",
    }


def render_time(moment: datetime | None) -> str:
    """Unix seconds as text; ``"0"`` = not known."""
    return "0" if moment is None else str(int(moment.timestamp()))


def render_place(
    place: IncomingPlace | None, *, inside_media: bool = True
) -> dict[str, object] | None:
    """Inside media the id is an integer, at /locations a text. A place without id
    and name is only its position."""
    if place is None or place == IncomingPlace():
        return None
    said: dict[str, object] = {}
    if place.latitude is not None and place.longitude is not None:
        said |= {"latitude": place.latitude, "longitude": place.longitude}
    if place.native_id is not None or place.name is not None:
        said["name"] = place.name
    if place.native_id is not None:
        number = inside_media and _INTEGER_ID.fullmatch(place.native_id)
        said["id"] = int(place.native_id) if number else place.native_id
    return said


def render_tag(name: str, media_count: int) -> dict[str, object]:
    return {"media_count": media_count, "name": name}


def _child(asset: IncomingAsset) -> dict[str, object]:
    """A child of an album (2017). A film without a poster has no ``images``."""
    images = _images(asset)
    said: dict[str, object] = {"images": images} if images else {}
    said |= _videos_key(asset)
    said |= {"users_in_photo": [], "type": TYPES.get(asset.kind, "image")}
    return said


def _images(asset: IncomingAsset) -> dict[str, object]:
    return _sizes(asset.sources, Kind.IMAGE, IMAGE_WIDTHS)


def _videos_key(asset: IncomingAsset) -> dict[str, object]:
    films = _sizes(asset.sources, Kind.VIDEO, VIDEO_WIDTHS)
    return {"videos": films} if films else {}


def _sizes(
    sources: Sequence[AssetSource], kind: Kind, widths: Mapping[str, int]
) -> dict[str, object]:
    """Each size with exactly url, width and height. All names are always there,
    but for ``low_bandwidth``, which films before 2014 did not have."""
    usable = [source for source in sources if source.kind is kind]
    if not usable:
        return {}
    named = {source.name: source for source in usable}
    said: dict[str, object] = {}
    for name, wanted in widths.items():
        if name == "low_bandwidth" and name not in named:
            continue
        source = named.get(name) or _nearest(usable, wanted)
        width = source.width or wanted
        said[name] = {
            "url": source.url,
            "width": width,
            "height": source.height or width,
        }
    return said


def _nearest(sources: Sequence[AssetSource], wanted: int) -> AssetSource:
    """The smallest that is wide enough, else the widest; unknown widths last."""
    known = [source for source in sources if source.width]
    enough = [source for source in known if (source.width or 0) >= wanted]
    if enough:
        return min(enough, key=lambda source: source.width or 0)
    return max(known or sources, key=lambda source: source.width or 0)
