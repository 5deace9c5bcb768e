"""Workers that settle shots of one author at once, beside pages that are stored."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connections

from media_archive import clusters, ingest, journal
from media_archive.models import JournalEntry, MediaItem
from media_archive.records import IncomingAuthor
from tests.builders import a_record, store
from tests.media_archive.alike.shots import (
    a_post,
    a_shot,
    at,
    cluster_of,
    near,
    settle,
    somebody,
)

pytestmark = pytest.mark.django_db(transaction=True)
SHOT = 0x0123_4567_89AB_CDEF


def at_once(work: Sequence[Callable[[], None]]) -> list[BaseException]:
    """Does all of ``work`` in threads that begin together; what went wrong."""
    wrong: list[BaseException] = []
    together = threading.Barrier(len(work))

    def run(one: Callable[[], None]) -> None:
        try:
            together.wait(10)
            one()
        except BaseException as error:  # noqa: BLE001  told to the test
            wrong.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[one]) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return wrong


def settling(items: Sequence[MediaItem]) -> Callable[[], None]:
    def run() -> None:
        for item in items:
            settle(item.pk, SHOT)

    return run


def test_two_workers_make_one_cluster() -> None:
    posts = [a_post(n) for n in range(12)]
    assert at_once([settling(posts[n::4]) for n in range(4)]) == []
    assert len({cluster_of(item) for item in posts}) == 1
    told = JournalEntry.objects.filter(kind="pictured").count()
    assert told == 12


def test_control_without_the_authors_lock_there_would_be_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The scene does find it: both look before one has written."""
    monkeypatch.setattr(clusters, "_one_at_a_time", lambda author_id: None)
    both_looked = threading.Barrier(2)
    look = clusters._alike

    def slowly(author_id: int, item: MediaItem, shot: clusters.Look) -> set[int]:
        found = look(author_id, item, shot)
        both_looked.wait(10)
        return found

    monkeypatch.setattr(clusters, "_alike", slowly)
    posts = [a_post(n) for n in range(2)]
    assert at_once([settling([post]) for post in posts]) == []
    assert len({cluster_of(item) for item in posts}) == 2


def test_pages_and_settling_do_not_hold_each_other_up() -> None:
    """Pages lock items and then authors, and so does settling; clusters become one
    while pages change the very items that move."""
    chance = random.Random(7)
    names = [f"p{number:02}" for number in range(24)]
    said: dict[str, Any] = {n: at(i) for i, n in enumerate(names)}

    def page(turn: int) -> list[Any]:
        ana = IncomingAuthor("7", "ana", f"Ana {turn}", None)
        return [
            a_record(n, posted_at=said[n], likes=turn, author=ana, caption="same")
            for n in chance.sample(names, 12)
        ]

    store([a_record(n, posted_at=said[n], author=somebody("7")) for n in names])
    pages = [page(turn) for turn in range(1, 31)]
    keys = dict(MediaItem.objects.values_list("native_id", "pk"))
    # Distant ones first: the last ones bridge, and whole clusters move.
    order = [*names[::2], *names[1::2]]
    hashes = {n: SHOT ^ (2 ** (5 * (i % 12)) - 1) for i, n in enumerate(names)}

    def reading(portion: Sequence[list[Any]]) -> Callable[[], None]:
        def run() -> None:
            for records in portion:
                journal.recorded(partial(store_page, records=records))

        return run

    def bringing(portion: Sequence[str]) -> Callable[[], None]:
        def run() -> None:
            for name in portion:
                again(partial(settle, keys[name], hashes[name]))

        return run

    work = [reading(pages[n::2]) for n in range(2)]
    work += [bringing(order[n::3]) for n in range(3)]
    assert at_once(work) == []
    clusters_now = {cluster_of(item) for item in MediaItem.objects.all()}
    assert len(clusters_now) == 1
    seqs = list(JournalEntry.objects.order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, len(seqs) + 1))


def store_page(recording: journal.Recording, records: list[Any]) -> None:
    ingest.store(recording, "instagram_v1", records)


def again(work: Callable[[], None]) -> None:
    """As a worker does: what met a lock three times is tried later. A deadlock is
    never what it met."""
    for _ in range(20):
        try:
            return work()
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != "55P03":
                raise
    raise AssertionError("never got through")


def test_an_item_that_somebody_writes_is_not_waited_for() -> None:
    """A bridging shot meets a locked item: it comes back, and nothing is half done."""
    left, right = a_shot(SHOT), a_shot(near(SHOT, 10), 1)
    bridge = a_post(2)
    held, go_on = threading.Event(), threading.Event()

    def hold(recording: journal.Recording) -> None:
        list(MediaItem.objects.filter(pk=right.pk).select_for_update(no_key=True))
        held.set()
        go_on.wait(10)

    def holding() -> None:
        journal.recorded(hold)
        connections.close_all()

    holder = threading.Thread(target=holding)
    holder.start()
    assert held.wait(10)
    releasing = threading.Timer(0.02, go_on.set)
    releasing.start()
    settle(bridge.pk, near(SHOT, 5))
    holder.join(10)
    assert {cluster_of(i) for i in (left, right, bridge)} == {left.pk}
