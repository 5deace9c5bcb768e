"""Bells and sweeps: lost, doubled or late, the work is done once and never lost."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.models import F
from django.test import Client
from kombu.exceptions import OperationalError as BrokerAway

from media_archive import claims
from media_archive.models import MediaItem
from media_archive.tasks import keep_pictures
from photowall.bell import BellTask
from subscriptions import fetching, inbox, keeping, lifecycle, tasks
from subscriptions.errors import BadAnswer
from subscriptions.models import Feed, Receipt, State, Subscription
from tests.subscriptions.following import all_at_once
from tests.subscriptions.upstream import (
    Upstream,
    a_subscription,
    an_account,
    notification,
    signed,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]


@pytest.fixture(autouse=True)
def _pictures_are_rung_for_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the floor below rings for is tested there."""
    monkeypatch.setattr(keep_pictures, "delay_on_commit", lambda: None)


def run(bells: list[tuple[str, Any]]) -> None:
    """A worker: do what was rung for, and what that rings for."""
    for _ in range(50):
        if not bells:
            return
        name, pk = bells.pop(0)
        Feed.objects.update(rest_until=None)
        getattr(tasks, name)(*(() if pk is None else (pk,)))
    raise AssertionError("The bells do not come to rest.")


def test_with_the_broker_away_notifications_are_kept_and_found_later(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, rung: list[Any]
) -> None:
    subscription = a_subscription(done_seq=1)
    upstream.post(3)

    def away(*_: object, **__: object) -> None:
        raise BrokerAway("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(BellTask, "apply_async", away)
        body = notification()
        response = Client().post(
            f"/callbacks/{subscription.callback_id}/",
            body,
            content_type="application/json",
            headers=signed(body),
        )
        assert response.status_code == 200
    assert Receipt.objects.count() == 1
    assert rung == []
    # After a failure the bell is silent for two seconds.
    monkeypatch.setattr("photowall.bell._silent_until", 0.0)
    tasks.reconcile()
    assert rung == [("fetch_subscription", subscription.pk)]
    run(rung)
    assert MediaItem.objects.count() == 3


def notify(subscription: Subscription, number: int) -> None:
    body = notification(time=1438104912 + number)
    response = Client().post(
        f"/callbacks/{subscription.callback_id}/",
        body,
        content_type="application/json",
        headers=signed(body),
    )
    assert response.status_code == 200


def test_a_storm_of_notifications_is_one_bell_until_it_is_answered(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, rung: list[Any]
) -> None:
    monkeypatch.setattr(keeping, "BELL", timedelta(minutes=1))
    monkeypatch.setattr(fetching, "REST", timedelta(minutes=1))
    subscription = a_subscription(done_seq=1)
    bell = ("fetch_subscription", subscription.pk)
    upstream.post(3)
    for number in range(10):
        notify(subscription, number)
    assert rung == [bell]
    assert Receipt.objects.count() == 10
    # Said while we read: who reads comes back for it.
    upstream.before_page = lambda _: notify(subscription, 10)
    tasks.fetch_subscription(*rung.pop()[1:])
    assert rung == [bell]
    upstream.before_page = lambda _: None
    # It rests: of the bells that come now, one waits for the end of that.
    tasks.fetch_subscription(*rung.pop()[1:])
    assert rung == [bell]
    notify(subscription, 11)
    assert rung == [bell]
    run(rung)
    assert not Feed.objects.filter(dirty_seq__gt=F("done_seq")).exists()
    notify(subscription, 12)
    assert rung == [bell], "a new one, for there is something new"


def test_of_notifications_at_once_one_rings(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "BELL", timedelta(minutes=1))
    subscription = a_subscription(done_seq=1)
    numbers = itertools.count()

    def accept() -> int | None:
        body = notification(time=1438104912 + next(numbers))
        return inbox.accept(str(subscription.callback_id), signed(body), body).feed_pk

    assert all_at_once(6, accept).count(subscription.pk) == 1
    assert Feed.objects.get().dirty_seq == 7


def test_a_bell_that_was_not_answered_is_rung_again_by_the_next_notification(
    upstream: Upstream, rung: list[Any]
) -> None:
    subscription = a_subscription(done_seq=1)
    notify(subscription, 1)
    rung.clear()
    Feed.objects.update(bell_at=datetime.now(UTC) - keeping.BELL - timedelta(seconds=1))
    notify(subscription, 2)
    assert rung == [("fetch_subscription", subscription.pk)]
    rung.clear()
    tasks.reconcile()
    assert rung == [("fetch_subscription", subscription.pk)], "the sweep finds it"


def test_a_following_whose_bell_was_lost_is_asked_for_and_read(
    upstream: Upstream, rung: list[Any]
) -> None:
    upstream.post(5)
    made = lifecycle.create(an_account(), "nofilter", "ada")
    tasks.reconcile()
    assert rung == [("request_subscription", made.pk)]
    run(rung)
    made.refresh_from_db()
    assert made.state == State.ACTIVE
    assert MediaItem.objects.count() == 5
    lifecycle.end(made.pk, "ada")
    tasks.reconcile()
    assert rung == [("end_subscription", made.pk)]
    run(rung)
    made.refresh_from_db()
    assert made.state == State.ENDED
    tasks.reconcile()
    assert rung == []


def test_the_sweep_gives_up_what_is_stuck_and_trims(rung: list[Any]) -> None:
    subscription = a_subscription(state=State.VERIFYING)
    long_ago = datetime.now(UTC) - timedelta(days=8)
    Subscription.objects.update(challenge_asked_at=long_ago)
    Receipt.objects.create(
        subscription=subscription, body=b"", body_sha256="0", received_at=long_ago
    )
    tasks.reconcile()
    subscription.refresh_from_db()
    assert subscription.state == State.FAILED
    assert not Receipt.objects.exists()


def test_a_thousand_bells_are_one_reading(
    upstream: Upstream, rung: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than these readings may take on a busy machine.
    monkeypatch.setattr(fetching, "REST", timedelta(minutes=1))
    subscription = a_subscription()
    upstream.post(3)
    for _ in range(20):
        tasks.fetch_subscription(subscription.pk)
    assert upstream.count("page") == 1
    assert rung == []
    Feed.objects.update(dirty_seq=F("dirty_seq") + 1)
    upstream.post()
    for _ in range(20):
        tasks.fetch_subscription(subscription.pk)
    assert upstream.count("page") == 1, "the tag rests"
    assert rung == [("fetch_subscription", subscription.pk)], "one bell for its end"
    run(rung)
    assert MediaItem.objects.count() == 4


def test_workers_that_start_at_once_read_once(
    upstream: Upstream, rung: list[Any]
) -> None:
    """On PostgreSQL this also shows that the claim is looked at again after waiting
    for another worker's: nobody wins twice."""
    subscription = a_subscription()
    upstream.post(3)
    workers = 6
    barrier = threading.Barrier(workers)
    epochs: list[int | None] = []

    def claim() -> None:
        barrier.wait()
        epochs.append(claims.claim(Feed.objects.due(), subscription.pk, 45))
        connections.close_all()

    for _ in range(10):
        Feed.objects.update(claim_until=None)
        epochs.clear()
        threads = [threading.Thread(target=claim) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([epoch for epoch in epochs if epoch is not None]) == 1


def test_polling_rings_for_what_it_marks(upstream: Upstream, rung: list[Any]) -> None:
    subscription = a_subscription(done_seq=1)
    upstream.post()
    tasks.poll_due()
    assert rung == [("fetch_subscription", subscription.pk)]
    run(rung)
    assert MediaItem.objects.count() == 1
    tasks.poll_due()
    assert rung == []


def test_where_nobody_listens_nothing_is_rung(
    upstream: Upstream,
    rung: list[Any],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "REST", timedelta(minutes=1))
    subscription = a_subscription()
    tasks.fetch_subscription(subscription.pk)
    Feed.objects.update(dirty_seq=F("dirty_seq") + 1)
    settings.PHOTOWALL_RING_TASKS = False
    tasks.fetch_subscription(subscription.pk)
    assert rung == []
    settings.PHOTOWALL_RING_TASKS = True
    Feed.objects.update(bell_at=None)
    tasks.fetch_subscription(subscription.pk)
    assert rung == [("fetch_subscription", subscription.pk)]


def test_subscribe_on_the_command_line(
    upstream: Upstream, rung: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match="no provider account"):
        call_command("subscribe", "sunset")
    an_account()
    with pytest.raises(CommandError, match="no account “Other”"):
        call_command("subscribe", "sunset", account="Other")
    with pytest.raises(CommandError, match="cannot be in it"):
        call_command("subscribe", "🎉")
    call_command("subscribe", "#Sunset", account="Pretend")
    assert capsys.readouterr().out == "#sunset is active.\n"
    with pytest.raises(CommandError, match="followed already"):
        call_command("subscribe", "sunset")

    def refuse(*_: object) -> None:
        raise BadAnswer("The answer is not JSON.")

    upstream.on_subscribe = refuse
    with pytest.raises(CommandError, match="not the provider's API"):
        call_command("subscribe", "other")


def test_replay_on_the_command_line(
    upstream: Upstream, rung: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    subscription = a_subscription()
    body = notification("other")
    inbox.accept(str(subscription.callback_id), signed(body), body)
    receipt = Receipt.objects.get()
    with pytest.raises(CommandError, match="no receipt"):
        call_command("replay_receipt", str(receipt.pk + 1))
    call_command("replay_receipt", str(receipt.pk))
    assert "ignored. It is about tag other." in capsys.readouterr().out
    Subscription.objects.update(tag="other")
    call_command("replay_receipt", str(receipt.pk))
    assert "applied." in capsys.readouterr().out
    assert rung == [("fetch_subscription", subscription.pk)]
