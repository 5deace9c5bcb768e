"""Whatever stands in a post: it is archived with what there is, and so are the others.

Pages of recorded posts in which anything was replaced by anything pass through the
reader and into the database: 10,000 mutated posts in a run.
"""

from __future__ import annotations

import copy
import itertools
import json
import random
import time
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_archive import rows_of_records
from media_archive.models import (
    JournalEntry,
    MediaItem,
    MediaTag,
    RawDocument,
)
from subscriptions.providers.instagram_v1.wire import envelope, media, pages
from tests.builders import store
from tests.providers import instagram_v1_documents as documents

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]

MUTATED = 100
"""Mutated posts on a page; behind every tenth stands one as it was recorded."""
PAGES = 100 if connection.vendor == "postgresql" else 15

WRITTEN = {
    "@deep@": b"[" * 3000 + b"]" * 3000,
    "@1e999@": b"-1e999",
    "@digits@": b"7" * 6000,
    "@bytes@": b'"\xff\xfe\xc0"',
}
"""What Python's own writer would not write."""
HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=20),
    st.sampled_from(
        [
            "",
            "\x00",
            "a\x00b",
            "\ud800",
            "\udfff x",
            "\x1b[2J",
            "\u202e\u200b",
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "'; DROP TABLE media_archive_mediaitem; --",
            "%s %d {0} $1 \\",
            "javascript:alert(1)",
            "http://[",
            "https://a.example:99999/",
            "x" * 10_001,
            "-1",
            "1e400",
            "0000-00-00T99:99:99",
            "9" * 30,
            10**400,
            -(2**63) - 1,
            2**63,
            -0.0,
            float("nan"),
            float("inf"),
            *WRITTEN,
        ]
    ),
)
VALUES = st.recursive(
    HOSTILE,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "url", "count", "data", "text", "\x00", "\ud800"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=4,
)
numbers = itertools.count(1)


def recorded_posts() -> list[dict[str, Any]]:
    """Every post of every recording."""
    found = []
    for name in documents.MEDIA:
        document = json.loads(documents.body(name))
        found += [dict(record.raw) for record in media.media_in(document)]
    return found


RECORDED = recorded_posts()


def a_post(chance: random.Random) -> dict[str, Any]:
    """A recorded one with an id of its own."""
    post = copy.deepcopy(chance.choice(RECORDED))
    return post | {"id": f"{next(numbers)}_7"}


def places_in(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key), but the post's id."""
    keys = value if isinstance(value, dict) else range(len(value))
    found = []
    for key in keys:
        found.append((value, key))
        if isinstance(value[key], dict | list):
            found += places_in(value[key])
    return found


def mutated(post: dict[str, Any], chance: random.Random, values: list[Any]) -> Any:
    """The post with up to four values replaced, taken away or added."""
    for _ in range(chance.randint(1, 4)):
        native_id = post.pop("id")
        places = places_in(post)
        post["id"] = native_id
        if not places:
            break
        container, key = chance.choice(places)
        what = chance.random()
        if what < 0.2:
            del container[key]
        elif what < 0.3 and isinstance(container, dict):
            container[f"new {key}"] = copy.deepcopy(chance.choice(values))
        else:
            container[key] = copy.deepcopy(chance.choice(values))
    return post


def body_of(posts: list[Any]) -> bytes:
    """The answer as it comes over the wire."""
    body = json.dumps({"meta": {"code": 200}, "data": posts}).encode("ascii")
    for mark, written in WRITTEN.items():
        body = body.replace(json.dumps(mark).encode(), written)
    return body


@pytest.mark.timeout(300)
@settings(
    max_examples=PAGES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    seed=st.integers(0, 2**32),
    values=st.lists(VALUES, min_size=12, max_size=12),
    others=st.lists(VALUES, max_size=3),
)
def test_ten_thousand_mutated_posts_are_archived_with_their_neighbours(
    seed: int, values: list[Any], others: list[Any]
) -> None:
    chance = random.Random(seed)
    posts, untouched = list[Any](), list[dict[str, Any]]()
    for number in range(MUTATED):
        posts.append(mutated(a_post(chance), chance, values))
        if number % 10 == 0:
            untouched.append(a_post(chance))
            posts.append(untouched[-1])
    # Entries that are no post at all, or have an id that is none.
    ids = {post["id"].partition("_")[0] for post in posts}
    nothing = [other for other in others if not isinstance(other, dict)]
    body = body_of([*posts, *nothing])
    came = envelope.decode(body)
    assert isinstance(came, dict)

    page = pages.parse_page(came)
    assert {record.native_id for record in page.media} == ids
    assert page.skipped == len(nothing)
    before = JournalEntry.objects.count()
    result = store(page.media, listed_under="fox")
    assert (len(result.new), result.refused) == (len(ids), 0)
    assert store(page.media, listed_under="fox").unchanged == result.new

    stored = MediaItem.objects.in_bulk(result.new)
    assert {item.native_id for item in stored.values()} == ids
    assert JournalEntry.objects.count() == before + len(ids)
    assert MediaTag.objects.filter(tag__name="fox", item__in=stored).count() == len(ids)
    raw = dict(
        RawDocument.objects.filter(item__in=stored).values_list(
            "item__native_id", "document"
        )
    )
    by_id = {item.native_id: item for item in stored.values()}
    for post in came["data"][: len(posts)]:
        assert json.loads(raw[post["id"].partition("_")[0]]) == post
    for post in untouched:
        alone = media.parse_media(post)
        assert alone is not None
        item = by_id[alone.native_id]
        assert item.content_hash == rows_of_records.content_hash(alone)
        assert (item.caption, item.likes) == (alone.caption, alone.likes)
        assert item.posted_at == alone.posted_at


def test_a_type_that_nobody_knows_is_kept_as_unknown() -> None:
    posts = [{"id": "1", "type": "hologram"}, {"id": "2", "type": "image"}]
    came = envelope.decode(body_of(posts))
    store(pages.parse_page(came).media)
    kinds = dict(MediaItem.objects.values_list("native_id", "kind"))
    assert kinds == {"1": "unknown", "2": "image"}
    assert json.loads(RawDocument.objects.get(item__native_id="1").document) == posts[0]


@pytest.mark.parametrize("depth", [60, 62, 500, 990, 3000, 200_000])
def test_what_lies_too_deep_is_kept_as_text(depth: int) -> None:
    deep = b"[" * depth + b'"]\\"["' + b"]" * depth
    body = b'{"data": [{"id": "1", "x": %b}, {"id": "2"}]}' % deep
    came = envelope.decode(body)
    store(pages.parse_page(came).media)
    assert MediaItem.objects.count() == 2
    kept = json.loads(RawDocument.objects.get(item__native_id="1").document)["x"]
    around = 0
    while isinstance(kept, list):
        [kept] = kept
        around += 1
    if around == depth:
        assert kept == ']"['
    else:
        assert kept.encode() == deep[around:-around]
    assert around == min(depth, envelope.MAX_DEPTH - 3)


@pytest.mark.parametrize("end", [b"", b"\\", b"x"])
def test_a_deep_text_without_its_end_is_refused_at_once(end: bytes) -> None:
    deep, quotes = b"[" * 200_000, b'\\"' * 50_000
    began = time.thread_time()
    with pytest.raises(envelope.NotOurFormat):
        envelope.decode(deep + b'"' + quotes + end)
    came = envelope.decode(deep + b'"' + quotes + b'"' + b"]" * len(deep))
    assert isinstance(came, list)
    assert time.thread_time() - began < 5


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100 + b"}" * 100, b'{"data": [', b'"'],
)
def test_what_is_no_json_is_refused_at_any_depth(body: bytes) -> None:
    with pytest.raises(envelope.NotOurFormat):
        envelope.decode(body)
