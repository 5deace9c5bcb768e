"""What goes wrong while reading is kept in the rows, and the reading goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, IntegrityError, InternalError, OperationalError
from django.db import Error as DatabaseTrouble

from media_archive import claims, ingest
from media_archive.errors import OutgoingTimeout
from subscriptions import holding_off
from subscriptions.errors import AuthRefused, BadAnswer, RateLimited
from subscriptions.models import Feed, State
from subscriptions.providers.base import Quota
from tests.subscriptions.reading import feed_of, read
from tests.subscriptions.upstream import (
    Upstream,
    a_subscription,
    caught,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]


def test_a_rate_limit_pauses_the_account_and_is_no_attempt(upstream: Upstream) -> None:
    subscription = a_subscription()

    def refuse(_: int) -> None:
        raise RateLimited("too many", retry_after=120)

    upstream.before_page = refuse
    assert not read(subscription)
    feed = feed_of(subscription)
    subscription.account.refresh_from_db()
    until = subscription.account.paused_until
    assert until is not None
    wait = until - datetime.now(UTC)
    assert timedelta(seconds=100) < wait <= timedelta(seconds=121)
    assert (feed.failures, feed.last_error_code) == (0, "rate_limited")
    assert feed.claim_until is None
    assert not Feed.objects.due().exists()
    subscription.account.paused_until = datetime.now(UTC) - timedelta(seconds=1)
    subscription.account.save()
    Feed.objects.update(rest_until=None)
    assert Feed.objects.due().exists()


def test_rate_limits_without_a_time_grow_and_a_good_answer_ends_that(
    upstream: Upstream,
) -> None:
    subscription = a_subscription()

    def refuse(_: int) -> None:
        raise RateLimited("too many")

    upstream.before_page = refuse
    for pauses in (1, 2):
        subscription.account.refresh_from_db()
        subscription.account.paused_until = None
        subscription.account.save()
        read(subscription)
        subscription.account.refresh_from_db()
        assert subscription.account.pauses == pauses
    upstream.before_page = lambda _: None
    upstream.change_page = lambda page: replace(page, quota=Quota(5000, 4990))
    subscription.account.paused_until = None
    subscription.account.save()
    read(subscription)
    subscription.account.refresh_from_db()
    assert subscription.account.pauses == 0
    assert subscription.account.quota_limit == 5000
    assert subscription.account.quota_remaining == 4990


def test_a_refused_credential_suspends_with_a_reason(upstream: Upstream) -> None:
    subscription = a_subscription()

    def refuse(_: int) -> None:
        raise AuthRefused("The access_token provided is invalid. access_token=abc")

    upstream.before_page = refuse
    assert not read(subscription)
    subscription.refresh_from_db()
    assert subscription.state == State.SUSPENDED
    assert "Mend the account" in subscription.state_reason
    assert "abc" not in subscription.state_reason + feed_of(subscription).last_error
    assert not Feed.objects.due().exists()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadAnswer("<html>Sorry"), "bad_answer"),
        (OutgoingTimeout("no answer within 30 s"), "timeout"),
    ],
)
def test_a_bad_answer_waits_and_loses_nothing(
    upstream: Upstream, error: Exception, code: str
) -> None:
    subscription = a_subscription()
    upstream.post(3)

    def refuse(_: int) -> None:
        raise error

    upstream.before_page = refuse
    assert not read(subscription)
    feed = feed_of(subscription)
    assert (feed.failures, feed.last_error_code) == (1, code)
    assert feed.last_error
    assert feed.next_attempt_at is not None
    assert not Feed.objects.due().exists()
    upstream.before_page = lambda _: None
    Feed.objects.update(next_attempt_at=datetime.now(UTC) - timedelta(seconds=1))
    assert not read(subscription)
    feed = feed_of(subscription)
    assert len(caught(subscription)) == 3
    assert (feed.failures, feed.last_error, feed.next_attempt_at) == (0, "", None)


def test_a_mistake_of_ours_is_seen_at_the_tag(upstream: Upstream) -> None:
    subscription = a_subscription()

    def stumble(_: int) -> None:
        raise KeyError("data")

    upstream.before_page = stumble
    with pytest.raises(KeyError):
        read(subscription)
    assert feed_of(subscription).last_error_code == "bug"


def test_a_post_the_database_refuses_costs_no_other(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = a_subscription()
    good = upstream.post(2)
    bad = upstream.post()[0]
    good += upstream.post(2)
    store = ingest.store

    def refuse(recording: Any, provider: str, records: Any, **said: Any) -> Any:
        result = store(recording, provider, records, **said)
        if bad in records:
            raise DataError("integer out of range")
        return result

    monkeypatch.setattr(ingest, "store", refuse)
    assert not read(subscription)
    assert caught(subscription) == {post.native_id for post in good}
    assert "1 posts" in feed_of(subscription).last_error


@pytest.mark.parametrize("kind", [IntegrityError, InternalError])
def test_what_the_database_refuses_of_ours_waits_and_is_seen(
    upstream: Upstream,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[DatabaseTrouble],
) -> None:
    subscription = a_subscription(failures=3)
    upstream.post()

    def refuse(*_: object, **__: object) -> Any:
        raise kind("no")

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "store", refuse)
        with pytest.raises(kind):
            read(subscription)
    feed = feed_of(subscription)
    assert (feed.failures, feed.last_error_code) == (4, "bug")
    assert kind.__name__ in feed.last_error
    assert feed.claim_until is None
    assert not Feed.objects.due().exists(), "it waits"
    Feed.objects.update(next_attempt_at=None)
    assert not read(subscription)
    assert len(caught(subscription)) == 1


def test_while_the_database_fails_a_tag_waits_five_seconds(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = a_subscription(failures=1)
    upstream.post()

    def refuse(*_: object, **__: object) -> Any:
        raise OperationalError("the connection is lost")

    before = datetime.now(UTC)
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "store", refuse)
        with pytest.raises(OperationalError):
            read(subscription)
    feed = feed_of(subscription)
    assert (feed.failures, feed.last_error_code) == (1, "unavailable")
    assert feed.last_error
    assert feed.claim_until is None
    assert feed.next_attempt_at is not None
    assert feed.next_attempt_at - before > timedelta(seconds=4.9)
    assert feed.next_attempt_at - datetime.now(UTC) < timedelta(seconds=5.1)
    Feed.objects.update(next_attempt_at=None)
    assert not read(subscription)
    assert len(caught(subscription)) == 1


def test_a_database_that_is_back_soon_has_the_tag_given_back(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = a_subscription()
    upstream.post()
    release = claims.release
    away = iter([True, True, False])

    def back_soon(*given: Any, **changes: Any) -> bool:
        if next(away):
            raise OperationalError("the connection is refused")
        return release(*given, **changes)

    def refuse(*_: object, **__: object) -> Any:
        raise OperationalError("the connection is lost")

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "store", refuse)
        patch.setattr(claims, "release", back_soon)
        patch.setattr("time.sleep", lambda _: None)
        with pytest.raises(OperationalError):
            read(subscription)
    feed = feed_of(subscription)
    assert feed.claim_until is None
    assert feed.last_error_code == "unavailable"


def test_while_nothing_can_be_written_the_claim_runs_out(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = a_subscription()

    def refuse(*_: object, **__: object) -> Any:
        raise OperationalError("read-only")

    slept: list[float] = []
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "store", refuse)
        patch.setattr(claims, "release", refuse)
        patch.setattr("time.sleep", slept.append)
        upstream.post()
        with pytest.raises(OperationalError):
            read(subscription)
    assert slept == [*holding_off.WRITE_AGAIN]
    feed = feed_of(subscription)
    assert feed.claim_until is not None
    assert not Feed.objects.due().exists()
    Feed.objects.update(claim_until=datetime.now(UTC) - timedelta(seconds=1))
    assert not read(subscription)
    assert len(caught(subscription)) == 1
