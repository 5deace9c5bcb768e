"""``ingest.store``: once, whole, whatever comes."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from django.db import connection

from media_archive import ingest, journal
from media_archive.models import (
    Author,
    JournalEntry,
    JournalKind,
    MediaAsset,
    MediaItem,
    MediaTag,
    RawDocument,
    Tag,
)
from media_archive.records import (
    AssetSource,
    IncomingAsset,
    IncomingAuthor,
    IncomingMedia,
    IncomingPlace,
    Kind,
)
from tests.builders import (
    ANA,
    NOON,
    PROVIDER,
    a_record,
    a_source,
    an_asset,
    an_item,
    store,
)

pytestmark = [pytest.mark.django_db, pytest.mark.also_on_sqlite]
HUGE = 10 * 1024 * 1024


def test_nothing_is_nothing() -> None:
    result = store([])
    assert (result.ids, result.refused) == ([], 0)
    assert journal.head() == 0


@pytest.mark.parametrize("native_id", ["", "a\x00b", "\ud800", "x" * 129])
def test_an_id_no_row_can_hold_costs_its_neighbours_nothing(native_id: str) -> None:
    good = a_record()
    result = store([a_record(native_id), good, a_record(native_id)])
    assert result.refused == 2
    assert [MediaItem.objects.get().pk] == result.new
    assert MediaItem.objects.get().native_id == good.native_id


HOSTILE: dict[str, dict[str, Any]] = {
    "NUL": {"caption": "a\x00b", "author": IncomingAuthor("9", "u\x00", "n\x00")},
    "lone surrogate": {"caption": "\ud800!", "tags": ["\udfff", "fine"]},
    "10 MB caption": {"caption": "é" * (HUGE // 2), "raw": {"text": "x" * HUGE}},
    "year 1": {"posted_at": datetime(1, 1, 1, tzinfo=UTC)},
    "before year 1": {
        "posted_at": datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))
    },
    "year 9999": {"posted_at": datetime.max.replace(tzinfo=UTC)},
    "after 9999": {
        "posted_at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))
    },
    "NaN": {
        "place": IncomingPlace(latitude=math.nan, longitude=math.inf),
        "raw": {"x": math.nan},
    },
    "not on Earth": {"place": IncomingPlace(latitude=91.0, longitude=-181.0)},
    "endless names": {
        "author": IncomingAuthor(
            "9", "u" * 9999, "n" * 9999, "https://a/" + "x" * 9999
        ),
        "place": IncomingPlace("p" * 999, "q" * 9999),
    },
    "an author nobody can be": {"author": IncomingAuthor("\x00" * 200)},
    "endless counts": {"likes": 10**30, "comments": -(10**30), "views": 2**63},
    "addresses that are none": {
        "permalink": "javascript:alert(1)",
        "author": IncomingAuthor("9", avatar_url="data:text/html,x"),
        "assets": [IncomingAsset(Kind.IMAGE, [AssetSource("a", "ftp://x/y")])],
    },
    "a thousand sizes": {
        "assets": [IncomingAsset(Kind.IMAGE, [a_source(str(n)) for n in range(1000)])]
        * 20
    },
    "raw with odd bytes": {"raw": {"\x00": "\ud800", "deep": [[[[[]]]]]}},
    "no tag at all": {"tags": ["", "🎉", "a b", "../../etc", "x" * 5000]},
    "unknown kind": {"kind": Kind.UNKNOWN, "assets": []},
    "says nothing": {
        "author": None,
        "caption": None,
        "permalink": None,
        "posted_at": None,
        "tags": [],
        "assets": [],
        "raw": {},
    },
}


@pytest.mark.parametrize("said", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_record_is_stored_with_its_neighbours(said: dict[str, Any]) -> None:
    records = [a_record(), a_record(**said), a_record()]
    result = store(records)
    assert len(result.new) == 3
    assert store(records).unchanged == result.new
    for pk in result.new:
        item = MediaItem.objects.select_related("author", "raw").get(pk=pk)
        assert json.loads(item.raw.document) is not None
        assert "\x00" not in (item.caption or "")


def test_the_raw_document_keeps_every_code_point() -> None:
    raw = {"id": "x", "a": "\x00", "b": "\ud800", "c": "🎉", "d": [1, None, 2.5]}
    item = an_item("x", raw=raw)
    assert json.loads(item.raw.document) == raw


def test_what_lies_outside_the_calendar_or_the_globe_is_not_known() -> None:
    beyond = datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))
    item = an_item(posted_at=beyond, place=IncomingPlace("1", "Nowhere", 91.0, 0.0))
    assert item.posted_at is None
    assert item.dated_at == item.archived_at
    assert (item.place_name, item.latitude) == ("Nowhere", None)


def test_five_thousand_tags_are_five_thousand_listings() -> None:
    an_item(tags=[f"tag{n}" for n in range(5000)])
    assert MediaTag.objects.count() == 5000


def test_everything_said_is_kept() -> None:
    place = IncomingPlace("55", "Alfama", 38.71, -9.13)
    item = an_item(
        "p", caption="Hi", posted_at=NOON, place=place, likes=0, comments=2, views=None
    )
    assert item.author is not None
    assert (item.author.username, item.author.name) == (ANA.username, ANA.name)
    assert (item.caption, item.posted_at, item.dated_at) == ("Hi", NOON, NOON)
    assert (item.place_native_id, item.place_name) == ("55", "Alfama")
    assert (item.latitude, item.longitude) == (38.71, -9.13)
    assert (item.likes, item.comments, item.views) == (0, 2, None)
    [asset] = item.assets.all()
    assert [source["width"] for source in asset.sources] == [150, 640]


def test_the_same_page_twice_writes_nothing() -> None:
    records = [a_record(), a_record()]
    first = store(records, listed_under="nofilter")
    head = journal.head()
    second = store(records, listed_under="nofilter")
    assert (second.new, second.changed) == ([], [])
    assert second.unchanged == first.new
    assert journal.head() == head == 2
    assert MediaItem.objects.count() == RawDocument.objects.count() == 2


def test_the_same_post_twice_on_a_page_counts_once() -> None:
    newer, older = a_record("p", caption="newer"), a_record("p", caption="older")
    [pk] = store([newer, older]).new
    assert MediaItem.objects.get(pk=pk).caption == "newer"
    assert journal.head() == 1


def test_the_same_id_at_two_providers_is_two_items() -> None:
    store([a_record("p")])
    assert len(store([a_record("p")], provider="mastodon").new) == 1
    assert Author.objects.count() == 2


def test_a_changed_post_is_brought_up_to_date_and_journalled() -> None:
    two = [an_asset(), an_asset()]
    item = an_item("p", caption="before", assets=two, likes=1, posted_at=NOON)
    record = a_record(
        "p", caption="after", likes=2, raw={"v": 2}, posted_at=NOON, tags=["new"]
    )
    assert store([record]).changed == [item.pk]
    item = MediaItem.objects.get(pk=item.pk)
    assert (item.caption, item.likes, item.revision) == ("after", 2, 2)
    assert json.loads(item.raw.document) == {"v": 2}
    assert MediaAsset.objects.filter(item=item).count() == 1
    assert set(item.tags.values_list("name", flat=True)) == {"nofilter", "new"}
    assert [entry.kind for entry in journal.read(0, 9)] == ["archived", "changed"]
    assert store([record]).unchanged == [item.pk]


def test_a_changed_post_keeps_its_place_in_the_lists() -> None:
    item = an_item("p", posted_at=None)
    store([a_record("p", posted_at=NOON)])
    after = MediaItem.objects.get(pk=item.pk)
    assert after.posted_at == NOON
    assert after.dated_at == item.dated_at


def test_an_author_changes_a_name_and_loses_none() -> None:
    an_item(author=IncomingAuthor("7", "ana", "Ana", "https://a.example/1.jpg"))
    store([a_record(author=IncomingAuthor("7", "ana.costa"))])
    author = Author.objects.get()
    assert (author.username, author.name) == ("ana.costa", "Ana")
    assert author.avatar_url == "https://a.example/1.jpg"


def test_newly_listed_under_another_tag_is_journalled_and_listed_once() -> None:
    record = a_record("p", tags=["one"])
    item = MediaItem.objects.get(pk=store([record]).new[0])
    assert store([record], listed_under="two").changed == [item.pk]
    assert store([record], listed_under="two").unchanged == [item.pk]
    listings = MediaTag.objects.order_by("seq").values_list("tag__name", "seq", "given")
    assert list(listings) == [("one", 1, True), ("two", 2, False)]
    assert [entry.revision for entry in journal.read(0, 9)] == [1, 2]


def test_a_page_is_journalled_oldest_first_and_listed_by_number() -> None:
    newest_first = [a_record(f"p{n}") for n in (3, 2, 1)]
    result = store(newest_first, listed_under="nofilter")
    entries = journal.read(0, 9)
    assert [entry.item_id for entry in entries] == result.new
    names = [MediaItem.objects.get(pk=pk).native_id for pk in result.new]
    assert names == ["p1", "p2", "p3"]
    listed = MediaTag.objects.order_by("seq").values_list("item__native_id", "seq")
    assert list(listed) == [("p1", 1), ("p2", 2), ("p3", 3)]


def test_tags_are_one_row_however_they_are_written() -> None:
    store([a_record(tags=["Fête", "#FÊTE", " fête ", "FE\u0302TE"])])
    assert [tag.name for tag in Tag.objects.all()] == ["fête"]
    assert MediaTag.objects.count() == 1


def test_what_goes_wrong_at_the_end_leaves_nothing() -> None:
    def half_a_page() -> None:
        with journal.recording() as recording:
            ingest.store(recording, PROVIDER, [a_record()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_a_page()
    assert not MediaItem.objects.exists()
    assert journal.head() == 0
    store([a_record()])
    assert journal.head() == 1


def at_once(workers: list[Callable[[], Any]]) -> list[Any]:
    """The results of ``workers``, let go together, each with its own connection."""
    start = threading.Barrier(len(workers))

    def run(work: Callable[[], Any]) -> Any:
        try:
            start.wait(10)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(workers)) as pool:
        return list(pool.map(run, workers))


@pytest.mark.django_db(transaction=True)
def test_the_same_page_from_two_workers_at_once_is_stored_once() -> None:
    for round_number in range(10):
        page = [a_record(f"r{round_number}-{n}") for n in range(10)]
        results = at_once([partial(store, page, "both")] * 2)
        new = [pk for result in results for pk in result.new]
        assert len(new) == len(set(new)) == 10
    archived = JournalEntry.objects.filter(kind=JournalKind.ARCHIVED)
    assert archived.count() == MediaItem.objects.count() == 100
    assert journal.head() == 100
    assert MediaTag.objects.filter(tag__name="both").count() == 100


@pytest.mark.django_db(transaction=True)
def test_overlapping_pages_under_two_tags_neither_deadlock_nor_lose() -> None:
    records = [
        a_record(f"p{n:02}", author=IncomingAuthor(str(n % 3))) for n in range(30)
    ]

    def worker(tag: str, part: list[IncomingMedia]) -> Callable[[], None]:
        def work() -> None:
            for start in range(0, len(part), 5):
                store(part[start : start + 10], listed_under=tag)

        return work

    at_once(
        [
            worker("one", records),
            worker("two", records[::-1]),
            worker("three", records[5:]),
        ]
    )
    counts = {
        tag: MediaTag.objects.filter(tag__name=tag).count()
        for tag in ("one", "two", "three")
    }
    assert counts == {"one": 30, "two": 30, "three": 25}
    archived = JournalEntry.objects.filter(kind=JournalKind.ARCHIVED)
    assert archived.count() == MediaItem.objects.count() == 30
    seqs = list(JournalEntry.objects.values_list("seq", flat=True))
    assert seqs == list(range(1, len(seqs) + 1))
