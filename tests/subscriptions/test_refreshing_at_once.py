"""Posts are read again twice, at once, and by workers that are lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError
from django.db.models import F
from django.utils import timezone

from media_archive.models import (
    Download,
)
from subscriptions import refreshing, tasks
from subscriptions.models import (
    Subscription,
)
from tests.subscriptions.expired import (
    HOUR,
    caught,
    downloads,
    hours_pass,
    signed,
)
from tests.subscriptions.following import all_at_once
from tests.subscriptions.upstream import Upstream, a_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription() -> Subscription:
    return a_subscription()


def at_a_barrier(upstream: Upstream, work: Callable[[], object]) -> None:
    def slow(_: int) -> None:
        time.sleep(0.2)

    upstream.before_page = slow
    all_at_once(4, work)


@pytest.mark.django_db(transaction=True)
@pytest.mark.also_on_sqlite
def test_many_workers_at_once_make_one_call(
    upstream: Upstream, subscription: Subscription
) -> None:
    record = caught(subscription, pictures=4)
    upstream.posts = [signed(record, "new", 4)]
    at_a_barrier(upstream, refreshing.refresh_due)
    assert upstream.count("item") == 1
    assert [row.state for row in downloads()] == ["pending"] * 4


class Killed(BaseException):
    """The worker's end."""


@pytest.mark.also_on_sqlite
def test_a_worker_that_is_lost_costs_an_hour_and_no_second_call(
    upstream: Upstream, subscription: Subscription
) -> None:
    record = caught(subscription)
    upstream.posts = [signed(record, "new")]

    def end(_: int) -> None:
        raise Killed

    upstream.before_page = end
    with pytest.raises(Killed):
        refreshing.refresh_due()
    upstream.before_page = lambda _: None
    assert refreshing.refresh_due() == 0
    # Its claim is over, and still the post was read within the hour.
    Download.objects.update(claim_until=timezone.now() - HOUR)
    assert refreshing.refresh_due() == 0
    assert upstream.count("item") == 1
    hours_pass()
    assert refreshing.refresh_due() == 1
    assert downloads()[0].state == "pending"


def test_whoever_was_overtaken_writes_nothing(
    upstream: Upstream, subscription: Subscription
) -> None:
    caught(subscription)

    def overtake(_: int) -> None:
        Download.objects.update(claim_epoch=F("claim_epoch") + 1)

    upstream.before_page = overtake
    refreshing.refresh_due()
    assert downloads()[0].state == "refresh"


def test_the_task_has_the_pictures_fetched(
    upstream: Upstream,
    subscription: Subscription,
    rung: list[tuple[str, Any]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        tasks.refresh_addresses()
    assert rung == []
    record = caught(subscription)
    upstream.posts = [signed(record, "new")]
    with django_capture_on_commit_callbacks(execute=True):
        tasks.refresh_addresses()
    assert ("keep_pictures", None) in rung


@pytest.mark.parametrize("error", [DataError("too long"), ValueError("a NUL")])
def test_what_cannot_be_stored_costs_one_post(
    upstream: Upstream,
    subscription: Subscription,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records = [caught(subscription), caught(subscription)]
    upstream.posts = [signed(record, "new") for record in records]
    store_it = refreshing.ingest.store
    refusals = [error]

    def store_one(*said: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return store_it(*said)

    monkeypatch.setattr(refreshing.ingest, "store", store_one)
    assert refreshing.refresh_due() == 2
    renewed, refused = downloads()
    assert (renewed.state, renewed.next_attempt_at) == ("pending", None)
    assert (refused.state, refused.reason) == ("pending", "expired")
    assert "cannot be stored" in refused.detail
    assert refused.next_attempt_at is not None and refused.claim_until is None
