"""Deliveries beside the web server: prompt, also for posts of another process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from time import monotonic, sleep

import pytest
from django.db import OperationalError

from photowall.sandbox import threads as threads_module
from photowall.sandbox.publisher import Publisher
from photowall.sandbox.threads import SWEEP, Threads, deliver

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def delivering() -> Iterator[None]:
    threads = Threads()
    threads.start(deliver, "deliveries")
    try:
        yield
    finally:
        assert threads.end(10) == []


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When ``deliver_due`` was called."""
    times: list[float] = []
    monkeypatch.setattr(
        threads_module, "deliver_due", lambda: times.append(monotonic())
    )
    return times


def until(ready: Callable[[], object]) -> None:
    deadline = monotonic() + 10
    while not ready():
        assert monotonic() < deadline, "not within 10 s"
        sleep(0.005)


def test_a_post_is_told_long_before_the_sweep(rung: list[float]) -> None:
    publisher = Publisher(base_url="http://127.0.0.1:8001")
    list(publisher.publish("photowall"))  # its picture is drawn now
    with delivering():
        until(lambda: rung)
        rung.clear()
        (post,) = publisher.publish("photowall", 1)
        stored = monotonic()
        until(lambda: rung)

    assert post.seq == 2
    assert rung[0] - stored < SWEEP / 2


def test_a_post_of_another_process_is_told_too(
    rung: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its signal is not heard here: only the journal tells of it."""
    monkeypatch.setattr(threads_module, "SWEEP", 3600.0)
    publisher = Publisher(base_url="http://127.0.0.1:8001")
    list(publisher.publish("photowall"))
    with delivering():
        until(lambda: rung)
        heard = len(rung)
        sleep(0.4)
        assert len(rung) == heard, "nothing new, nothing rung"
        with monkeypatch.context() as deaf:
            deaf.setattr("media_archive.journal.journal_grew.send_robust", silent)
            list(publisher.publish("photowall"))
        until(lambda: len(rung) > heard)


def test_what_waits_for_another_attempt_is_looked_for(
    rung: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads_module, "SWEEP", 0.05)

    with delivering():
        until(lambda: len(rung) >= 3)


def test_a_database_that_does_not_answer_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def fail_twice() -> None:
        calls.append(1)
        if len(calls) < 3:
            raise OperationalError("database is locked")

    monkeypatch.setattr(threads_module, "deliver_due", fail_twice)
    with delivering():
        until(lambda: len(calls) >= 3)


def test_who_does_not_end_in_time_is_named() -> None:
    release = Event()
    threads = Threads()
    threads.start(lambda stop: hold(release), "the slow one")
    threads.start(hold, "the quick one")

    assert threads.end(0.2) == ["the slow one"]
    release.set()
    assert threads.end(10) == []


def silent(*args: object, **named: object) -> None:
    """A signal that nobody hears."""


def hold(event: Event) -> None:
    """Work that goes on until ``event``."""
    event.wait(30)
