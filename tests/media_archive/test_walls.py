"""What a wall shows, and what journal entries mean to its viewers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from media_archive import journal, moderation, walls
from media_archive.models import JournalEntry, MediaItem
from tests.builders import a_record, an_item, some_items, store

pytestmark = pytest.mark.django_db(transaction=True)
TAG = "nofilter"


def told(tag: str, since: int = 0) -> list[dict[str, Any]]:
    frames = walls.replay(tag, since, journal.head())
    assert frames is not None
    return [json.loads(frame.text) for frame in frames]


def words(tag: str, since: int = 0) -> list[tuple[str, int]]:
    return [(frame["type"], frame["seq"]) for frame in told(tag, since)]


def test_a_snapshot_is_newest_first_and_says_where_to_go_on() -> None:
    items = some_items(30)
    an_item(tags=["other"])
    shown = walls.snapshot(TAG)
    assert shown["cursor"] == 31
    assert shown["tag"] == TAG
    assert shown["count"] == 30
    assert shown["people"] == 1
    assert [p["id"] for p in shown["posts"]] == [str(i.pk) for i in reversed(items[6:])]


def test_a_post_with_many_tags_is_shown_once() -> None:
    some_items(3, tags=["nofilter", "sunset", "lisbon", "NoFilter"])
    shown = walls.snapshot(TAG)
    assert len({p["id"] for p in shown["posts"]}) == len(shown["posts"]) == 3


def test_hidden_posts_are_neither_shown_nor_counted() -> None:
    one, two = some_items(2)
    assert walls.snapshot(TAG)["count"] == 2
    moderation.hide([one.pk], actor="ada")
    cache.clear()
    shown = walls.snapshot(TAG)
    assert [p["id"] for p in shown["posts"]] == [str(two.pk)]
    assert shown["count"] == 1


def test_counts_of_a_tag_are_kept_for_a_moment() -> None:
    some_items(2)
    assert walls.counts(TAG) == {"count": 2, "people": 1}
    some_items(1)
    assert walls.counts(TAG)["count"] == 2
    cache.clear()
    assert walls.counts(TAG)["count"] == 3


def test_a_tag_nobody_has_heard_of_is_an_empty_wall() -> None:
    assert not walls.is_known("unheard")
    shown = walls.snapshot("unheard")
    assert (shown["count"], shown["people"], shown["posts"]) == (0, 0, [])
    an_item()
    assert walls.is_known(TAG)


def test_the_cursor_is_read_before_the_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is archived between the two looks is told twice rather than never."""
    some_items(1)
    look = journal.head

    def head_then_another() -> int:
        seq = look()
        monkeypatch.setattr(journal, "head", look)
        an_item()
        return seq

    monkeypatch.setattr(journal, "head", head_then_another)
    shown = walls.snapshot(TAG)
    assert shown["cursor"] == 1
    assert len(shown["posts"]) == 2
    assert words(TAG, shown["cursor"]) == [("added", 2)]


def test_a_replay_tells_only_of_the_tag_and_in_order() -> None:
    some_items(2)
    an_item(tags=["other"])
    some_items(1)
    assert words(TAG) == [("added", 1), ("added", 2), ("added", 4)]
    assert words("other") == [("added", 3)]
    assert words(TAG, 2) == [("added", 4)]
    assert walls.replay(TAG, 9, 4) == []


def test_a_known_post_that_joins_a_tag_is_new_to_its_viewers() -> None:
    item = an_item("p1", tags=["other"])
    store([a_record("p1", tags=["other", TAG])])
    assert words(TAG) == [("added", 2)]
    assert words("other") == [("added", 1), ("changed", 2)]
    assert told(TAG)[0]["post"]["id"] == str(item.pk)


def test_hidden_posts_are_never_replayed_but_their_removal_is() -> None:
    one, two = some_items(2)
    moderation.hide([one.pk], actor="ada")
    assert words(TAG) == [("added", 2), ("removed", 3)]
    moderation.show([one.pk], actor="ada")
    assert words(TAG) == [("added", 2), ("removed", 3), ("added", 4)]
    assert words(TAG, 3) == [("added", 4)]
    assert str(two.pk) in json.dumps(told(TAG))


def test_the_removal_of_a_purged_post_is_told_to_all() -> None:
    one, _ = some_items(2)
    moderation.hide([one.pk], actor="ada")
    MediaItem.objects.filter(pk=one.pk).delete()
    removed = {"type": "removed", "seq": 3, "id": str(one.pk)}
    assert removed in told(TAG)
    assert told("other") == [removed]
    assert words(TAG) == [("added", 2), ("removed", 3)]


def test_two_hundred_entries_are_replayed_and_one_more_is_not() -> None:
    some_items(201)
    replayed = walls.replay(TAG, 1, 201)
    assert replayed is not None
    assert len(replayed) == 200
    assert walls.replay(TAG, 0, 201) is None


def test_a_very_long_gap_is_not_even_searched() -> None:
    some_items(1)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert walls.replay(TAG, 0, walls.LONGEST_GAP + 1) is None
        assert len(queries) == 0
        assert walls.replay(TAG, 0, walls.LONGEST_GAP) is not None
        assert len(queries) > 0


def test_frames_cost_few_queries_however_many_entries() -> None:
    some_items(80, tags=[TAG, "sunset"])
    entries = list(JournalEntry.objects.all())
    with CaptureQueriesContext(connection) as queries:
        frames = walls.frames(entries, {TAG, "sunset", "empty"})
    assert [len(frames[tag]) for tag in (TAG, "sunset", "empty")] == [80, 80, 0]
    assert len(queries) <= 5
    # The same text for both walls: encoded once.
    assert all(a is b for a, b in zip(frames[TAG], frames["sunset"], strict=True))
