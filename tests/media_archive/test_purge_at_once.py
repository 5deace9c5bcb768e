"""Erasing and storing the same post at the same moment: it never comes back.

A page was read before the post was erased, and is stored at any moment around it. The
control shows that the race is run: without the second look at the tombstones, posts
come back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections

from media_archive import ingest, journal, retention, tombstones
from media_archive.models import Author, MediaItem, Tombstone
from media_archive.records import IncomingAuthor, IncomingMedia
from tests.builders import PROVIDER, a_record, store

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 200
CONTROL_ROUNDS = 100


Work = Callable[[int], Any]


def both(first: Work, second: Work, rounds: int = 1) -> None:
    """Do both at once, round by round, each over a connection of its own."""
    start, errors = threading.Barrier(2, timeout=60), []

    def run(work: Work) -> None:
        try:
            for number in range(rounds):
                start.wait()
                work(number)
        except BaseException as error:  # noqa: BLE001  told below
            errors.append(error)
            start.abort()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(work,)) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert errors == []


def store_again(record: IncomingMedia) -> None:
    journal.recorded(lambda r: ingest.store(r, PROVIDER, [record], "nofilter"))


def race(rounds: int) -> int:
    """How many posts are there after each was erased while it was stored again."""
    records = [a_record(f"post-{n}", author=None) for n in range(rounds)]
    stored = store(records).new[::-1]
    # As it was, or changed, so that its row is locked.
    again = [replace(r, likes=7) if n % 2 else r for n, r in enumerate(records)]
    both(
        lambda n: store_again(again[n]),
        lambda n: retention.purge([stored[n]], actor="ada", reason=""),
        rounds,
    )
    return MediaItem.objects.count()


def test_what_is_erased_while_it_is_stored_does_not_come_back() -> None:
    assert race(ROUNDS) == 0
    assert Tombstone.objects.count() == ROUNDS


def test_the_second_look_at_the_tombstones_is_what_keeps_it_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("media_archive.ingest._Page._bury", lambda page: None)
    assert race(CONTROL_ROUNDS) > 0


def test_a_post_that_was_erased_while_the_page_waited_is_taken_back() -> None:
    """The same without chance: the tombstone comes between the two looks."""
    record = a_record("late")
    look = tombstones.entombed
    looks: list[set[str]] = []

    def late(provider: str, native_ids: Any) -> set[str]:
        if not looks:
            looks.append(set())
            Tombstone.objects.create(
                key=Tombstone.key_of(provider, "late"), provider=provider, item_id=1
            )
            return set()
        looks.append(look(provider, native_ids))
        return looks[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tombstones, "entombed", late)
        result = store([record, a_record("other")])
    assert looks == [set(), {"late"}]
    assert (result.entombed, len(result.new)) == (["late"], 1)
    assert MediaItem.objects.get().native_id == "other"
    assert journal.head() == 1


def test_two_who_erase_the_same_at_once_erase_it_once() -> None:
    ids = store([a_record(author=None) for _ in range(60)]).new
    counts: list[int] = []

    def erase(some: list[int]) -> None:
        counts.append(retention.purge(some, actor="", reason=""))

    both(lambda _: erase(ids), lambda _: erase(ids[::-1]))
    assert sum(counts) == 60
    assert (MediaItem.objects.count(), Tombstone.objects.count()) == (0, 60)


def test_an_author_who_posts_while_being_erased_stays_or_comes_back() -> None:
    rounds = 40
    people = [IncomingAuthor(f"a{n}", f"name{n}", None, None) for n in range(rounds)]
    ids = store([a_record(author=author) for author in people]).new[::-1]
    news = [a_record(f"news-{n}", author=people[n]) for n in range(rounds)]
    both(
        lambda n: store_again(news[n]),
        lambda n: retention.purge([ids[n]], actor="", reason=""),
        rounds,
    )
    assert MediaItem.objects.filter(author__isnull=False).count() == rounds
    assert Author.objects.count() == rounds
