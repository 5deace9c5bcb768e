"""The journal: gap-free, in commit order, in the same transaction."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from media_archive import journal, moderation
from media_archive.models import JournalEntry, JournalKind, MediaItem
from media_archive.signals import journal_grew, media_item_archived
from tests.builders import a_record, an_item, some_items, store

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]


class Ears:
    """What was heard, and what could be read at that moment."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any, int]] = []

    def grew(self, seq: int, **_: Any) -> None:
        self.heard.append(("grew", seq, journal.head()))

    def archived(self, ids: list[int], **_: Any) -> None:
        self.heard.append(("archived", ids, journal.head()))


@pytest.fixture
def ears() -> Any:
    ears = Ears()
    journal_grew.connect(ears.grew)
    media_item_archived.connect(ears.archived)
    yield ears
    journal_grew.disconnect(ears.grew)
    media_item_archived.disconnect(ears.archived)


def test_inside_another_transaction_it_refuses_to_begin() -> None:
    def nested() -> None:
        with transaction.atomic(), journal.recording():
            pass

    with pytest.raises(RuntimeError):
        nested()
    with journal.recording():
        pass


def test_what_is_rolled_back_leaves_no_entry_no_gap_and_no_sound(ears: Ears) -> None:
    item = an_item()
    ears.heard.clear()

    def fail() -> None:
        with journal.recording() as recording:
            recording.add(item, JournalKind.HIDDEN, actor="ada")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert journal.head() == 1
    assert ears.heard == []
    moderation.hide([item.pk], actor="ada")
    assert [entry.seq for entry in journal.read(0, 9)] == [1, 2]
    assert ears.heard == [("grew", 2, 2)]


def test_nothing_noted_is_nothing_written(ears: Ears) -> None:
    with journal.recording():
        pass
    assert (journal.head(), ears.heard) == (0, [])


def test_listeners_hear_after_the_commit_and_cannot_break_it(ears: Ears) -> None:
    def broken(**_: Any) -> None:
        raise ZeroDivisionError

    journal_grew.connect(broken)
    try:
        result = store([a_record(), a_record()])
    finally:
        journal_grew.disconnect(broken)
    assert ears.heard == [("grew", 2, 2), ("archived", result.new, 2)]


def test_a_change_is_no_news_of_something_archived(ears: Ears) -> None:
    item = an_item("p")
    ears.heard.clear()
    store([a_record("p", caption="other")])
    moderation.hide([item.pk], actor="ada")
    assert [what for what, _, _ in ears.heard] == ["grew", "grew"]


def test_readers_go_on_from_their_number() -> None:
    items = some_items(5)
    assert [entry.seq for entry in journal.read(0, 2)] == [1, 2]
    assert [entry.seq for entry in journal.read(2, 100)] == [3, 4, 5]
    assert journal.read(5, 100) == []
    assert [entry.item_id for entry in journal.read(0, 9)] == [i.pk for i in items]


def test_an_entry_outlives_its_item() -> None:
    item = an_item()
    MediaItem.objects.all().delete()
    [entry] = journal.read(0, 9)
    assert entry.item_id == item.pk
    assert str(item.pk) in str(entry)


def test_an_entry_says_who_and_why() -> None:
    item = an_item()
    moderation.hide([item.pk], actor="ada", reason="too loud")
    entry = journal.read(1, 9)[0]
    assert (entry.kind, entry.actor) == ("hidden", "ada")
    assert entry.detail == {"reason": "too loud"}
    assert entry.revision == 2


WRITERS = 8
EACH = 12


def test_whoever_has_read_up_to_a_number_never_finds_a_smaller_one_later() -> None:
    """Many writers commit at once, some roll back, while a reader follows."""
    items = some_items(WRITERS)
    head = journal.head()
    done = threading.Event()
    failures: list[str] = []

    def follow() -> int:
        cursor = head
        try:
            while True:
                last_look = done.is_set()
                for entry in journal.read(cursor, 1000):
                    if entry.seq != cursor + 1:
                        failures.append(f"{entry.seq} came after {cursor}")
                    cursor = entry.seq
                if last_look:
                    return cursor
        finally:
            connection.close()

    def write(item: MediaItem) -> None:
        try:
            for number in range(EACH):
                if number % 4 == 3:
                    give_up(item)
                moderation.pin([item.pk], actor="ada")
                moderation.unpin([item.pk], actor="ada")
        finally:
            connection.close()

    def give_up(item: MediaItem) -> None:
        try:
            with journal.recording() as recording:
                recording.add(item, JournalKind.CHANGED)
                raise ZeroDivisionError
        except ZeroDivisionError:
            return

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        reader = pool.submit(follow)
        try:
            list(pool.map(write, items))
        finally:
            done.set()
        reached = reader.result(60)

    assert failures == []
    assert reached == journal.head() == head + WRITERS * EACH * 2
    assert JournalEntry.objects.count() == journal.head()
