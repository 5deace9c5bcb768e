"""Senders who take their time, and threads that cannot be started."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from photowall import asgi
from subscriptions import callback_door, group_commit
from subscriptions.bells import Bells
from subscriptions.callback_door import CallbackDoor
from subscriptions.models import Receipt, State, Subscription
from tests.subscriptions.knocking import ask, good, scope_of
from tests.subscriptions.upstream import Upstream, a_subscription, notification

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]


@pytest.fixture
def subscription(upstream: Upstream, door: CallbackDoor) -> Subscription:
    """Active, with nothing to read."""
    return a_subscription(done_seq=1)


def status_of_slow(
    subscription: Subscription, body: bytes, before_body: Callable[[], object]
) -> int:
    """The status when ``before_body`` happens between the headers and the body; if it
    returns False the body never comes."""
    said: list[int] = []

    async def receive() -> dict[str, Any]:
        if await asyncio.to_thread(before_body) is False:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            said.append(message["status"])

    scope = scope_of(good(subscription, body))
    async_to_sync(asgi.application)(scope, receive, send)
    [status] = said
    return status


def test_a_body_that_never_comes_is_not_waited_for_for_ever(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback_door, "BODY_SECONDS", 0.2)
    assert status_of_slow(subscription, notification(), lambda: False) == 400
    assert not Receipt.objects.exists()
    assert status_of_slow(subscription, notification(), lambda: None) == 200


def test_what_is_ended_while_the_body_comes_hears_nothing_more(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "FRESH", 0.0)
    monkeypatch.setattr(callback_door, "MOMENT", 0.0)

    def end() -> None:
        Subscription.objects.update(state=State.ENDED)

    body = notification()
    assert status_of_slow(subscription, body, lambda: None) == 200
    assert status_of_slow(subscription, body, end) == 404
    assert Receipt.objects.get().seen == 1


def no_threads(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The next thread of that name cannot be started, as when there are too many."""
    start, refused = threading.Thread.start, [name]

    def refuse(self: threading.Thread) -> None:
        if self.name in refused:
            refused.remove(self.name)
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", refuse)


@pytest.mark.parametrize("name", ["callback-lookups", "callback-receipts"])
def test_a_writer_that_could_not_start_starts_with_the_next(
    subscription: Subscription,
    door: CallbackDoor,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    door.rest()
    no_threads(monkeypatch, name)
    assert ask(good(subscription, notification())).status == 503
    assert len(door.desk.receipts) == 0
    assert ask(good(subscription, notification())).status == 200


def test_a_bell_that_could_not_be_rung_silences_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[int] = []

    def ring(feed_pk: int) -> None:
        if feed_pk == 2:
            raise KeyError(feed_pk)
        heard.append(feed_pk)

    bells = Bells(ring)
    no_threads(monkeypatch, "callback-bells")
    bells.ring({1})
    for feed_pk in (2, 3):
        bells.ring({feed_pk})
        bells.rest()
    assert sorted(heard) == [1, 3]
