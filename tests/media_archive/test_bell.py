"""The doorbell: ringing may fail, nothing else does."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import transaction
from kombu.exceptions import OperationalError

from photowall import bell
from photowall.celery import app

pytestmark = pytest.mark.django_db(transaction=True)


class Broker:
    """Takes messages, or is away."""

    def __init__(self) -> None:
        self.away = False
        self.tried = 0
        self.got: list[tuple[Any, ...]] = []

    def take(self, args: Any, kwargs: Any, **options: Any) -> None:
        self.tried += 1
        assert options == {"retry": False}
        if self.away:
            raise OperationalError("redis://user:secret@host")
        self.got.append(tuple(args))


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    broker = Broker()
    monkeypatch.setattr(bell, "_silent_until", 0.0)
    monkeypatch.setattr(task, "apply_async", broker.take)
    return broker


def never_run(number: int) -> None:
    """Only its bell is listened to."""


task: Any = app.task(name="tests.ring")(never_run)


def test_the_bell_rings_after_the_commit_and_not_after_a_rollback(
    broker: Broker,
) -> None:
    def fail() -> None:
        with transaction.atomic():
            task.delay_on_commit(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert broker.got == []
    with transaction.atomic():
        task.delay_on_commit(2)
        assert broker.got == []
    assert broker.got == [(2,)]


def test_a_broker_that_is_away_costs_nothing_but_a_line_in_the_log(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.away = True
    with transaction.atomic():
        task.delay_on_commit(1)
    assert broker.tried == 1
    assert "Could not ring tests.ring" in caplog.text
    assert "secret" not in caplog.text


def test_after_a_failure_nobody_waits_for_the_broker_again_for_a_while(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.away = True
    assert not task.ring(1)
    broker.away = False
    assert not task.ring(2)
    assert broker.tried == 1
    later = time.monotonic() + bell.PAUSE + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert task.ring(3)
    assert broker.got == [(3,)]


def test_where_no_worker_listens_nothing_is_rung(broker: Broker, settings: Any) -> None:
    settings.PHOTOWALL_RING_TASKS = False
    assert not task.ring(1)
    settings.PHOTOWALL_RING_TASKS = True
    assert task.ring(2)
    assert broker.got == [(2,)]


@pytest.mark.usefixtures("db")
def test_a_real_broker_takes_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "_silent_until", 0.0)
    with app.connection_for_write() as connection:
        queue = connection.SimpleQueue("tests-bell")
        monkeypatch.setattr(task, "queue", "tests-bell", raising=False)
        assert task.ring(7)
        message = queue.get(timeout=10)
        assert message.payload[0] == [7]
        message.ack()
        queue.close()
