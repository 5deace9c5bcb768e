"""What the database gives up for another transaction is done again, as a whole."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from media_archive import ingest, journal, moderation
from media_archive.journal import Noted, Recording
from media_archive.models import JournalEntry, JournalKind, MediaItem
from tests.builders import some_items

pytestmark = pytest.mark.django_db(transaction=True)

DEADLOCK, SERIALISATION, DISK_FULL = "40P01", "40001", "53100"


class Trouble:
    """Refuses the first ``times`` calls as PostgreSQL does, with ``sqlstate``."""

    def __init__(self, times: int, sqlstate: str | None) -> None:
        self.left = times
        self.calls = 0
        self.sqlstate = sqlstate

    def __call__(self) -> None:
        self.calls += 1
        if self.left:
            self.left -= 1
            error = OperationalError("not now")
            if self.sqlstate is not None:
                error.__cause__ = Refused(self.sqlstate)
            raise error


class Refused(Exception):
    """The driver's error behind Django's."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds waited; nobody really waits."""
    waited: list[float] = []
    monkeypatch.setattr(journal, "time", SimpleNamespace(sleep=waited.append))
    return waited


@pytest.mark.also_on_sqlite
@pytest.mark.parametrize("sqlstate", [DISK_FULL, None])
def test_what_will_not_pass_is_not_tried_again(
    waits: list[float], sqlstate: str | None
) -> None:
    trouble = Trouble(1, sqlstate)
    with pytest.raises(OperationalError):
        journal.recorded(lambda _: trouble())
    assert (trouble.calls, waits) == (1, [])
    journal.recorded(lambda _: trouble())


@pytest.mark.also_on_sqlite
@pytest.mark.parametrize("sqlstate", [DEADLOCK, SERIALISATION])
def test_three_times_and_no_more(waits: list[float], sqlstate: str) -> None:
    trouble = Trouble(journal.ATTEMPTS, sqlstate)
    with pytest.raises(OperationalError):
        journal.recorded(lambda _: trouble())
    assert trouble.calls == 3
    assert len(waits) == 2
    assert all(0.05 <= wait <= 0.5 for wait in waits)


@pytest.mark.also_on_sqlite
def test_the_attempt_before_leaves_nothing(waits: list[float]) -> None:
    [item] = some_items(1)
    trouble = Trouble(2, DEADLOCK)

    def work(recording: Recording) -> str:
        MediaItem.objects.filter(pk=item.pk).update(caption="changed")
        recording.add(item, JournalKind.HIDDEN, actor="ada")
        trouble()
        return "done"

    assert journal.recorded(work) == "done"
    assert JournalEntry.objects.filter(kind=JournalKind.HIDDEN).count() == 1
    assert journal.head() == 2
    assert len(waits) == 2


@pytest.mark.also_on_sqlite
def test_a_decision_is_taken_again(
    waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    item, other = some_items(2)
    trouble = Trouble(1, DEADLOCK)
    add = Recording.add

    def refuse(self: Recording, *said: object, **more: object) -> Noted:
        trouble()
        return add(self, *said, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Recording, "add", refuse)
    both = (pk for pk in (item.pk, other.pk))
    assert moderation.hide(both, actor="ada") == 2
    assert JournalEntry.objects.filter(kind=JournalKind.HIDDEN).count() == 2
    assert len(waits) == 1


@pytest.mark.also_on_sqlite
def test_a_recorded_page_is_stored_again(
    waits: list[float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trouble = Trouble(1, SERIALISATION)
    store = ingest.store

    def refuse(*said: object, **more: object) -> ingest.StoreResult:
        result = store(*said, **more)  # type: ignore[arg-type]
        trouble()
        return result

    monkeypatch.setattr(ingest, "store", refuse)
    (tmp_path / "one.json").write_text(
        '{"id": "1", "type": "image", "tags": [], '
        '"images": {"low_resolution": {"url": "https://a.example/1.jpg"}}}'
    )
    call_command("replay_samples", str(tmp_path))
    assert MediaItem.objects.count() == journal.head() == 1
    assert len(waits) == 1


def test_a_real_deadlock_costs_nobody_his_work() -> None:
    first, second = some_items(2)
    both_hold_one = threading.Barrier(2)
    begun: list[int] = []

    def work(mine: MediaItem, theirs: MediaItem, recording: Recording) -> None:
        MediaItem.objects.filter(pk=mine.pk).update(caption="changed")
        begun.append(mine.pk)
        if begun.count(mine.pk) == 1:
            both_hold_one.wait(20)
        MediaItem.objects.filter(pk=theirs.pk).update(caption="changed")
        recording.add(mine, JournalKind.CHANGED)

    def run(pair: tuple[MediaItem, MediaItem]) -> None:
        try:
            journal.recorded(partial(work, *pair))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, [(first, second), (second, first)]))
    assert JournalEntry.objects.filter(kind=JournalKind.CHANGED).count() == 2
    assert len(begun) == 3, "one of them had to begin again"
