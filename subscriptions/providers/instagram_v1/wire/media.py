"""Reading media, in every shape from 2010 to 2017.

2010 (recorded): ``first_name``/``last_name``, no profile picture, location ids as
text or null; ``message`` for text, ISO dates, ``high_resolution``, flat comment
lists. 2011: ``type`` 1, ``link`` null. 2013: ``videos``. 2015: pictures that are
not square. 2017: ``carousel_media``, comments and likes without ``data``, a video
child without pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from media_archive.records import (
    AssetSource,
    IncomingAsset,
    IncomingAuthor,
    IncomingMedia,
    IncomingPlace,
    Kind,
)
from subscriptions.providers.instagram_v1.wire import fields

KINDS: Mapping[object, Kind] = {
    "image": Kind.IMAGE,
    "video": Kind.VIDEO,
    "carousel": Kind.ALBUM,
    1: Kind.IMAGE,
}
"""``type`` on the wire; 1 was seen in 2011. Anything else is ``UNKNOWN``."""

IMAGE_NAMES = (
    "thumbnail",
    "low_resolution",
    "standard_resolution",
    "high_resolution",
)
VIDEO_NAMES = ("low_bandwidth", "low_resolution", "standard_resolution")

MAX_TAGS = 100
MAX_TAG = 200
MAX_ASSETS = 50
MAX_SOURCES = 16


def parse_media(item: object) -> IncomingMedia | None:
    """One post; ``None`` if it is no object or has no id to know it by."""
    if not isinstance(item, Mapping):
        return None
    native_id = fields.native_id(item.get("id"))
    if native_id in (None, "0"):
        return None
    return IncomingMedia(
        native_id=native_id,
        kind=_kind(item),
        raw=item,
        author=_author(item),
        caption=_caption(item.get("caption")),
        permalink=fields.url(item.get("link")),
        posted_at=fields.moment(item.get("created_time")),
        place=_place(item.get("location")),
        tags=_tags(item.get("tags")),
        likes=_count(item, "likes", "like_count"),
        comments=_count(item, "comments", "comment_count"),
        assets=_assets(item),
    )


def media_in(document: object) -> tuple[IncomingMedia, ...]:
    """Every post in a recorded answer: one, a list, or an envelope around either.

    Answers about users, comments, places and subscriptions have ids too; they are
    told from posts by what only posts have.
    """
    if isinstance(document, Mapping) and not _looks_like_media(document):
        document = document.get("data")
    items = document if isinstance(document, list | tuple) else (document,)
    read = (parse_media(item) for item in items if _looks_like_media(item))
    return tuple(media for media in read if media is not None)


def _looks_like_media(item: object) -> bool:
    if not isinstance(item, Mapping):
        return False
    if any(isinstance(item.get(key), Mapping) for key in ("images", "videos")):
        return True
    return isinstance(item.get("carousel_media"), list) or (
        "user" in item and "created_time" in item
    )


def _kind(item: Mapping[str, object]) -> Kind:
    said = item.get("type")
    if isinstance(said, str):
        return KINDS.get(said.strip().lower(), Kind.UNKNOWN)
    if isinstance(said, int) and not isinstance(said, bool):
        return KINDS.get(said, Kind.UNKNOWN)
    for key, kind in (
        ("carousel_media", Kind.ALBUM),
        ("videos", Kind.VIDEO),
        ("images", Kind.IMAGE),
    ):
        if item.get(key) and isinstance(item[key], list | Mapping):
            return kind
    return Kind.UNKNOWN


def _author(item: Mapping[str, object]) -> IncomingAuthor | None:
    """``user``; its id also stands behind the pk.

    ``caption.from`` is the same person and has the name when ``user`` has none
    (2010); only what is missing is taken from there.
    """
    user = fields.mapping(item.get("user"))
    writer = fields.mapping(fields.mapping(item.get("caption")).get("from"))
    ids = (
        fields.native_id(user.get("id")),
        fields.owner_id(item.get("id")),
        None if user else fields.native_id(writer.get("id")),
    )
    native_id = next((each for each in ids if each not in (None, "0")), None)
    if native_id is None:
        return None
    if fields.native_id(writer.get("id")) != native_id:
        writer = {}
    return IncomingAuthor(
        native_id=native_id,
        username=fields.name(user.get("username"))
        or fields.name(writer.get("username")),
        name=_full_name(user) or _full_name(writer),
        avatar_url=fields.url(user.get("profile_picture"))
        or fields.url(writer.get("profile_picture")),
    )


def _full_name(user: Mapping[str, object]) -> str | None:
    """``full_name``; in 2010 ``first_name`` and ``last_name``."""
    parts = (fields.name(user.get(key)) for key in ("first_name", "last_name"))
    joined = " ".join(part for part in parts if part)
    return fields.name(user.get("full_name")) or fields.name(joined)


def _caption(value: object) -> str | None:
    if isinstance(value, str):
        return fields.text(value)
    said = fields.mapping(value)
    return fields.text(said.get("text")) or fields.text(said.get("message"))


def _place(value: object) -> IncomingPlace | None:
    said = fields.mapping(value)
    latitude = fields.degrees(said.get("latitude"), 90)
    longitude = fields.degrees(said.get("longitude"), 180)
    if latitude is None or longitude is None:
        latitude = longitude = None
    place = IncomingPlace(
        native_id=fields.native_id(said.get("id")),
        name=fields.name(said.get("name")),
        latitude=latitude,
        longitude=longitude,
    )
    return None if place == IncomingPlace() else place


def _tags(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        return ()
    read = (fields.text(tag, MAX_TAG) for tag in value[: 10 * MAX_TAGS])
    bare = ((tag or "").strip().lstrip("#") for tag in read)
    return tuple(dict.fromkeys(tag for tag in bare if tag))[:MAX_TAGS]


def _count(item: Mapping[str, object], key: str, old_key: str) -> int | None:
    value = item.get(key)
    if isinstance(value, list):
        return len(value)
    count = fields.integer(fields.mapping(value).get("count"))
    return fields.integer(item.get(old_key)) if count is None else count


def _assets(item: Mapping[str, object]) -> tuple[IncomingAsset, ...]:
    """An album has one asset per child; its own pictures are only its cover."""
    children = item.get("carousel_media")
    if isinstance(children, list):
        assets = tuple(_each_asset(children[:MAX_ASSETS]))
        if assets:
            return assets
    return tuple(_each_asset([item]))


def _each_asset(items: Sequence[object]) -> Iterator[IncomingAsset]:
    for item in items:
        said = fields.mapping(item)
        films = _sources(said.get("videos"), Kind.VIDEO, VIDEO_NAMES)
        pictures = _sources(said.get("images"), Kind.IMAGE, IMAGE_NAMES)
        if films or pictures:
            kind = Kind.VIDEO if films or said.get("type") == "video" else Kind.IMAGE
            yield IncomingAsset(kind=kind, sources=(*pictures, *films))


def _sources(
    value: object, kind: Kind, order: Sequence[str]
) -> tuple[AssetSource, ...]:
    """Smallest first as far as the names tell, whatever the order on the wire."""
    named = fields.mapping(value)
    known = [key for key in order if key in named]
    others = sorted(str(key) for key in named if key not in order)
    sources = []
    for key in (*known, *others)[:MAX_SOURCES]:
        # Not recorded, but harmless: a size that is only its address.
        said = named.get(key)
        size = fields.mapping(said) or {"url": said}
        address = fields.url(size.get("url"))
        name = fields.text(key, MAX_TAG)
        if address and name:
            width = fields.pixels(size.get("width"))
            height = fields.pixels(size.get("height"))
            sources.append(AssetSource(name, address, kind, width, height))
    return tuple(sources)
