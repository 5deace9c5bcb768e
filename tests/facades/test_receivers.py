"""The bell of the deliveries: few rings, never none, never an error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from pytest_django import Settings

from media_archive.signals import journal_grew
from photowall.bell import BellTask
from photowall.facades import receivers
from photowall.facades.models import Endpoint
from photowall.facades.receivers import Coalescer
from photowall.facades.tasks import deliver_all
from tests.builders import some_items
from tests.facades.waiting import wait_until

FAR = "https://wall.example.org/callback"


def test_a_burst_rings_at_once_and_once_more_after_its_end() -> None:
    rung: list[float] = []
    spacing = 1.0
    bell = Coalescer(lambda: rung.append(time.monotonic()), spacing)
    bell.hit()
    assert len(rung) == 1
    assert not bell.is_waiting()
    for _ in range(300):
        bell.hit()
    last = time.monotonic()
    assert bell.is_waiting()
    assert wait_until(lambda: len(rung) == 2)
    assert rung[1] >= last
    assert not bell.is_waiting()
    bell.hit()
    assert wait_until(lambda: len(rung) == 3)
    assert rung[2] - rung[1] >= 0.9 * spacing


def test_a_hit_is_always_followed_by_a_ring() -> None:
    """Hits of several threads, while rings happen."""
    hits, seen = 0, []
    lock = threading.Lock()

    def ring() -> None:
        with lock:
            seen.append(hits)

    bell = Coalescer(ring, 0.02)

    def knock() -> None:
        nonlocal hits
        for _ in range(50):
            with lock:
                hits += 1
            bell.hit()
            time.sleep(0.001)

    begun = time.monotonic()
    threads = [threading.Thread(target=knock) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wait_until(lambda: seen[-1] == hits == 200 and not bell.is_waiting())
    assert len(seen) <= (time.monotonic() - begun) / 0.02 + 2


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[str]:
    settings.PHOTOWALL_RING_TASKS = True
    rung: list[str] = []
    monkeypatch.setattr(receivers, "bell", Coalescer(lambda: rung.append("ring"), 0.0))
    return rung


@pytest.mark.django_db(transaction=True)
def test_only_who_follows_us_makes_it_ring(
    rings: list[str], an_endpoint: Callable[..., Endpoint], settings: Settings
) -> None:
    some_items(1, tags=["fox"])
    assert not rings
    an_endpoint(FAR)
    some_items(1, tags=["fox"])
    assert rings == ["ring"]
    settings.PHOTOWALL_RING_TASKS = False
    some_items(1, tags=["fox"])
    assert rings == ["ring"]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_raises_nothing(
    an_endpoint: Callable[..., Endpoint],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.PHOTOWALL_RING_TASKS = True
    tried = []

    def away(*args: object, **options: object) -> None:
        tried.append(args)
        raise ConnectionError("no broker")

    monkeypatch.setattr("photowall.bell._silent_until", 0.0)
    monkeypatch.setattr(deliver_all, "apply_async", away)
    assert isinstance(deliver_all, BellTask)
    an_endpoint(FAR)
    answers = journal_grew.send_robust(None, seq=1)
    assert tried
    assert not [answer for _, answer in answers if isinstance(answer, Exception)]
    monkeypatch.setattr("photowall.bell._silent_until", 0.0)
