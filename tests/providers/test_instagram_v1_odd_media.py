"""Media that is old, odd or hostile: a field is lost, never its neighbours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from media_archive.records import IncomingAuthor, IncomingPlace, Kind
from subscriptions.providers.instagram_v1.wire import fields, media, pages

LONG = "x" * 1_000_000
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>"
ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, float("nan"), float("inf"), 2**63, 10**400,
    -(10**400), "", " ", "null", "NaN", "\x00", "\ud800", LONG, MARKUP, "١٢٣",
    "9999999-01-01", [], [None], [[]], [{}], {}, {"": None}, {"count": {}},
    {"data": "x"}, {"url": {}},
]  # fmt: skip


def whole() -> dict[str, Any]:
    """A media in which every field is used."""
    return {
        "id": "17_4",
        "type": "image",
        "user": {"id": "4", "username": "ana", "full_name": "Ana"},
        "created_time": "1438104900",
        "link": "https://instagram.com/p/R/",
        "caption": {"id": "1", "text": "Hello", "from": {"id": "4"}},
        "tags": ["fox"],
        "location": {"id": 9, "name": "Den", "latitude": 46.5, "longitude": 11.25},
        "images": {"thumbnail": {"url": "http://a.b/1", "width": 150, "height": 150}},
        "videos": {"low_resolution": {"url": "http://a.b/2", "width": 4, "height": 3}},
        "likes": {"count": 5, "data": []},
        "comments": {"count": 6, "data": []},
    }  # fmt: skip


def read(**changes: Any) -> Any:
    item = media.parse_media(whole() | changes)
    assert item is not None
    return item


def fields_of(item: Any) -> dict[str, Any]:
    names = (
        "native_id", "kind", "author", "caption", "permalink", "posted_at", "place",
        "tags", "likes", "comments", "assets",
    )  # fmt: skip
    return {name: getattr(item, name) for name in names}


BELONGS = {
    "type": {"kind"},
    "user": {"author"},
    "created_time": {"posted_at"},
    "link": {"permalink"},
    "caption": {"caption"},
    "tags": {"tags"},
    "location": {"place"},
    "images": {"assets"},
    "videos": {"assets"},
    "likes": {"likes"},
    "comments": {"comments"},
}


@pytest.mark.parametrize("key", BELONGS)
def test_an_odd_or_missing_field_harms_no_other(key: str) -> None:
    good = fields_of(read())
    without = {name: value for name, value in whole().items() if name != key}
    for odd in (*ODD, "absent"):
        item = media.parse_media(without if odd == "absent" else without | {key: odd})
        assert item is not None
        seen = fields_of(item)
        changed = {name for name in good if seen[name] != good[name]}
        # Without user the id behind the pk is still known.
        assert changed <= BELONGS[key], (key, odd)


@pytest.mark.parametrize(
    "odd", [None, True, 0, "0", -5, 1.5, "", " ", "_4", "\x00", "a b", LONG, [], {}]
)
def test_without_identity_an_entry_is_skipped_and_counted(odd: Any) -> None:
    nameless = whole()
    del nameless["id"]
    data = [whole(), whole() | {"id": odd}, nameless, odd, whole() | {"id": "18_4"}]
    page = pages.parse_page({"meta": {"code": 200}, "data": data})
    assert [item.native_id for item in page.media] == ["17", "18"]
    assert page.skipped == 3


@pytest.mark.parametrize(
    ("native_id", "known_as"),
    [
        ("17_4", "17"),
        ("17", "17"),
        (17, "17"),
        (1039221684508306433, "1039221684508306433"),
        ("1039221684508306433_412000101", "1039221684508306433"),
    ],
)
def test_identity_is_the_pk(native_id: Any, known_as: str) -> None:
    assert read(id=native_id).native_id == known_as


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("image", Kind.IMAGE),
        ("video", Kind.VIDEO),
        ("carousel", Kind.ALBUM),
        (1, Kind.IMAGE),
        (2, Kind.UNKNOWN),
        ("story", Kind.UNKNOWN),
        (True, Kind.VIDEO),
        (None, Kind.VIDEO),
    ],
)
def test_kinds(said: Any, kind: Kind) -> None:
    assert read(type=said).kind is kind


def test_a_missing_type_is_seen_from_what_there_is() -> None:
    bare = {"id": "17"}
    sizes = {"thumbnail": {"url": "http://a.b/1"}}
    kinds = [
        media.parse_media(bare | more)
        for more in ({}, {"images": sizes}, {"carousel_media": [{"images": sizes}]})
    ]
    assert [each and each.kind for each in kinds] == [
        Kind.UNKNOWN,
        Kind.IMAGE,
        Kind.ALBUM,
    ]


def test_not_given_is_none_and_never_zero_or_empty() -> None:
    item = media.parse_media({"id": "17"})
    assert item is not None
    assert fields_of(item) == {
        "native_id": "17", "kind": Kind.UNKNOWN, "author": None, "caption": None,
        "permalink": None, "posted_at": None, "place": None, "tags": (), "likes": None,
        "comments": None, "assets": (),
    }  # fmt: skip
    assert read(likes={"count": 0}).likes == 0


def test_the_shapes_of_2010() -> None:
    item = read(
        id=315,
        type=1,
        user={"id": 4, "username": "mikeyk", "first_name": "Mike", "last_name": "K"},
        created_time="2010-07-29T05:02:21+0000",
        caption={"message": "Next muni is in an hour"},
        likes=None,
        like_count=3,
        comments=[{"message": "foo"}, {"message": "o_hai"}],
        location={
            "id": None,
            "name": None,
            "latitude": "37.78",
            "longitude": "-122.38",
        },
        images={"high_resolution": {"url": "http://a.b/h", "width": "612"}},
        videos=None,
    )
    assert item.author == IncomingAuthor("4", "mikeyk", "Mike K")
    assert item.posted_at == datetime(2010, 7, 29, 5, 2, 21, tzinfo=UTC)
    assert item.caption == "Next muni is in an hour"
    assert (item.likes, item.comments) == (3, 2)
    assert item.place == IncomingPlace(latitude=37.78, longitude=-122.38)
    (source,) = item.assets[0].sources
    assert (source.name, source.width, source.height) == ("high_resolution", 612, None)


def test_the_author_is_known_from_whatever_is_left() -> None:
    assert read(user=None).author == IncomingAuthor("4")
    assert read(user={"username": "ana"}).author == IncomingAuthor("4", "ana")
    writer = {"id": "9", "username": "lena", "full_name": "Lena"}
    only_caption = read(id="17", user=None, caption={"text": "x", "from": writer})
    assert only_caption.author == IncomingAuthor("9", "lena", "Lena")
    # Somebody else's name is not put beside an id.
    other = read(user={"id": "4"}, caption={"text": "x", "from": writer})
    assert other.author == IncomingAuthor("4")
    assert read(id="17", user={"username": "ana"}).author is None


@pytest.mark.parametrize(
    "said",
    [
        "-1", -1, "0", 0, "253402300800", 10**30, 1e300, float("nan"), float("inf"),
        float("-inf"), True, "9999999-01-01T00:00:00", "0000-00-00", "1438104900x", "",
        "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1e9", "٣", LONG, [],
    ],
)  # fmt: skip
def test_impossible_times_are_not_known(said: Any) -> None:
    assert read(created_time=said).posted_at is None


@pytest.mark.parametrize(
    "said", ["1438104900", 1438104900, 1438104900.0, " 1438104900 "]
)
def test_possible_times_are(said: Any) -> None:
    expected = datetime(2015, 7, 28, 17, 35, tzinfo=UTC)
    assert read(created_time=said).posted_at == expected


@pytest.mark.parametrize(
    "said", [-1, 2**63, 10**400, 1.5, float("nan"), True, "many", {}]
)
def test_impossible_counts_are_not_known(said: Any) -> None:
    assert read(likes={"count": said}).likes is None


@pytest.mark.parametrize(
    ("said", "likes"), [(7, 7), ("7", 7), (7.0, 7), (2**63 - 1, 2**63 - 1)]
)
def test_possible_counts_are(said: Any, likes: int) -> None:
    assert read(likes={"count": said}).likes == likes


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        (91, 0),
        (0, 181),
        (None, 5),
        (5, None),
        (float("nan"), 5),
        (10**400, 5),
        (True, 5),
        ("x", 5),
    ],
)
def test_half_a_position_is_none(latitude: Any, longitude: Any) -> None:
    said = {"latitude": latitude, "longitude": longitude}
    assert read(location=said).place is None
    assert read(location=said | {"name": "Den"}).place == IncomingPlace(name="Den")
    assert read(location={"latitude": 5, "longitude": 6}).place is not None


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "data:text/html,x", "//a.b/c", "/p/R/", "ftp://a.b/",
        "http://", "http://a b/", "http://a.b/\n", "http://a.b/\x00", "http://a.b/\ud800",
        "http:\\\\a.b", "http://user:pw@a.b/", "http://a.b:99999/", "http://[::1/",
        "http://a.b/" + LONG, 5, None,
    ],
)  # fmt: skip
def test_only_web_addresses_are_kept(address: Any) -> None:
    item = read(
        link=address,
        user={"id": "4", "profile_picture": address},
        images={
            "thumbnail": {"url": address},
            "low_resolution": {"url": "http://a.b/1"},
        },
        videos={},
    )
    assert item.permalink is None
    assert item.author.avatar_url is None
    assert [source.name for source in item.assets[0].sources] == ["low_resolution"]


def test_an_address_of_2048_characters_is_the_longest() -> None:
    address = "http://a.b/".ljust(2_048, "x")
    assert read(link=address).permalink == address
    assert read(link=address + "x").permalink is None


def test_what_postgresql_cannot_store_is_taken_out_but_stays_in_the_raw_document() -> (
    None
):
    bad = "fo\x00x \ud83d lone"
    item = read(
        caption={"text": bad},
        user={"id": "4", "username": bad, "full_name": bad},
        location={"name": bad},
        tags=[bad, "\x00", "\ud800"],
    )
    clean = "fox  lone"
    assert item.caption == clean
    assert (item.author.username, item.author.name) == (clean, clean)
    assert item.place.name == clean
    assert item.tags == (clean,)
    assert item.raw["caption"]["text"] == bad


def test_markup_is_text_like_any_other() -> None:
    item = read(caption={"text": MARKUP}, tags=[MARKUP], location={"name": MARKUP})
    assert (item.caption, item.tags, item.place.name) == (MARKUP, (MARKUP,), MARKUP)


def test_huge_values_are_cut() -> None:
    item = read(
        caption={"text": LONG},
        user={"id": "4", "username": LONG},
        tags=[LONG] + [f"tag{number}" for number in range(5_000)],
        images={f"size{number}": {"url": "http://a.b/1"} for number in range(5_000)},
        videos={},
    )
    assert len(item.caption) == fields.MAX_TEXT
    assert len(item.author.username) == fields.MAX_NAME
    assert len(item.tags) == media.MAX_TAGS
    assert max(map(len, item.tags)) == media.MAX_TAG
    assert len(item.assets[0].sources) == media.MAX_SOURCES
    album = read(carousel_media=[{"images": {"t": {"url": "http://a.b/1"}}}] * 5_000)
    assert len(album.assets) == media.MAX_ASSETS


def test_an_album_without_usable_children_falls_back_to_its_cover() -> None:
    for children in ([], [None, 5, {}, {"images": "x"}], "x", None):
        item = read(type="carousel", carousel_media=children)
        assert item.kind is Kind.ALBUM
        assert len(item.assets) == 1


def test_a_recorded_answer_is_found_in_any_wrapping() -> None:
    item = whole()
    for document in (
        item,
        [item],
        (item,),
        {"data": item},
        {"meta": {}, "data": [item]},
    ):
        assert [each.native_id for each in media.media_in(document)] == ["17"]
    for nothing in (*ODD, {"data": {"data": item}}):
        assert media.media_in(nothing) == ()
