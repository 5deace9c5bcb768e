"""Polls: what nobody said is found, and quiet tags are asked less often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from pytest_django.fixtures import Settings

from subscriptions import polling, providers
from subscriptions.models import Feed, Gap, GapKind, Match, State, Subscription
from tests.subscriptions.listings import Listing, ListingProvider
from tests.subscriptions.reading import Killed, feed_of, make_due, read
from tests.subscriptions.upstream import KEY, Upstream, a_subscription, caught

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]

SECOND = timedelta(seconds=1)


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> Listing:
    """A provider that may list posts late, 33 a page."""
    path = f"{ListingProvider.__module__}.ListingProvider"
    monkeypatch.setitem(providers.REGISTRY, KEY, path)
    ListingProvider.listing = Listing(page_size=33)
    return ListingProvider.listing


def come_round(subscription: Subscription) -> None:
    """The time of the next poll has come."""
    Feed.objects.filter(pk=subscription.pk).update(
        next_poll_at=datetime.now(UTC) - SECOND
    )
    assert polling.mark_due() == [subscription.pk]


def hear(subscription: Subscription) -> None:
    Feed.objects.filter(pk=subscription.pk).update(
        dirty_seq=F("dirty_seq") + 1, heard_seq=F("dirty_seq") + 1
    )


def long_ago(**ago: int) -> None:
    """What was caught, was caught so long ago."""
    Match.objects.update(matched_at=datetime.now(UTC) - timedelta(**ago))


def wait_of(subscription: Subscription) -> float:
    at = feed_of(subscription).next_poll_at
    assert at is not None
    return (at - datetime.now(UTC)).total_seconds()


def test_tags_whose_time_has_come_are_marked(upstream: Upstream) -> None:
    now = datetime.now(UTC)
    never = a_subscription("never", done_seq=1)
    account = never.account
    past = a_subscription("past", account=account, done_seq=1, next_poll_at=now)
    later = now + timedelta(minutes=1)
    a_subscription("later", account=account, done_seq=1, next_poll_at=later)
    a_subscription("paused", State.PAUSED, account, done_seq=1)
    a_subscription("due", account=account)
    assert polling.mark_due() == [never.pk, past.pk]
    assert feed_of(past).dirty_seq == 2
    assert polling.mark_due() == []


def test_a_poll_finds_what_is_listed_late_and_a_notified_reading_does_not_pay(
    listing: Listing,
) -> None:
    subscription = a_subscription()
    listing.post(20)
    read(subscription)
    listing.post_late(below=10)
    listing.post(1)
    hear(subscription)
    listing.asked.clear()
    assert not read(subscription)
    assert listing.asked == [(str(20_000), None)], "one call"
    assert len(caught(subscription)) == 21
    come_round(subscription)
    assert not read(subscription)
    assert listing.asked[1:] == [(str(21_000), None), (None, None)]
    assert caught(subscription) == listing.ids()
    assert feed_of(subscription).cursor == "21000", "the late one moves no mark"
    by = Match.objects.filter(caught_by="overlap")
    assert by.count() == 1


def test_a_poll_reads_two_hundred_posts_again_at_most(
    listing: Listing, settings: Settings
) -> None:
    settings.PHOTOWALL_FIRST_READ_PAGES = 100
    subscription = a_subscription()
    listing.post(400)
    read(subscription)
    listing.asked.clear()
    come_round(subscription)
    read(subscription)
    again = [older for since, older in listing.asked if since is None]
    assert len(again) == 7, "231 posts"
    assert not Gap.objects.unread().exists()


def test_a_poll_goes_no_further_than_what_was_caught_lately(listing: Listing) -> None:
    subscription = a_subscription()
    listing.post(200)
    read(subscription)
    long_ago(minutes=16)
    listing.post(40)
    hear(subscription)
    read(subscription)
    listing.asked.clear()
    come_round(subscription)
    read(subscription)
    again = [older for since, older in listing.asked if since is None]
    assert len(again) == 3, "40 posts, and a page without any of them"


def test_a_poll_that_was_cut_short_is_finished_or_begun_anew(
    listing: Listing, settings: Settings
) -> None:
    subscription = a_subscription()
    listing.post(150)
    read(subscription)
    come_round(subscription)
    listing.before = {len(listing.asked) + 4: Killed()}
    with pytest.raises(Killed):
        read(subscription)
    Feed.objects.update(claim_until=None)
    gap = Gap.objects.unread().get()
    assert (gap.kind, gap.pages) == (GapKind.OVERLAP, 2)
    listing.asked.clear()
    assert not read(subscription)
    assert listing.asked[0] == (None, gap.older), "it goes on"
    assert not Gap.objects.unread().exists()
    come_round(subscription)
    listing.before = {len(listing.asked) + 4: Killed()}
    with pytest.raises(Killed):
        read(subscription)
    Feed.objects.update(claim_until=None)
    listing.post_late(below=2)
    come_round(subscription)
    read(subscription)
    assert caught(subscription) == listing.ids(), "the next poll begins at the top"
    assert not Gap.objects.unread().exists()


def test_quiet_tags_are_polled_less_often_up_to_an_hour(listing: Listing) -> None:
    subscription = a_subscription()
    listing.post(3)
    read(subscription)
    expected = [300, 600, 1200, 2400, 3600, 3600]
    for number, seconds in enumerate([300, *expected]):
        if number:
            come_round(subscription)
            read(subscription)
        assert seconds * polling.EARLIEST - 5 <= wait_of(subscription) <= seconds
    assert feed_of(subscription).quiet_reads == len(expected)


@pytest.mark.parametrize("how", ["post", "late", "notification"])
def test_anything_new_or_said_ends_the_quiet(listing: Listing, how: str) -> None:
    subscription = a_subscription()
    listing.post(3)
    read(subscription)
    for _ in range(3):
        come_round(subscription)
        read(subscription)
    assert wait_of(subscription) > 600
    if how == "notification":
        hear(subscription)
    elif how == "post":
        listing.post(1)
        make_due(subscription)
    else:
        listing.post_late(below=2)
        come_round(subscription)
    read(subscription)
    assert feed_of(subscription).quiet_reads == 0
    assert wait_of(subscription) <= 300


def test_a_busy_tag_is_polled_all_the_same(listing: Listing) -> None:
    """Notified all the time, it still comes round: posts may be listed late."""
    subscription = a_subscription()
    listing.post(3)
    read(subscription)
    at = feed_of(subscription).next_poll_at
    for _ in range(3):
        listing.post(1)
        hear(subscription)
        read(subscription)
        then = feed_of(subscription).next_poll_at
        assert at is not None
        assert then is not None
        assert then <= at, "it is never put off"
    listing.post_late(below=2)
    Feed.objects.update(next_poll_at=datetime.now(UTC) - SECOND)
    hear(subscription)
    read(subscription)
    assert caught(subscription) == listing.ids()


def test_polls_of_many_tags_are_spread() -> None:
    waits = {polling.wait_after(0) for _ in range(200)}
    assert max(waits) - min(waits) > timedelta(seconds=40)
    assert min(waits) >= timedelta(seconds=300 * polling.EARLIEST)
    assert max(waits) <= timedelta(seconds=300)
