"""Reading a listing: nothing lost, nothing twice, whatever breaks in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError
from django.db.models import F
from pytest_django.fixtures import Settings

from media_archive import claims, ingest
from media_archive.errors import OutgoingTimeout
from media_archive.models import JournalEntry, MediaItem
from subscriptions import fetching, inbox, lifecycle, polling
from subscriptions.errors import AuthRefused, BadAnswer, RateLimited
from subscriptions.models import Feed, Gap, Match, State, Subscription
from subscriptions.providers.base import Page, Quota
from tests.subscriptions.upstream import (
    Upstream,
    a_subscription,
    caught,
    notification,
    signed,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]


def read(subscription: Subscription) -> bool:
    """What the task does, as if two seconds had passed."""
    Feed.objects.filter(pk=subscription.pk).update(rest_until=None)
    epoch = claims.claim(Feed.objects.due(), subscription.pk, fetching.HOLD)
    assert epoch is not None, "the feed is not due"
    return fetching.fetch_new(subscription.pk, epoch)


def feed_of(subscription: Subscription) -> Feed:
    return Feed.objects.get(pk=subscription.pk)


def make_due(subscription: Subscription, **changes: Any) -> None:
    Feed.objects.filter(pk=subscription.pk).update(
        dirty_seq=F("dirty_seq") + 1, next_attempt_at=None, **changes
    )


class Killed(BaseException):
    """A worker's death: nothing of ours catches it."""


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
    upstream.change_page = lambda page: replace(page, quota=Quota(5000, 10**30))
    subscription.account.paused_until = None
    subscription.account.save()
    read(subscription)
    subscription.account.refresh_from_db()
    assert subscription.account.pauses == 0
    assert subscription.account.quota_limit == 5000
    assert subscription.account.quota_remaining == 2**31 - 1


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


def test_a_page_that_repeats_is_an_error_and_new_posts_still_come(
    upstream: Upstream,
) -> None:
    subscription = a_subscription()
    upstream.post(5)
    upstream.change_page = lambda page: replace(page, older="stuck")

    def ignore_cursor(_: int) -> None:
        if upstream.pages()[-1]["older"] == "stuck":
            upstream.calls[-1][1]["older"] = None
            raise BadAnswer("The listing leads from a page to the same page again.")

    upstream.before_page = ignore_cursor
    for _ in range(fetching.STUBBORN):
        Feed.objects.update(next_attempt_at=None)
        read(subscription)
    assert feed_of(subscription).last_error_code == "bad_answer"
    new = upstream.post()
    Feed.objects.update(next_attempt_at=None)
    read(subscription)
    assert new[0].native_id in caught(subscription)


def test_the_same_cursor_again_is_a_bad_answer(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.post(5)
    upstream.page_size = 2
    upstream.change_page = lambda page: replace(page, older="3")
    assert not read(subscription)
    assert feed_of(subscription).last_error_code == "bad_answer"
    assert upstream.count("page") == 2


def test_a_burst_of_300_between_two_notifications_loses_none(
    upstream: Upstream,
) -> None:
    subscription = a_subscription()
    upstream.post(5)
    read(subscription)
    burst = upstream.post(300)
    body = notification()
    inbox.accept(str(subscription.callback_id), signed(body), body)
    assert not read(subscription)
    assert caught(subscription) == {post.native_id for post in upstream.posts}
    assert MediaItem.objects.count() == 305
    archived = JournalEntry.objects.filter(kind="archived")
    assert list(archived.values_list("seq", flat=True)) == list(range(1, 306))
    feed = feed_of(subscription)
    assert (feed.cursor, feed.done_seq) == ("305", feed.dirty_seq)
    assert upstream.count("page") == 1 + 10
    assert len(burst) == 300


def test_a_worker_killed_between_pages_is_followed_at_the_gap(
    upstream: Upstream,
) -> None:
    subscription = a_subscription()
    upstream.post(100)

    def die(number: int) -> None:
        if number == 3:
            raise Killed

    upstream.before_page = die
    with pytest.raises(Killed):
        read(subscription)
    gap = Gap.objects.get(closed_at__isnull=True)
    assert (len(caught(subscription)), gap.pages, gap.older) == (66, 2, "35")
    feed = feed_of(subscription)
    assert (feed.cursor, feed.done_seq) == (None, 0)
    assert not Feed.objects.due().exists(), "the dead worker's claim still holds"
    Feed.objects.update(claim_until=datetime.now(UTC) - timedelta(seconds=1))
    assert not read(subscription)
    assert upstream.pages()[3]["older"] == "35"
    assert len(caught(subscription)) == MediaItem.objects.count() == 100
    assert feed_of(subscription).cursor == "100"
    assert not Gap.objects.filter(closed_at__isnull=True).exists()


def test_what_is_said_while_a_gap_is_open_is_read_after_it(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.post(100)

    def die(number: int) -> None:
        if number == 3:
            raise Killed

    upstream.before_page = die
    with pytest.raises(Killed):
        read(subscription)
    late = upstream.post()
    make_due(subscription, claim_until=None)
    assert read(subscription), "the notification is not read yet"
    assert late[0].native_id not in caught(subscription)
    assert not read(subscription)
    assert late[0].native_id in caught(subscription)


def test_a_notification_while_reading_is_not_lost(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.post(3)
    upstream.before_page = lambda _: make_due(subscription)
    assert read(subscription)
    upstream.before_page = lambda _: None
    assert not read(subscription)


def test_who_lost_the_claim_writes_nothing(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.post(3)

    def overtake(_: int) -> None:
        Feed.objects.update(claim_epoch=F("claim_epoch") + 1)

    upstream.before_page = overtake
    assert not read(subscription)
    assert not MediaItem.objects.exists()
    assert not Match.objects.exists()
    assert not JournalEntry.objects.exists()
    upstream.before_page = lambda _: None
    Feed.objects.update(claim_until=None)
    read(subscription)
    assert MediaItem.objects.count() == Match.objects.count() == 3


def test_pausing_takes_the_feed_from_its_reader(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.post(3)
    upstream.before_page = lambda _: lifecycle.pause(subscription.pk, "ada")
    assert not read(subscription)
    assert not MediaItem.objects.exists()
    upstream.before_page = lambda _: None
    lifecycle.resume(subscription.pk, "ada")
    read(subscription)
    assert MediaItem.objects.count() == 3


@pytest.mark.parametrize("newest", [None, ""])
def test_a_cursor_is_never_overwritten_with_nothing(
    upstream: Upstream, newest: str | None
) -> None:
    subscription = a_subscription()
    upstream.post(4)
    read(subscription)
    upstream.change_page = lambda page: replace(page, newest=newest)
    make_due(subscription)
    read(subscription)
    assert feed_of(subscription).cursor == "4"
    upstream.change_page = lambda page: page
    upstream.post()
    make_due(subscription)
    read(subscription)
    assert feed_of(subscription).cursor == "5"


def test_without_any_cursor_it_stops_at_what_it_knows(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.post(200)
    upstream.change_page = lambda page: replace(page, newest=None)
    read(subscription)
    new = upstream.post(40)
    make_due(subscription)
    before = upstream.count("page")
    read(subscription)
    assert {post.native_id for post in new} <= caught(subscription)
    assert upstream.count("page") - before == 4, "two with new posts, two without"


def test_a_post_known_through_another_tag_does_not_end_the_reading(
    upstream: Upstream,
) -> None:
    other = a_subscription("other")
    upstream.post(100)
    read(other)
    subscription = a_subscription("nofilter", account=other.account)
    assert MediaItem.objects.count() == 100
    read(subscription)
    assert caught(subscription) == caught(other)
    assert MediaItem.objects.count() == 100


def test_the_first_read_of_an_empty_listing_counts(upstream: Upstream) -> None:
    subscription = a_subscription(first_read_at=None)
    assert feed_of(subscription).first_read_at is None
    assert not read(subscription)
    feed = feed_of(subscription)
    assert feed.first_read_at is not None
    assert feed.cursor is None


def test_the_first_read_goes_back_a_number_of_pages(
    upstream: Upstream, settings: Settings
) -> None:
    settings.PHOTOWALL_FIRST_READ_PAGES = 3
    subscription = a_subscription(first_read_at=None)
    upstream.post(200, posted_at=datetime.now(UTC) - timedelta(days=2))
    assert not read(subscription)
    assert len(caught(subscription)) == 99
    assert feed_of(subscription).cursor == "200"


def test_the_first_read_goes_on_while_posts_are_recent(
    upstream: Upstream, settings: Settings
) -> None:
    settings.PHOTOWALL_FIRST_READ_PAGES = 1
    subscription = a_subscription(first_read_at=None)
    upstream.post(100, posted_at=datetime.now(UTC) - timedelta(days=2))
    upstream.post(100, posted_at=datetime.now(UTC) - timedelta(minutes=10))
    assert not read(subscription)
    assert len(caught(subscription)) == 165, "the page without a recent one is the last"


def test_a_run_has_an_end_and_the_next_goes_on(
    upstream: Upstream, settings: Settings
) -> None:
    settings.PHOTOWALL_PAGES_PER_RUN = 2
    subscription = a_subscription()
    upstream.post(100)
    assert read(subscription), "there is more"
    assert Feed.objects.due().exists(), "at once"
    assert upstream.count("page") == 2
    assert not read(subscription)
    assert len(caught(subscription)) == 100


def test_an_empty_page_that_leads_on_is_the_end(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.change_page = lambda page: Page(media=[], newest=None, older="12")
    assert not read(subscription)
    assert upstream.count("page") == 1


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


def test_a_tag_rests_two_seconds_and_one_bell_ends_that(upstream: Upstream) -> None:
    subscription = a_subscription()
    assert fetching.take_bell(subscription.pk) is None, "it does not rest"
    read(subscription)
    assert fetching.take_bell(subscription.pk) is None, "nothing is due"
    make_due(subscription)
    assert not Feed.objects.due().exists(), "it rests"
    wait = fetching.take_bell(subscription.pk)
    assert wait is not None
    assert 0 < wait <= 2.1
    assert fetching.take_bell(subscription.pk) is None, "the bell is taken"
    Feed.objects.update(rest_until=datetime.now(UTC) - timedelta(seconds=1))
    assert Feed.objects.due().exists()


def test_tags_that_were_not_read_for_long_are_polled(upstream: Upstream) -> None:
    now = datetime.now(UTC)
    old = a_subscription("old", done_seq=1, last_fetched_at=now - timedelta(hours=1))
    account = old.account
    a_subscription("fresh", account=account, done_seq=1, last_fetched_at=now)
    a_subscription("paused", State.PAUSED, account, done_seq=1)
    a_subscription("due", account=account)
    assert polling.mark_due() == [old.pk]
    assert feed_of(old).dirty_seq == 2
    assert polling.mark_due() == []
