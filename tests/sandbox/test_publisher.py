"""The publisher: stores once, draws first, waits where nobody follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import pytest
from django.db import connection

from media_archive import journal
from media_archive.errors import InvalidTag
from media_archive.models import JournalEntry, MediaItem
from photowall.facades.models import ApiClient, Endpoint, EndpointState
from photowall.sandbox import publisher as publisher_module
from photowall.sandbox.native_ids import NativeIds
from photowall.sandbox.publisher import IdTaken, Publisher, followed_tags

BASE = "http://127.0.0.1:8001"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def publisher() -> Publisher:
    return Publisher(base_url=BASE)


def follow(tag: str, state: EndpointState = EndpointState.ACTIVE) -> Endpoint:
    client, _ = ApiClient.objects.get_or_create(name="Follower")
    return Endpoint.objects.create(
        client=client, object_id=tag, callback_url="http://127.0.0.1:9/", state=state
    )


def test_a_refused_tag_stores_and_draws_nothing(
    publisher: Publisher, gallery_folder: Path
) -> None:
    with pytest.raises(InvalidTag):
        list(publisher.publish("no tag at all!"))

    assert not MediaItem.objects.exists()
    assert not gallery_folder.exists()
    list(publisher.publish("#Photowall "))  # the control
    assert MediaItem.objects.tagged("photowall").count() == 1


def test_a_post_is_stored_once_with_everything(publisher: Publisher) -> None:
    (post,) = publisher.publish("photowall")

    item = MediaItem.objects.get()
    assert (item.provider, item.native_id) == ("sandbox", post.native_id)
    assert item.author is not None
    assert item.author.username
    assert item.author.avatar_url == (
        f"{BASE}/sandbox/people/{(int(item.author.native_id) - 100_003) // 7_919}.jpg"
    )
    assert item.likes is not None
    assert item.permalink is not None
    asset = item.assets.get()
    assert [source["width"] for source in asset.sources] == [150, 320, 1080]
    assert JournalEntry.objects.get().seq == post.seq == journal.head()
    assert item.posted_at is not None
    assert item.posted_at.timestamp() == pytest.approx(post.time, abs=0.001)


def test_the_files_are_there_before_the_row(
    publisher: Publisher, gallery_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = publisher_module.ingest.store
    seen: list[set[str]] = []

    def spy(*args: object, **named: object) -> object:
        seen.append({path.name for path in gallery_folder.iterdir()})
        return store(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(publisher_module.ingest, "store", spy)
    list(publisher.publish("photowall"))

    assert seen == [
        {"0-thumbnail.jpg", "0-low_resolution.jpg", "0-standard_resolution.jpg"}
    ]


def test_a_burst_is_stored_whole_and_in_order(publisher: Publisher) -> None:
    posts = list(publisher.publish("photowall", 30))

    assert [post.seq for post in posts] == list(range(1, 31))
    ids = [int(post.native_id) for post in posts]
    assert ids == sorted(set(ids))
    assert MediaItem.objects.tagged("photowall").count() == 30


def test_a_pace_is_kept(publisher: Publisher) -> None:
    list(publisher.publish("photowall", 4))  # now all pictures are drawn
    begun = monotonic()

    times = [post.time for post in publisher.publish("photowall", 3, every=0.2)]

    assert 0.4 <= monotonic() - begun < 2
    assert times[2] - times[0] == pytest.approx(0.4, abs=0.15)


def test_the_pictures_start_again_after_the_last(
    publisher: Publisher, gallery_folder: Path
) -> None:
    list(publisher.publish("photowall", 9))

    assert len(list(gallery_folder.iterdir())) == 4 * 3
    assert MediaItem.objects.count() == 9


def test_another_publisher_goes_on_where_the_first_stopped(
    publisher: Publisher,
) -> None:
    list(publisher.publish("photowall", 3))

    assert Publisher(base_url=BASE).number == 3
    assert Publisher(base_url=BASE, first=70).number == 70


def test_two_publishers_never_use_the_same_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have the same shard and a clock that stands: every id is wanted twice."""

    class Meeting(NativeIds):
        def next(self, moment: float) -> int:
            return super().next(1_790_000_000.0)

    monkeypatch.setattr(publisher_module, "NativeIds", lambda: Meeting(shard=1))
    monkeypatch.setattr(publisher_module, "TRIES", 60)
    posted: list[list[str]] = [[], []]

    def work(mine: list[str]) -> None:
        try:
            done = Publisher(base_url=BASE, first=0).publish("photowall", 25)
            mine.extend(post.native_id for post in done)
        finally:
            connection.close()

    threads = [Thread(target=work, args=[mine]) for mine in posted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [len(mine) for mine in posted] == [25, 25]
    assert len({*posted[0], *posted[1]}) == 50
    assert MediaItem.objects.count() == 50
    assert JournalEntry.objects.count() == 50


def test_a_taken_id_is_not_written_over(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = publisher.publish("photowall")
    taken = int(first.native_id)
    monkeypatch.setattr(publisher._ids, "next", lambda moment: taken)
    before = MediaItem.objects.values().get()

    with pytest.raises(IdTaken):
        list(publisher.publish("photowall"))

    assert MediaItem.objects.values().get() == before
    assert journal.head() == 1
    ids = iter([taken, taken + 1])
    monkeypatch.setattr(publisher._ids, "next", lambda moment: next(ids))
    (second,) = publisher.publish("photowall")
    assert second.native_id == str(taken + 1)


@contextmanager
def running(publisher: Publisher) -> Iterator[None]:
    stop = Event()
    thread = Thread(target=publisher.run, args=[0.05, stop])
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def until(ready: Callable[[], object]) -> None:
    deadline = monotonic() + 15
    while not ready():
        assert monotonic() < deadline, "not within 15 s"
        sleep(0.02)


def test_where_nobody_follows_nothing_is_posted_until_somebody_does(
    publisher: Publisher,
) -> None:
    follow("gone", EndpointState.GONE)
    follow("pending", EndpointState.UNVERIFIED)

    with running(publisher):
        sleep(0.5)
        assert not MediaItem.objects.exists()
        follow("photowall")
        until(MediaItem.objects.tagged("photowall").exists)

    assert not MediaItem.objects.tagged("gone").exists()


def test_the_followed_tags_take_turns(publisher: Publisher) -> None:
    follow("fox")
    follow("hound", EndpointState.FAILING)
    follow("gone", EndpointState.DISABLED)

    with running(publisher):
        until(lambda: MediaItem.objects.count() >= 4)

    fox = MediaItem.objects.tagged("fox").count()
    hound = MediaItem.objects.tagged("hound").count()
    assert followed_tags() == ["fox", "hound"]
    assert abs(fox - hound) <= 1
    assert not MediaItem.objects.tagged("gone").exists()
