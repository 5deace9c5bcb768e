"""What our facade says, our provider can read, and mutated documents break nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_archive.records import (
    AssetSource,
    IncomingAsset,
    IncomingAuthor,
    IncomingMedia,
    IncomingPlace,
    Kind,
)
from subscriptions.providers.base import Notification, UpstreamSubscription
from subscriptions.providers.instagram_v1.wire import (
    envelope,
    media,
    notifications,
    rendering,
    shortcodes,
    subscriptions,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
NAMES = TEXTS.map(str.strip).filter(bool)
IDS = st.integers(1, 10**18).map(str)
URLS = st.integers(0, 9_999).map("https://pictures.example/{}.jpg".format)
PIXELS = st.integers(1, 10_000)
COUNTS = st.integers(0, 2**63 - 1)
MOMENTS = st.integers(1, 253_402_300_799).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
AUTHORS = st.builds(
    IncomingAuthor,
    native_id=IDS,
    username=st.none() | NAMES,
    name=st.none() | NAMES,
    avatar_url=st.none() | URLS,
)
POSITIONS = st.tuples(st.floats(-90, 90), st.floats(-180, 180)) | st.just((None, None))
PLACES = st.builds(
    lambda native_id, name, position: IncomingPlace(native_id, name, *position),
    st.none() | IDS,
    st.none() | NAMES,
    POSITIONS,
).filter(lambda place: place != IncomingPlace())


def sources(kind: Kind, *names: str) -> st.SearchStrategy[list[AssetSource]]:
    return st.tuples(
        *(
            st.builds(AssetSource, st.just(name), URLS, st.just(kind), PIXELS, PIXELS)
            for name in names
        )
    ).map(list)


PICTURES = sources(Kind.IMAGE, "thumbnail", "low_resolution", "standard_resolution")
FILMS = sources(
    Kind.VIDEO, "low_resolution", "standard_resolution"
) | sources(
    Kind.VIDEO, "low_bandwidth", "low_resolution", "standard_resolution"
)  # fmt: skip
IMAGES = PICTURES.map(lambda pictures: IncomingAsset(Kind.IMAGE, tuple(pictures)))
VIDEOS = st.tuples(PICTURES | st.just([]), FILMS).map(
    lambda both: IncomingAsset(Kind.VIDEO, (*both[0], *both[1]))
)
SHAPES: st.SearchStrategy[tuple[Kind, tuple[IncomingAsset, ...]]] = (
    st.tuples(st.just(Kind.IMAGE), st.tuples(IMAGES))
    | st.tuples(st.just(Kind.VIDEO), st.tuples(VIDEOS))
    | st.tuples(
        st.just(Kind.ALBUM),
        st.lists(IMAGES | VIDEOS, min_size=1, max_size=4).map(tuple),
    )
)
TAGS = st.lists(
    NAMES.map(lambda tag: tag.lstrip("#").strip()).filter(bool),
    unique=True,
    max_size=30,
).map(tuple)


@st.composite
def records(draw: Callable[..., Any]) -> IncomingMedia:
    kind, assets = draw(SHAPES)
    return IncomingMedia(
        native_id=draw(IDS),
        kind=kind,
        raw={},
        author=draw(st.none() | AUTHORS),
        caption=draw(st.none() | TEXTS.filter(bool)),
        permalink=draw(st.none() | URLS),
        posted_at=draw(st.none() | MOMENTS),
        place=draw(st.none() | PLACES),
        tags=draw(TAGS),
        likes=draw(COUNTS),
        comments=draw(COUNTS),
        assets=assets,
    )


@settings(max_examples=60, deadline=None)
@given(record=records())
def test_a_record_survives_the_wire(record: IncomingMedia) -> None:
    body = envelope.encode(envelope.render_envelope(rendering.render_media(record)))
    (read,) = media.media_in(envelope.decode(body))
    assert replace(read, raw={}) == record


REQUIRED = {
    "id": str, "type": str, "user": dict, "images": dict, "created_time": str,
    "tags": list, "likes": dict, "comments": dict,
}  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(record=records(), liked=st.none() | st.booleans())
def test_what_is_written_is_what_old_clients_need(
    record: IncomingMedia, liked: bool | None
) -> None:
    said: Any = rendering.render_media(record, liked=liked)
    for key, kind in REQUIRED.items():
        assert type(said[key]) is kind, key
    assert {"caption", "location", "link"} <= set(said)
    assert ("user_has_liked" in said) == (liked is not None)
    for key in ("likes", "comments"):
        assert type(said[key]["count"]) is int
        assert said[key]["data"] == []
    people = [said["user"]] + ([said["caption"]["from"]] if said["caption"] else [])
    for person in people:
        assert set(person) == {"id", "username", "full_name", "profile_picture"}
        assert all(type(value) is str for value in person.values())
    sizes = list(said["images"].values()) + list(said.get("videos", {}).values())
    for size in sizes:
        assert set(size) == {"url", "width", "height"}
        assert type(size["width"]) is type(size["height"]) is int
    if record.assets[0].kind is Kind.IMAGE:
        assert set(said["images"]) == {
            "thumbnail",
            "low_resolution",
            "standard_resolution",
        }
    if said["location"] and record.place and record.place.native_id:
        assert type(said["location"]["id"]) is int
    assert int(said["created_time"]) >= 0


def test_a_record_that_says_nothing_is_still_whole() -> None:
    said: Any = rendering.render_media(IncomingMedia("17", Kind.UNKNOWN, raw={}))
    assert (said["id"], said["type"], said["created_time"]) == ("17", "image", "0")
    assert said["user"]["id"] == "0"
    assert (said["images"], said["link"], said["location"]) == ({}, None, None)
    assert said["likes"] == {"count": 0, "data": []}
    read = media.parse_media(said)
    assert read is not None
    assert (read.author, read.posted_at, read.caption) == (None, None, None)


def test_our_own_sizes_are_put_under_the_three_old_names() -> None:
    ours = [
        AssetSource(f"w{width}", f"https://a.example/{width}", Kind.IMAGE, width, width)
        for width in (1080, 320, 200)
    ]
    asset = IncomingAsset(Kind.IMAGE, ours)
    record = IncomingMedia("17", Kind.IMAGE, raw={}, assets=[asset])
    said: Any = rendering.render_media(record)["images"]
    assert {name: size["width"] for name, size in said.items()} == {
        "thumbnail": 200,
        "low_resolution": 320,
        "standard_resolution": 1080,
    }
    unknown = AssetSource("x", "https://a.example/x")
    record = replace(record, assets=[IncomingAsset(Kind.IMAGE, [unknown])])
    said = rendering.render_media(record)["images"]
    assert said["thumbnail"] == {
        "url": "https://a.example/x",
        "width": 150,
        "height": 150,
    }


def test_an_id_that_is_no_number_stays_text() -> None:
    for native_id in ("007", "abc", "1" * 30):
        place = IncomingPlace(native_id=native_id, name="Den")
        said: Any = rendering.render_place(place)
        assert said["id"] == native_id
    assert rendering.render_place(IncomingPlace("7"), inside_media=False) == {
        "name": None,
        "id": "7",
    }


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.builds(
            Notification,
            object=st.sampled_from(["tag", "user", "location"]),
            object_id=NAMES.filter(lambda name: len(name) <= 200),
            subscription_id=st.none() | IDS,
            time=st.none() | MOMENTS,
        )
    )
)
def test_notifications_survive_the_wire(sent: list[Notification]) -> None:
    body = notifications.render_notifications(sent)
    assert list(notifications.parse_notifications(body)) == sent


@settings(max_examples=50, deadline=None)
@given(
    st.builds(
        UpstreamSubscription,
        native_id=IDS,
        object=st.just("tag"),
        object_id=st.none() | NAMES.filter(lambda name: len(name) <= 200),
        callback_url=URLS,
    )
)
def test_subscriptions_survive_the_wire(sent: UpstreamSubscription) -> None:
    created = envelope.decode(envelope.encode(subscriptions.render_created(sent)))
    assert subscriptions.parse_subscription(created) == sent
    listed = envelope.decode(envelope.encode(subscriptions.render_list([sent])))
    assert subscriptions.parse_subscriptions(listed) == (sent,)


@given(st.integers(0, 2**80))
def test_short_names_lead_back(pk: int) -> None:
    assert shortcodes.from_shortcode(shortcodes.to_shortcode(pk)) == pk


@pytest.mark.parametrize(
    ("pk", "shortcode"),
    [(0, "A"), (3, "D"), (20988202, "BQEEq"), (733194846952938437, "os1NQjxtvF")],
)
def test_short_names_as_recorded(pk: int, shortcode: str) -> None:
    assert shortcodes.to_shortcode(pk) == shortcode
    assert shortcodes.from_shortcode(shortcode) == pk


def test_what_is_no_short_name() -> None:
    for odd in ("", "a b", "ü", "A" * 41, "a/b", "\x00"):
        assert shortcodes.from_shortcode(odd) is None
    with pytest.raises(ValueError, match="never negative"):
        shortcodes.to_shortcode(-1)
