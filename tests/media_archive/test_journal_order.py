"""The journal's promise: numbers without gaps, in the order of the commits.

Whoever has read up to a number never finds a smaller one later, however many write
at once. The control shows that a plain auto-increment id breaks exactly this.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import threading
import time
from collections.abc import Callable

import psycopg
import pytest
from django.db import connection, connections, transaction

from media_archive import ingest, journal, moderation
from media_archive.models import JournalEntry, MediaItem
from tests.builders import a_record, an_item, store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]
WRITERS = 4
EACH = 15


class Reader(threading.Thread):
    """Follows the journal by cursor while others write."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []
        self.looks_with_news = 0
        self._ended = threading.Event()

    def run(self) -> None:
        cursor = 0
        while True:
            ended = self._ended.is_set()
            entries = journal.read(cursor, 7)
            if entries:
                self.looks_with_news += 1
                self.seen += [entry.seq for entry in entries]
                cursor = entries[-1].seq
            elif ended:
                break
            else:
                time.sleep(0.001)
        connections.close_all()

    def finish(self) -> list[int]:
        self._ended.set()
        self.join(30)
        assert not self.is_alive()
        return self.seen


def write(writer: int) -> None:
    """Store, change, hide: transactions of different length, rolled back at times."""
    chance = random.Random(writer)
    for number in range(EACH):
        name = f"w{writer}-{number}"
        with journal.recording() as recording:
            item = _stored(recording, name)
            time.sleep(chance.random() / 200)
        if number % 3 == 0:
            moderation.hide([item], actor="ada")
        if number % 4 == 0:
            _roll_back(f"never-{name}")
    connections.close_all()


def _stored(recording: journal.Recording, name: str) -> int:
    return ingest.store(recording, "instagram_v1", [a_record(name)]).new[0]


def _roll_back(name: str) -> None:
    class OnPurposeError(Exception):
        pass

    with contextlib.suppress(OnPurposeError), journal.recording() as recording:
        _stored(recording, name)
        raise OnPurposeError


def the_whole(reader: Reader) -> None:
    seen = reader.finish()
    expected = WRITERS * (EACH + len(range(0, EACH, 3)))
    assert seen == list(range(1, expected + 1))
    assert list(JournalEntry.objects.values_list("seq", flat=True)) == seen
    assert journal.head() == expected
    assert not MediaItem.objects.filter(native_id__startswith="never").exists()
    # It did read while they wrote, and did not only look at the result.
    assert reader.looks_with_news > 10


def test_threads_write_in_the_order_of_their_commits() -> None:
    reader = Reader()
    reader.start()
    writers = [threading.Thread(target=write, args=[n]) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert not writer.is_alive()
    the_whole(reader)


def test_processes_write_in_the_order_of_their_commits() -> None:
    connections.close_all()  # a child must not inherit our connection
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=write, args=[n]) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    reader = Reader()
    reader.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    the_whole(reader)


def test_who_has_a_number_is_committed_before_anybody_gets_the_next() -> None:
    """One writer is held between taking its number and its commit."""
    an_item()
    took, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            journal._take_numbers(1)
            took.set()
            go_on.wait(10)
            item = MediaItem.objects.get()
            JournalEntry.objects.create(
                seq=2, kind="changed", item=item, revision=2, at=item.changed_at
            )
        connections.close_all()

    def fast() -> None:
        store([a_record()])
        done.set()
        connections.close_all()

    one = threading.Thread(target=slow)
    one.start()
    assert took.wait(10)
    two = threading.Thread(target=fast)
    two.start()
    assert not done.wait(0.5)
    assert [entry.seq for entry in journal.read(0, 10)] == [1]
    go_on.set()
    one.join(10)
    two.join(10)
    assert done.is_set()
    assert [entry.seq for entry in journal.read(0, 10)] == [1, 2, 3]


def test_control_an_auto_increment_id_loses_entries(
    new_postgres_database: Callable[[], str],
) -> None:
    """The same scene with a plain id, on PostgreSQL: the cursor passes by the one
    that commits late."""
    url = new_postgres_database()
    with psycopg.connect(url) as slow, psycopg.connect(url) as fast:
        slow.execute("CREATE TABLE plain (id bigserial PRIMARY KEY)")
        slow.commit()
        slow.execute("INSERT INTO plain DEFAULT VALUES")  # has its number, 1
        fast.execute("INSERT INTO plain DEFAULT VALUES")
        fast.commit()

        def read(cursor: int) -> list[int]:
            with psycopg.connect(url) as reader:
                rows = reader.execute(
                    "SELECT id FROM plain WHERE id > %s ORDER BY id", [cursor]
                ).fetchall()
            return [row[0] for row in rows]

        seen = read(0)
        assert seen == [2]
        slow.commit()
        assert read(seen[-1]) == []  # 1 is never seen by this cursor
        assert read(0) == [1, 2]  # though it is there


def test_nothing_is_written_when_the_block_fails() -> None:
    _roll_back("p1")
    assert journal.head() == 0
    assert not JournalEntry.objects.exists()
    an_item("p1")
    assert journal.head() == 1


def test_a_recording_is_the_outermost_transaction() -> None:
    durable = pytest.raises(RuntimeError, match="durable")
    with transaction.atomic(), durable, journal.recording():
        an_item()
    assert not connection.in_atomic_block
