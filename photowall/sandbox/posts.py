"""One post: who, what, where and how often liked, all from its number."""

from __future__ import annotations

from datetime import datetime

from media_archive.records import (
    AssetSource,
    IncomingAsset,
    IncomingAuthor,
    IncomingMedia,
    Kind,
)
from photowall.sandbox.captions import tags_in, write_caption
from photowall.sandbox.chance import seeded
from photowall.sandbox.people import somebody
from photowall.sandbox.pictures import SIZES, layout_of, size_of
from photowall.sandbox.places import some_place
from subscriptions.providers.instagram_v1.wire.shortcodes import to_shortcode

PROVIDER = "sandbox"
"""The provider key of everything published here."""


def compose(
    number: int,
    tag: str,
    *,
    picture: int,
    native_id: int,
    posted_at: datetime,
    base_url: str,
    words_of: int | None = None,
) -> IncomingMedia:
    """The post ``number`` under ``tag``, showing ``picture`` (a seed).

    With ``words_of`` it says what that post says, by the same person. ``base_url`` is
    where this instance serves its pictures, without a slash at its end.
    """
    random = seeded("post", number if words_of is None else words_of, tag)
    scene, _, _ = layout_of(picture)
    caption, language = write_caption(random, tag, scene)
    person = somebody(random, language)
    return IncomingMedia(
        native_id=str(native_id),
        kind=Kind.IMAGE,
        raw={"number": number, "picture": picture, "scene": scene},
        author=IncomingAuthor(
            native_id=person.native_id,
            username=person.username,
            name=person.name,
            avatar_url=f"{base_url}/sandbox/people/{person.number}.jpg",
        ),
        caption=caption,
        permalink=f"{base_url}/p/{to_shortcode(native_id)}/",
        posted_at=posted_at,
        place=some_place(random),
        tags=tags_in(caption, tag),
        likes=int(random.paretovariate(0.8)) - 1,
        comments=random.choice([0, 0, 0, 1, 2, 5, 14]),
        assets=[_asset(picture, base_url)],
    )


def _asset(seed: int, base_url: str) -> IncomingAsset:
    sources = []
    for size in SIZES:
        width, height = size_of(seed, size)
        url = f"{base_url}/sandbox/pictures/{seed}-{size}.jpg"
        sources.append(AssetSource(size, url, Kind.IMAGE, width, height))
    return IncomingAsset(Kind.IMAGE, sources)
