"""Group commit: many share a commit, and each is answered for its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError, connection, connections
from django.utils import timezone
from psycopg.errors import DeadlockDetected

from subscriptions import callback_door, group_commit, keeping
from subscriptions.callback_door import CallbackDoor
from subscriptions.models import Feed, Receipt, ReceiptState, State, Subscription
from tests.subscriptions.knocking import Answer, ask, ask_all, good, talk
from tests.subscriptions.upstream import (
    Upstream,
    a_subscription,
    an_account,
    notification,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]

KEEP = keeping.keep


@pytest.fixture
def subscription(upstream: Upstream, door: CallbackDoor) -> Subscription:
    """Active, with nothing to read."""
    return a_subscription(done_seq=1)


def statuses(answers: Sequence[Answer]) -> set[int]:
    return {answer.status for answer in answers}


def numbered(count: int, start: int = 0) -> list[bytes]:
    return [notification(time=number) for number in range(start, start + count)]


class Lock:
    """A database that somebody else holds locked: writing waits until it is open."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()

    def __call__(self, arrivals: Sequence[keeping.Arrival]) -> set[int]:
        self.reached.set()
        assert self.open.wait(30)
        return KEEP(arrivals)


@pytest.fixture
def lock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lock]:
    lock = Lock()
    monkeypatch.setattr(keeping, "keep", lock)
    yield lock
    lock.open.set()


def test_many_at_once_are_all_kept_in_few_commits(
    subscription: Subscription, door: CallbackDoor, rung: list[Any]
) -> None:
    before = door.desk.receipts.done
    answers = ask_all([good(subscription, body) for body in numbered(200)])
    assert statuses(answers) == {200}
    assert Receipt.objects.count() == 200
    assert 1 <= door.desk.receipts.done - before <= 40
    feed = Feed.objects.get()
    assert (feed.dirty_seq, feed.heard_seq) == (201, 201)
    assert feed.last_heard_at is not None
    door.rest()
    assert rung == [("fetch_subscription", subscription.pk)]


def test_receipts_stand_in_the_order_in_which_they_came(
    subscription: Subscription,
) -> None:
    bodies = numbered(60)
    assert statuses(ask_all([good(subscription, body) for body in bodies])) == {200}
    kept = Receipt.objects.order_by("pk").values_list("body", flat=True)
    assert [bytes(body) for body in kept] == bodies


def test_the_same_body_many_times_at_once_is_one_receipt(
    subscription: Subscription,
) -> None:
    body, other = numbered(2)
    bodies = [body] * 30 + [other] + [body] * 30
    assert statuses(ask_all([good(subscription, each) for each in bodies])) == {200}
    assert sorted(Receipt.objects.values_list("seen", flat=True)) == [1, 60]
    assert Feed.objects.get().dirty_seq == 62
    # And once more, later.
    assert ask(good(subscription, body)).status == 200
    receipt = Receipt.objects.get(seen=61)
    assert receipt.last_seen_at > receipt.received_at
    assert Feed.objects.get().heard_seq == 63


def test_a_repeat_that_is_read_differently_says_so(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "FRESH", 0.0)
    body = notification("other")
    ask(good(subscription, body))
    assert Receipt.objects.get().state == "ignored"
    feed = Feed.objects.get()
    assert (feed.dirty_seq, feed.heard_seq) == (1, 0)
    Subscription.objects.update(tag="other")
    ask(good(subscription, body))
    receipt = Receipt.objects.get()
    assert (receipt.state, receipt.reason, receipt.seen) == ("applied", "", 2)
    feed = Feed.objects.get()
    assert (feed.dirty_seq, feed.heard_seq) == (2, 2)


def test_while_the_database_fails_nobody_is_told_that_it_is_kept(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch, rung: list[Any]
) -> None:
    def away(_: object) -> set[int]:
        raise OperationalError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(keeping, "keep", away)
        answers = ask_all([good(subscription, body) for body in numbered(20)])
    assert statuses(answers) == {503}
    assert {answer.headers["retry-after"] for answer in answers} == {"5"}
    assert not Receipt.objects.exists()
    assert rung == []
    answers = ask_all([good(subscription, body) for body in numbered(20)])
    assert statuses(answers) == {200}
    assert Receipt.objects.count() == 20


def test_a_failure_in_the_middle_leaves_nothing_half_written(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: object) -> None:
        raise OperationalError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(keeping, "_write_receipts", breaks)
        assert ask(good(subscription, notification())).status == 503
    feed = Feed.objects.get()
    assert (feed.dirty_seq, feed.last_heard_at, feed.bell_at) == (1, None, None)
    assert ask(good(subscription, notification())).status == 200
    assert Feed.objects.get().dirty_seq == 2


@pytest.mark.parametrize(
    ("ago", "rings"), [(1.0, False), (3.0, True), (-1.5, False), (-3600.0, True)]
)
def test_a_bell_that_lies_far_ahead_is_not_believed(
    subscription: Subscription, rings: bool, ago: float
) -> None:
    """Somebody's clock was wrong: the tag must not stay silent until then."""
    Feed.objects.update(
        dirty_seq=5, done_seq=1, bell_at=timezone.now() - timedelta(seconds=ago)
    )
    arrived = keeping.arrival(subscription.pk, b"[]", {}, ReceiptState.APPLIED)
    assert KEEP([arrived]) == ({subscription.pk} if rings else set())


def test_what_the_database_refuses_costs_its_neighbours_nothing(
    subscription: Subscription, lock: Lock, rung: list[Any], door: CallbackDoor
) -> None:
    """Known a moment ago, and gone when the group is written."""
    gone = a_subscription("gone", account=subscription.account, done_seq=1)

    async def together() -> list[Answer]:
        asked = [good(subscription, body) for body in numbered(40)]
        lost = [good(gone, body) for body in numbered(2)]
        first = asyncio.create_task(talk(asked[0]))
        await asyncio.to_thread(lock.reached.wait, 10)
        mixed = [*asked[1:20], lost[0], *asked[20:], lost[1]]
        others = [asyncio.create_task(talk(each)) for each in mixed]
        while len(door.desk.receipts) < len(mixed) + 1:  # noqa: ASYNC110  a thread's
            await asyncio.sleep(0.01)
        await asyncio.to_thread(forget, gone)
        lock.open.set()
        return [await first, *await asyncio.gather(*others)]

    answers = async_to_sync(together)()
    said = [answer.status for answer in answers]
    assert (said.count(200), said.count(503)) == (40, 2)
    assert (said[20], said[-1]) == (503, 503)
    assert Receipt.objects.count() == 40
    assert Feed.objects.get().dirty_seq == 41
    door.rest()
    assert set(rung) == {("fetch_subscription", subscription.pk)}


def forget(subscription: Subscription) -> None:
    Subscription.objects.filter(pk=subscription.pk).delete()
    connections.close_all()


def test_more_than_may_wait_are_sent_away(
    subscription: Subscription, lock: Lock, settings: Any
) -> None:
    settings.PHOTOWALL_CALLBACKS_WAITING = 5
    door = CallbackDoor(nobody)
    answers = crowded(door, lock, [good(subscription, body) for body in numbered(12)])
    said = [answer.status for answer in answers]
    assert said == [200] * 5 + [503] * 7
    assert answers[-1].headers["retry-after"] == "5"
    assert Receipt.objects.count() == 5
    # There is room again.
    answers = ask_all([good(subscription, body) for body in numbered(5, 100)], door)
    assert statuses(answers) == {200}
    door.rest()


def test_more_bytes_than_may_wait_are_sent_away(
    subscription: Subscription, lock: Lock, settings: Any
) -> None:
    settings.PHOTOWALL_CALLBACK_BYTES_WAITING = 3 * 1100
    door = CallbackDoor(nobody)
    bodies = [body + b" " * (1000 - len(body)) for body in numbered(4)]
    bodies.append(numbered(1, 9)[0])
    answers = crowded(door, lock, [good(subscription, body) for body in bodies])
    assert [answer.status for answer in answers] == [200, 200, 200, 503, 200]
    # One alone always has room.
    large = bodies[0] + b" " * 30_000
    assert ask(good(subscription, large), door).status == 200
    door.rest()


async def nobody(*_: object) -> None:
    raise AssertionError("this is the door's")


def crowded(door: CallbackDoor, lock: Lock, knocks: Sequence[Any]) -> list[Answer]:
    """The answers to ``knocks``, which come while nothing can be written."""

    async def together() -> list[Answer]:
        first = asyncio.create_task(talk(knocks[0], door))
        await asyncio.to_thread(lock.reached.wait, 10)
        rest = [asyncio.create_task(talk(each, door)) for each in knocks[1:]]
        await asyncio.wait(rest, timeout=0.3)
        lock.open.set()
        return [await first, *await asyncio.gather(*rest)]

    return async_to_sync(together)()


def test_who_waits_too_long_is_told_to_come_back(
    subscription: Subscription, lock: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_body, *later = numbered(4)
    lock.open.set()
    assert ask(good(subscription, ask_body)).status == 200
    lock.open.clear()
    monkeypatch.setattr(callback_door, "WAIT", 0.2)
    began = time.monotonic()
    answers = ask_all([good(subscription, body) for body in later])
    assert time.monotonic() - began < 2
    assert statuses(answers) == {503}
    assert {answer.headers["retry-after"] for answer in answers} == {"5"}
    lock.open.set()
    monkeypatch.setattr(callback_door, "WAIT", 2.0)
    assert statuses(ask_all([good(subscription, body) for body in later])) == {200}
    assert Receipt.objects.count() == 4


def test_a_sender_who_hangs_up_hurts_nobody(
    subscription: Subscription, lock: Lock, door: CallbackDoor
) -> None:
    async def together() -> list[Answer]:
        knocks = [good(subscription, body) for body in numbered(6)]
        talks = [asyncio.create_task(talk(knocks[0]))]
        await asyncio.to_thread(lock.reached.wait, 10)
        talks += [asyncio.create_task(talk(each)) for each in knocks[1:]]
        while len(door.desk.receipts) < 6:  # noqa: ASYNC110  a thread's
            await asyncio.sleep(0.01)
        talks[0].cancel()
        talks[3].cancel()
        await asyncio.sleep(0)
        lock.open.set()
        left = [each for each in talks if not each.cancelled()]
        return list(await asyncio.gather(*left))

    answers = async_to_sync(together)()
    assert [answer.status for answer in answers] == [200] * 4
    door.rest()
    # The first was on its way into the database, the other one had not begun.
    assert Receipt.objects.count() == 5
    assert len(door.desk.receipts) == 0


def test_a_broker_that_hangs_holds_nobody_up(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = threading.Event()
    reached = threading.Event()

    def ring(_: int) -> None:
        reached.set()
        assert hangs.wait(30)

    door = CallbackDoor(nobody)
    monkeypatch.setattr(door.bells, "_ring", ring)
    for number in range(3):
        body = notification(time=number)
        assert ask(good(subscription, body), door).status == 200
        assert reached.wait(10)
    hangs.set()
    door.rest()


def test_two_web_processes_at_once_lose_nothing_and_do_not_deadlock(
    upstream: Upstream, rung: list[Any]
) -> None:
    one = a_subscription("one", done_seq=1)
    two = a_subscription("two", account=one.account, done_seq=1)
    doors = [CallbackDoor(nobody), CallbackDoor(nobody)]
    knocks = [
        (good(each, notification(tag, time=number)), doors[number % 2])
        for number in range(60)
        for each, tag in ((one, "one"), (two, "two"))
    ]

    async def together() -> list[Answer]:
        talks = [asyncio.create_task(talk(*each)) for each in knocks]
        return list(await asyncio.gather(*talks))

    assert statuses(async_to_sync(together)()) == {200}
    for door in doors:
        door.rest()
    assert Receipt.objects.count() == 120
    assert set(Feed.objects.values_list("dirty_seq", flat=True)) == {61}


def test_an_unreadable_secret_closes_only_its_own_door(
    subscription: Subscription, settings: Any
) -> None:
    settings.PHOTOWALL_ENCRYPTION_KEYS = []
    other = a_subscription("other", account=an_account(name="Other"), done_seq=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE subscriptions_provideraccount SET client_secret = 'of another key'"
            " WHERE id = %s",
            [other.account_id],
        )
    knocks = [good(subscription, notification()), good(other, notification("other"))]
    said = [answer.status for answer in ask_all(knocks)]
    assert said == [200, 503]


@pytest.mark.parametrize("state", [State.PAUSED, State.ENDING])
def test_states_are_looked_at_by_the_door_too(
    upstream: Upstream, door: CallbackDoor, state: State
) -> None:
    subscription = a_subscription(state=state, done_seq=1)
    assert ask(good(subscription, notification())).status == 200
    kept = "ignored" if state == State.ENDING else "applied"
    assert Receipt.objects.get().state == kept


def test_connections_are_given_back(
    subscription: Subscription, door: CallbackDoor, rung: list[Any]
) -> None:
    assert ask(good(subscription, notification())).status == 200
    assert any(t.name.startswith("callback-") for t in threading.enumerate())
    door.rest()
    assert not [t for t in threading.enumerate() if t.name.startswith("callback-")]
    assert ask(good(subscription, notification(time=1))).status == 200


def test_a_passing_failure_is_tried_again(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = 2

    def deadlocks(arrivals: Sequence[keeping.Arrival]) -> set[int]:
        nonlocal left
        if left:
            left -= 1
            raise OperationalError("deadlock detected") from DeadlockDetected("")
        return KEEP(arrivals)

    monkeypatch.setattr(keeping, "keep", deadlocks)
    monkeypatch.setattr(group_commit.random, "uniform", lambda *_: 0.001)
    assert ask(good(subscription, notification())).status == 200
    left = 3
    assert ask(good(subscription, notification(time=1))).status == 503
    assert left == 0
    assert Receipt.objects.count() == 1
