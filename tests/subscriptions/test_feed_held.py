"""A feed that somebody else holds for long costs only its own notifications.

PostgreSQL only: SQLite has one lock, and waits for it as long as the settings say.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections, transaction

from subscriptions import keeping
from subscriptions.callback_door import CallbackDoor
from subscriptions.models import Feed, Receipt
from tests.subscriptions.knocking import ask, ask_all, good
from tests.subscriptions.upstream import Upstream, a_subscription, notification

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def somebody_holds(feed_pk: int) -> Iterator[None]:
    """Another transaction has written the feed and does not end before the block."""
    holds, may_end = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with transaction.atomic():
                Feed.objects.filter(pk=feed_pk).update(failures=1)
                holds.set()
                assert may_end.wait(30)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert holds.wait(10)
        yield
    finally:
        may_end.set()
        thread.join(30)


def test_a_feed_that_is_held_costs_only_its_own_notifications(
    upstream: Upstream, door: CallbackDoor
) -> None:
    held = a_subscription("held", done_seq=1)
    free = a_subscription("free", account=held.account, done_seq=1)
    knocks = [
        good(each, notification(each.tag, time=number))
        for number in range(5)
        for each in (held, free)
    ]
    with somebody_holds(held.pk):
        began = time.monotonic()
        said = [answer.status for answer in ask_all(knocks)]
        assert said == [503, 200] * 5
        assert time.monotonic() - began < 2 + 4 * keeping.PATIENCE
        assert set(Receipt.objects.values_list("subscription", flat=True)) == {free.pk}
        assert ask(good(held, notification("held", time=9))).status == 503
    assert [answer.status for answer in ask_all(knocks)] == [200] * 10
    assert Receipt.objects.filter(subscription=held).count() == 5
    assert Feed.objects.get(pk=free.pk).dirty_seq == 11


def test_a_feed_that_is_held_for_a_moment_costs_nothing(
    upstream: Upstream, door: CallbackDoor
) -> None:
    held = a_subscription("held", done_seq=1)
    with somebody_holds(held.pk):
        answers: list[int] = []
        asking = threading.Thread(
            target=lambda: answers.append(ask(good(held, notification("held"))).status)
        )
        asking.start()
        time.sleep(keeping.PATIENCE / 4)
        assert not Receipt.objects.exists()
    asking.join(10)
    assert answers == [200]
