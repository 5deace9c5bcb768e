"""What a wall shows, and what journal entries mean to its viewers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from media_archive import journal, moderation, walls
from media_archive.live import tiles
from media_archive.models import JournalEntry, JournalKind, MediaItem
from media_archive.records import Kind
from tests.builders import (
    a_post,
    a_record,
    an_asset,
    an_item,
    settle,
    some_items,
    some_posts,
    store,
    store_kept,
)

pytestmark = pytest.mark.django_db(transaction=True)
TAG = "nofilter"


def told(tag: str, since: int = 0) -> list[dict[str, Any]]:
    frames = walls.replay(tag, since, journal.head())
    assert frames is not None
    return [json.loads(frame.text) for frame in frames]


def words(tag: str, since: int = 0) -> list[tuple[str, int]]:
    return [(frame["type"], frame["seq"]) for frame in told(tag, since)]


def test_a_snapshot_is_newest_first_and_says_where_to_go_on() -> None:
    items = some_posts(30)
    a_post(tags=["other"])
    shown = walls.snapshot(TAG)
    assert shown["cursor"] == 31
    assert shown["tag"] == TAG
    assert shown["count"] == 30
    assert shown["people"] == 1
    assert [p["id"] for p in shown["posts"]] == [str(i.pk) for i in reversed(items[6:])]


def test_a_post_with_many_tags_is_shown_once() -> None:
    some_posts(3, tags=["nofilter", "sunset", "lisbon", "NoFilter"])
    shown = walls.snapshot(TAG)
    assert len({p["id"] for p in shown["posts"]}) == len(shown["posts"]) == 3


def test_hidden_posts_are_neither_shown_nor_counted() -> None:
    one, two = some_posts(2)
    assert walls.snapshot(TAG)["count"] == 2
    moderation.hide([one.pk], actor="ada")
    cache.clear()
    shown = walls.snapshot(TAG)
    assert [p["id"] for p in shown["posts"]] == [str(two.pk)]
    assert shown["count"] == 1


def test_counts_of_a_tag_are_kept_for_a_moment() -> None:
    some_posts(2)
    assert walls.counts(TAG) == {"count": 2, "people": 1}
    some_posts(1)
    assert walls.counts(TAG)["count"] == 2
    cache.clear()
    assert walls.counts(TAG)["count"] == 3


def test_a_tag_nobody_has_heard_of_is_an_empty_wall() -> None:
    assert not walls.is_known("unheard")
    shown = walls.snapshot("unheard")
    assert (shown["count"], shown["people"], shown["posts"]) == (0, 0, [])
    a_post()
    assert walls.is_known(TAG)


def test_the_cursor_is_read_before_the_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is archived between the two looks is told twice rather than never."""
    some_posts(1)
    look = journal.head

    def head_then_another() -> int:
        seq = look()
        monkeypatch.setattr(journal, "head", look)
        a_post()
        return seq

    monkeypatch.setattr(journal, "head", head_then_another)
    shown = walls.snapshot(TAG)
    assert shown["cursor"] == 1
    assert len(shown["posts"]) == 2
    assert words(TAG, shown["cursor"]) == [("added", 2)]


def test_a_replay_tells_only_of_the_tag_and_in_order() -> None:
    some_posts(2)
    a_post(tags=["other"])
    some_posts(1)
    assert words(TAG) == [("added", 1), ("added", 2), ("added", 4)]
    assert words("other") == [("added", 3)]
    assert words(TAG, 2) == [("added", 4)]
    assert walls.replay(TAG, 9, 4) == []


def test_a_known_post_that_joins_a_tag_is_new_to_its_viewers() -> None:
    item = a_post("p1", tags=["other"])
    store_kept([a_record("p1", tags=["other", TAG])])
    assert words(TAG) == [("added", 2)]
    assert words("other") == [("added", 1), ("changed", 2)]
    assert told(TAG)[0]["post"]["id"] == str(item.pk)


def test_hidden_posts_are_never_replayed_but_their_removal_is() -> None:
    one, two = some_posts(2)
    moderation.hide([one.pk], actor="ada")
    assert words(TAG) == [("added", 2), ("removed", 3)]
    moderation.show([one.pk], actor="ada")
    assert words(TAG) == [("added", 2), ("removed", 3), ("added", 4)]
    assert words(TAG, 3) == [("added", 4)]
    assert str(two.pk) in json.dumps(told(TAG))


def test_the_removal_of_a_purged_post_is_told_to_all() -> None:
    one, _ = some_posts(2)
    moderation.hide([one.pk], actor="ada")
    MediaItem.objects.filter(pk=one.pk).delete()
    removed = {"type": "removed", "seq": 3, "id": str(one.pk)}
    assert removed in told(TAG)
    assert told("other") == [removed]
    assert words(TAG) == [("added", 2), ("removed", 3)]


@pytest.mark.also_on_sqlite
def test_a_post_is_on_the_wall_once_its_picture_is_settled() -> None:
    waiting, failed, words_only = an_item(), an_item(), an_item(kind=Kind.TEXT)
    assert [p["id"] for p in walls.snapshot(TAG)["posts"]] == [str(words_only.pk)]
    assert walls.counts(TAG, shown=True)["count"] == 1
    assert walls.counts(TAG)["count"] == 3
    assert words(TAG) == [("added", 3)]
    settle(failed, "failed")
    settle(waiting)
    cache.clear()
    shown = [failed, waiting, words_only]
    assert {p["id"] for p in walls.snapshot(TAG)["posts"]} == {str(i.pk) for i in shown}
    assert walls.counts(TAG, shown=True)["count"] == 3
    assert words(TAG) == [("added", 3), ("added", 4), ("added", 5)]
    assert [f["post"]["id"] for f in told(TAG, 3)] == [str(failed.pk), str(waiting.pk)]


@pytest.mark.also_on_sqlite
def test_a_post_is_added_once_however_the_journal_is_cut() -> None:
    """Who reads entry by entry ends with the same posts as who reads all at once."""
    item = an_item("p1", tags=["other"])
    store([a_record("p1", tags=["other", TAG], caption="Joined while waiting")])
    pieces = words(TAG)
    settle(item)
    pieces += words(TAG, 2)
    store([a_record("p1", tags=["other", TAG], caption="Edited")])
    pieces += words(TAG, 3)
    settle(item)  # a person had it tried again
    pieces += words(TAG, 4)
    assert pieces == [("added", 3), ("changed", 4), ("changed", 5)]
    assert words(TAG) == words("other") == [("added", 3), ("changed", 5)]
    assert [frame["post"]["caption"] for frame in told(TAG)] == ["Edited"] * 2


def test_of_changes_that_are_read_together_the_last_is_told() -> None:
    item = a_post()
    for number in range(1, 6):
        settle(item, asset=number)
    assert words(TAG) == [("added", 1), ("changed", 6)]
    assert words(TAG, 4) == [("changed", 6)]
    moderation.hide([item.pk], actor="ada")
    moderation.show([item.pk], actor="ada")
    assert words(TAG) == [("removed", 7), ("added", 8)]


def test_a_purged_post_leaves_every_wall() -> None:
    one, two = some_posts(2)
    assert words(TAG) == [("added", 1), ("added", 2)]
    with journal.recording() as recording:
        one.revision += 1
        recording.add(one, JournalKind.PURGED)
        MediaItem.objects.filter(pk=one.pk).delete()
    assert words(TAG) == [("added", 2), ("removed", 3)]
    assert told("other") == [{"type": "removed", "seq": 3, "id": str(one.pk)}]
    assert [p["id"] for p in walls.snapshot(TAG)["posts"]] == [str(two.pk)]


def test_two_hundred_posts_with_their_pictures_are_replayed() -> None:
    for item in some_items(200):
        settle(item)
    replayed = walls.replay(TAG, 0, 400)
    assert replayed is not None
    assert len(replayed) == 200
    an_item(kind=Kind.TEXT)
    assert walls.replay(TAG, 0, 401) is None
    assert len(walls.replay(TAG, 1, 401) or []) == 0


def test_two_hundred_entries_are_replayed_and_one_more_is_not() -> None:
    some_posts(201)
    replayed = walls.replay(TAG, 1, 201)
    assert replayed is not None
    assert len(replayed) == 200
    assert walls.replay(TAG, 0, 201) is None


def test_a_very_long_gap_is_not_even_searched() -> None:
    some_posts(1)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert walls.replay(TAG, 0, walls.LONGEST_GAP + 1) is None
        assert len(queries) == 0
        assert walls.replay(TAG, 0, walls.LONGEST_GAP) is not None
        assert len(queries) > 0


def test_frames_cost_few_queries_however_many_entries() -> None:
    some_posts(80, tags=[TAG, "sunset"])
    entries = list(JournalEntry.objects.all())
    with CaptureQueriesContext(connection) as queries:
        frames = walls.frames(entries, {TAG, "sunset", "empty"})
    assert [len(frames[tag]) for tag in (TAG, "sunset", "empty")] == [80, 80, 0]
    assert len(queries) <= 7
    # The same text for both walls: encoded once.
    assert all(a is b for a, b in zip(frames[TAG], frames["sunset"], strict=True))


def test_a_wall_looks_behind_what_waits_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tiles, "MOST_AT_ONCE", 5)
    shown = some_posts(2)
    some_items(18)
    with CaptureQueriesContext(connection) as asked:
        assert [t.face.pk for t in tiles.newest(TAG, 1)] == [shown[1].pk]
    listed = 'SELECT "media_archive_mediatag"."dated_at"'
    looks = [q["sql"] for q in asked if q["sql"].startswith(listed)]
    assert len(looks) == 4, "4, 5, 5 and 5 listings"
    assert all("mediaasset" not in sql for sql in looks)
    # What waits counts as well: no look is longer than the limit.
    monkeypatch.setattr(tiles, "MOST_LOOKED_AT", 18)
    assert tiles.newest(TAG, 1) == []
    monkeypatch.setattr(tiles, "MOST_LOOKED_AT", 19)
    assert [t.face.pk for t in tiles.newest(TAG, 1)] == [shown[1].pk]
    assert tiles.newest("unheard", 1) == []


def test_a_first_picture_that_comes_with_an_edit_takes_nothing_away() -> None:
    bare = a_record(assets=[], kind=Kind.IMAGE)
    item = MediaItem.objects.get(pk=store([bare]).new[0])
    assert [post["id"] for post in walls.snapshot(TAG)["posts"]] == [str(item.pk)]
    store([replace(bare, assets=[an_asset()])])
    assert [frame["type"] for frame in told(TAG, 1)] == ["changed"]
    assert [post["id"] for post in walls.snapshot(TAG)["posts"]] == [str(item.pk)]
    before = journal.head()
    settle(item)
    assert [frame["post"]["id"] for frame in told(TAG, before)] == [str(item.pk)]
    # The control: a new post waits for its picture.
    some_items(1)
    assert len(walls.snapshot(TAG)["posts"]) == 1
