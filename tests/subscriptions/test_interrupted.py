"""What comes in between: a lost answer, a new credential, a pause, an end, a return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from media_archive import claims
from media_archive.errors import OutgoingTimeout
from subscriptions import (
    backfill_run,
    backfilling,
    breaker,
    calls,
    lifecycle,
    upkeep,
)
from subscriptions.errors import AuthRefused, BadAnswer
from subscriptions.models import (
    Backfill,
    BackfillState,
    CoverageSpan,
    Feed,
    Gap,
    ProviderAccount,
    Purpose,
    State,
    Subscription,
)
from subscriptions.providers.base import Page, UpstreamSubscription
from tests.subscriptions.following import in_state, raising
from tests.subscriptions.reading import Killed, feed_of, read
from tests.subscriptions.upstream import Upstream, a_subscription, an_account

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def challenged_then(error: BaseException) -> Callable[[str, str], None]:
    """The provider asks us back, and its answer to our request is lost."""

    def subscribe(url: str, token: str) -> None:
        query = {"hub.mode": "subscribe", "hub.challenge": "abc"}
        query["hub.verify_token"] = token
        assert Client().get(urlsplit(url).path, query).status_code == 200
        raise error

    return subscribe


def half_a_minute_later() -> None:
    """The sweeps, in their turn."""
    for pk in upkeep.accounts_due().values_list("pk", flat=True):
        upkeep.look_after(pk)
    lifecycle.give_up_stuck()
    step = timedelta(seconds=30)
    Subscription.objects.exclude(challenge_asked_at=None).update(
        challenge_asked_at=F("challenge_asked_at") - step
    )
    ProviderAccount.objects.update(upkeep_at=F("upkeep_at") - step)


def state_of(subscription: Subscription) -> str:
    subscription.refresh_from_db()
    return subscription.state


@pytest.mark.parametrize("has_it", [True, False])
def test_upkeep_looks_in_time_whether_a_lost_answer_was_yes(
    upstream: Upstream, has_it: bool
) -> None:
    made = lifecycle.create(an_account(), "nofilter", "ada")
    upstream.on_subscribe = challenged_then(OutgoingTimeout("Nothing came."))
    assert lifecycle.request(made.pk)
    assert state_of(made) == State.VERIFYING
    if has_it:
        url = lifecycle.callback_url(made)
        upstream.known = [UpstreamSubscription("99", "tag", "nofilter", url)]
    half_a_minute_later()
    assert state_of(made) == State.VERIFYING, "it may not be listed yet"
    assert upstream.count("subscriptions") == 0
    half_a_minute_later()
    half_a_minute_later()
    assert state_of(made) == (State.ACTIVE if has_it else State.FAILED)


@pytest.mark.parametrize("once", [True, False])
def test_a_worker_killed_after_the_challenge_is_followed(
    upstream: Upstream, once: bool
) -> None:
    """What was confirmed ``once`` needs no person."""
    made = lifecycle.create(an_account(), "nofilter", "ada")
    if once:
        Subscription.objects.update(confirmed_at=timezone.now() - MINUTE)
    upstream.on_subscribe = challenged_then(Killed())
    with pytest.raises(Killed):
        lifecycle.request(made.pk)
    Subscription.objects.update(challenge_asked_at=timezone.now() - 3 * MINUTE)
    assert lifecycle.give_up_stuck() == 1
    assert state_of(made) == (State.REQUESTED if once else State.FAILED)
    assert not lifecycle.requests_due().exists(), "it waits"
    Feed.objects.update(next_attempt_at=None)
    upstream.on_subscribe = lambda url, token: None
    assert lifecycle.request(made.pk) == once
    assert state_of(made) == (State.ACTIVE if once else State.FAILED)


def test_upkeep_has_what_was_confirmed_once_asked_for_again(
    upstream: Upstream,
) -> None:
    asked_at = timezone.now() - MINUTE
    subscription = in_state(
        State.VERIFYING, confirmed_at=asked_at, challenge_asked_at=asked_at
    )
    upkeep.look_after(subscription.account_id)
    assert state_of(subscription) == State.REQUESTED
    steps = list(subscription.events.values_list("before", "after"))
    assert steps == [("verifying", "failed"), ("failed", "requested")]


@pytest.mark.parametrize("mended", [True, False])
def test_a_new_credential_is_not_blamed_for_the_old_one(
    upstream: Upstream, mended: bool
) -> None:
    subscription = a_subscription()

    def refuse(_: int) -> None:
        if mended:
            account = ProviderAccount.objects.get()
            account.access_token = "the new one"
            account.save()
            assert lifecycle.wake_suspended(account, "ada") == []
        raise AuthRefused("The access_token is invalid.")

    upstream.before_page = refuse
    read(subscription)
    assert state_of(subscription) == (State.ACTIVE if mended else State.SUSPENDED)
    said = "credential_changed" if mended else "auth"
    assert feed_of(subscription).last_error_code == said
    if mended:
        upstream.before_page = lambda number: None
        Feed.objects.update(next_attempt_at=None)
        upstream.post()
        read(subscription)
        assert feed_of(subscription).last_error_code == ""


def in_backfill(upstream: Upstream, second_page: Callable[[], Any]) -> Backfill:
    """A run of a backfill of three pages, and what happens at its second page."""
    subscription = a_subscription()
    upstream.post(99)
    backfill = backfilling.start(subscription)
    upstream.before_page = lambda number: second_page() if number == 2 else None
    epoch = claims.claim(Backfill.objects.due(), backfill.pk, backfill_run.HOLD)
    assert epoch is not None
    backfill_run.read_on(backfill.pk, epoch)
    backfill.refresh_from_db()
    return backfill


def test_a_pause_of_the_tag_stops_its_backfill_at_once(upstream: Upstream) -> None:
    backfill = in_backfill(
        upstream, lambda: lifecycle.pause(Subscription.objects.get().pk, "ada")
    )
    assert (upstream.count("page"), backfill.pages) == (2, 1)
    assert backfill.state == BackfillState.RUNNING
    assert not Backfill.objects.due().exists()
    lifecycle.resume(backfill.subscription_id, "ada")
    assert Backfill.objects.due().exists()


def test_the_end_of_the_tag_cancels_its_backfill(upstream: Upstream) -> None:
    backfill = in_backfill(
        upstream, lambda: lifecycle.end(Subscription.objects.get().pk, "ada")
    )
    assert (upstream.count("page"), backfill.pages) == (2, 1)
    assert backfill.state == BackfillState.CANCELLED
    assert backfill.ended_at is not None


def test_an_undisturbed_backfill_reads_to_its_end(upstream: Upstream) -> None:
    backfill = in_backfill(upstream, lambda: None)
    assert (upstream.count("page"), backfill.state) == (3, BackfillState.DONE)


def test_a_provider_that_is_back_wakes_gaps_too(upstream: Upstream) -> None:
    now = timezone.now()
    subscription = a_subscription()
    other = a_subscription("sunset", account=an_account(name="Another"))
    for each in (subscription, other):
        Gap.objects.create(
            feed=each.feed, older="5", failures=7, next_attempt_at=now + 12 * MINUTE
        )
    subscription.account.breaker_until = now
    subscription.account.save()
    with calls.calling(subscription.account, Purpose.NOTIFIED):
        pass
    assert list(Gap.objects.workable().values_list("feed", flat=True)) == [
        subscription.pk
    ]


def test_who_is_woken_is_locked_by_ascending_key(upstream: Upstream) -> None:
    """As notifications lock feeds; else both could wait for each other."""
    account = an_account()
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        breaker.wake(account.pk)
    writes = [q["sql"] for q in queries if "UPDATE" in q["sql"]]
    assert writes[0].endswith("ORDER BY 1 ASC FOR NO KEY UPDATE"), writes[0]


def test_endings_stand_back_after_their_first_attempt(upstream: Upstream) -> None:
    account = an_account()
    subscriptions = [a_subscription(f"t{n}", account=account) for n in range(3)]
    ProviderAccount.objects.update(
        failures=5, breaker_until=timezone.now() + timedelta(seconds=50)
    )
    upstream.before_page = raising(BadAnswer("<html>"))
    for each in subscriptions:
        lifecycle.end(each.pk, "ada")
        lifecycle.finish_ending(each.pk)
    assert upstream.count("unsubscribe") == 3, "a person waits"
    Feed.objects.update(next_attempt_at=None)
    for each in subscriptions:
        lifecycle.finish_ending(each.pk)
    assert upstream.count("unsubscribe") == 3
    # After the minute one of them asks, and all come to their end.
    upstream.before_page = lambda number: None
    ProviderAccount.objects.update(breaker_until=timezone.now())
    for _ in range(2):
        Feed.objects.update(next_attempt_at=None)
        for each in subscriptions:
            lifecycle.finish_ending(each.pk)
    assert {state_of(each) for each in subscriptions} == {State.ENDED}


@pytest.mark.parametrize("last", ["empty", "old"])
def test_an_old_post_tagged_today_vouches_for_no_years(
    upstream: Upstream, settings: Settings, last: str
) -> None:
    settings.PHOTOWALL_FIRST_READ_PAGES = 2
    subscription = a_subscription(first_read_at=None)
    now = timezone.now()
    upstream.post(99, posted_at=now - timedelta(days=4000 if last == "old" else 30))
    upstream.post(1, posted_at=now - timedelta(days=4000))
    upstream.post(5, posted_at=now - timedelta(days=30))

    def change(page: Page) -> Page:
        is_last = upstream.count("page") == 2
        return replace(page, media=[]) if is_last and last == "empty" else page

    upstream.change_page = change
    read(subscription)
    assert upstream.count("page") == 2
    spans = CoverageSpan.objects.filter(subscription=subscription)
    assert not spans.filter(begins_at__lt=now - 16 * MINUTE).exists()
    # It vouches for what follows, and on request for what it has read.
    upstream.change_page = lambda page: page
    upstream.post()
    Feed.objects.update(dirty_seq=F("dirty_seq") + 1)
    read(subscription)
    head_at = feed_of(subscription).head_at
    assert head_at is not None
    assert spans.filter(ends_at=head_at).exists()
