"""What is posted: people, captions, places, in all their variety."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from media_archive.records import IncomingMedia
from media_archive.tags import normalise_tag
from photowall.sandbox.captions import LONGEST, tags_in
from photowall.sandbox.native_ids import EPOCH_MS, NativeIds, posted_ms
from photowall.sandbox.people import PEOPLE
from photowall.sandbox.posts import compose
from subscriptions.providers.instagram_v1.wire.media import parse_media
from subscriptions.providers.instagram_v1.wire.rendering import render_media

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def post(number: int) -> IncomingMedia:
    return compose(
        number,
        "fête",
        picture=number % 4,
        native_id=3_000_000_000_000_000_000 + number,
        posted_at=NOON,
        base_url="http://127.0.0.1:8001",
    )


@pytest.fixture(scope="module")
def posts() -> Sequence[IncomingMedia]:
    return [post(number) for number in range(600)]


def directions(text: str) -> set[str]:
    return {unicodedata.bidirectional(character) for character in text}


KINDS: dict[str, Callable[[IncomingMedia], bool]] = {
    "no caption": lambda p: p.caption is None,
    "arabic": lambda p: "AL" in directions(p.caption or ""),
    "hebrew": lambda p: "R" in directions(p.caption or ""),
    "japanese": lambda p: any("ぁ" <= c <= "ん" for c in p.caption or ""),
    "emoji": lambda p: any(unicodedata.category(c) == "So" for c in p.caption or ""),
    "over 2,000 characters": lambda p: len(p.caption or "") > 2000,
    "many hashtags": lambda p: (p.caption or "").count("#") > 12,
    "lines": lambda p: "\n" in (p.caption or ""),
    "markup": lambda p: "<b>" in (p.caption or ""),
    "short": lambda p: 0 < len(p.caption or "") < 12,
    "no place": lambda p: p.place is None,
    "place with name": lambda p: bool(p.place and p.place.name),
    "place with a null name": lambda p: bool(
        p.place and p.place.native_id and p.place.name is None
    ),
    "position only": lambda p: bool(
        p.place and p.place.native_id is None and p.place.latitude
    ),
    "no full name": lambda p: bool(p.author and p.author.name == ""),
    "no likes": lambda p: p.likes == 0,
    "many likes": lambda p: (p.likes or 0) > 100,
}


@pytest.mark.parametrize("kind", KINDS)
def test_everything_comes_up_and_is_not_all_there_is(
    kind: str, posts: Sequence[IncomingMedia]
) -> None:
    found = sum(KINDS[kind](post) for post in posts)

    assert 0 < found < len(posts)


def test_the_same_number_makes_the_same_post() -> None:
    assert post(5) == post(5)
    assert post(5) != post(6)


def test_no_caption_is_longer_than_the_old_api_took(
    posts: Sequence[IncomingMedia],
) -> None:
    assert max(len(post.caption or "") for post in posts) <= LONGEST


def test_every_post_carries_the_tag_and_only_tags(
    posts: Sequence[IncomingMedia],
) -> None:
    for made in posts:
        assert made.tags[0] == "fête"
        assert len(set(made.tags)) == len(made.tags)
        for tag in made.tags:
            assert normalise_tag(tag) == tag


def test_the_tag_is_listed_once_whatever_the_caption_says() -> None:
    assert tags_in("#Fox and #Hound\n#fox", "fox") == ["fox", "hound"]
    assert tags_in(None, "fox") == ["fox"]


def test_the_old_format_carries_all_of_it(posts: Sequence[IncomingMedia]) -> None:
    """Rendered as the facade does and read as a follower does, nothing is lost
    that the format has a place for."""
    for made in posts[:200]:
        read = parse_media(render_media(made))
        assert read is not None
        assert read.native_id == made.native_id
        assert read.caption == made.caption
        assert list(read.tags) == list(made.tags)
        assert read.posted_at == made.posted_at
        assert read.likes == made.likes
        sources = {(s.name, s.url, s.width, s.height) for s in made.assets[0].sources}
        heard = {(s.name, s.url, s.width, s.height) for s in read.assets[0].sources}
        assert heard == sources
        assert {name for name, *_ in heard} == {
            "thumbnail",
            "low_resolution",
            "standard_resolution",
        }


def test_people_are_forty_and_all_different() -> None:
    assert len(PEOPLE) >= 40
    assert len({person.username for person in PEOPLE}) == len(PEOPLE)
    assert len({person.native_id for person in PEOPLE}) == len(PEOPLE)
    scripts = {
        unicodedata.name(person.name[0]).split()[0] for person in PEOPLE if person.name
    }
    assert {"LATIN", "ARABIC", "HEBREW", "CJK", "HANGUL", "DEVANAGARI"} <= scripts


def test_ids_grow_even_within_one_millisecond_and_when_the_clock_goes_back() -> None:
    ids = NativeIds()

    made = [ids.next(1_790_000_000.0) for _ in range(5000)]
    made += [ids.next(1_789_999_999.0), ids.next(1_790_000_100.0)]

    assert made == sorted(set(made))
    assert len(str(made[0])) == 19


def test_an_id_tells_when_it_was_made() -> None:
    moment = 1_790_000_000.123

    assert abs(posted_ms(NativeIds().next(moment)) - moment * 1000) <= 1
    assert posted_ms(0) == EPOCH_MS
