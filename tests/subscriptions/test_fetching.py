"""Reading a listing: nothing lost, nothing twice, whatever breaks in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from pytest_django.fixtures import Settings

from media_archive.models import JournalEntry, MediaItem
from subscriptions import fetching, inbox, lifecycle
from subscriptions.models import Feed, Gap, Match
from tests.subscriptions.reading import Killed, feed_of, make_due, read
from tests.subscriptions.upstream import (
    Upstream,
    a_subscription,
    caught,
    notification,
    signed,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]


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
    assert (feed.cursor, feed.head, feed.done_seq) == (None, "100", 1)
    assert not Feed.objects.due().exists(), "the dead worker's claim still holds"
    Feed.objects.update(claim_until=datetime.now(UTC) - timedelta(seconds=1))
    assert not read(subscription)
    assert upstream.pages()[3]["older"] == "35"
    assert len(caught(subscription)) == MediaItem.objects.count() == 100
    assert feed_of(subscription).cursor == "100"
    assert not Gap.objects.filter(closed_at__isnull=True).exists()


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


def test_a_tag_rests_two_seconds(upstream: Upstream) -> None:
    subscription = a_subscription()
    before = datetime.now(UTC)
    read(subscription)
    until = feed_of(subscription).rest_until
    assert until is not None
    # The database's clock may show another fraction of a millisecond.
    grain = timedelta(milliseconds=5)
    rest = timedelta(seconds=2)
    assert before + rest - grain <= until <= datetime.now(UTC) + rest + grain


def test_one_bell_ends_the_rest(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "REST", timedelta(minutes=1))
    subscription = a_subscription()
    assert fetching.take_bell(subscription.pk) is None, "it does not rest"
    read(subscription)
    assert fetching.take_bell(subscription.pk) is None, "nothing is due"
    make_due(subscription)
    assert not Feed.objects.due().exists(), "it rests"
    wait = fetching.take_bell(subscription.pk)
    assert wait is not None
    assert 0 < wait <= 60.1
    assert fetching.take_bell(subscription.pk) is None, "the bell is taken"
    Feed.objects.update(rest_until=datetime.now(UTC) - timedelta(seconds=1))
    assert Feed.objects.due().exists()
