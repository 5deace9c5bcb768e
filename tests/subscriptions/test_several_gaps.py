"""The newest posts come first; what lies below is worked off, and nothing is lost."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from pytest_django.fixtures import Settings

from media_archive.models import MediaItem
from subscriptions import fetching, gaps, tasks
from subscriptions.errors import BadAnswer, BreakerOpen, BudgetSpent
from subscriptions.models import (
    CoverageSpan,
    Feed,
    Gap,
    ProviderAccount,
    Purpose,
    Quality,
    Subscription,
)
from tests.subscriptions.reading import Killed, feed_of, make_due, read
from tests.subscriptions.upstream import Upstream, a_subscription, an_account, caught

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]


def killed_at(upstream: Upstream, subscription: Subscription, page: int) -> None:
    """A worker that dies before it gets this page, and whose claim has run out."""
    upstream.calls.clear()

    def die(number: int) -> None:
        if number == page:
            raise Killed

    upstream.before_page = die
    with pytest.raises(Killed):
        read(subscription)
    upstream.before_page = lambda _: None
    upstream.calls.clear()
    Feed.objects.filter(pk=subscription.pk).update(claim_until=None)


def hear(subscription: Subscription) -> None:
    Feed.objects.filter(pk=subscription.pk).update(
        dirty_seq=F("dirty_seq") + 1, heard_seq=F("dirty_seq") + 1
    )


def open_gaps() -> list[tuple[str | None, str | None]]:
    rows = Gap.objects.unread().order_by("opened_at")
    return list(rows.values_list("older", "floor"))


def test_what_is_said_while_a_gap_is_open_is_read_before_it(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.post(100)
    killed_at(upstream, subscription, 3)
    late = upstream.post()
    hear(subscription)

    def stop(number: int) -> None:
        if number == 2:
            raise Killed

    upstream.before_page = stop
    with pytest.raises(Killed):
        read(subscription)
    assert upstream.pages()[0] == {"since": "100", "older": None}
    assert late[0].native_id in caught(subscription)
    assert open_gaps() == [("35", None)], "the old gap is as it was"
    feed = feed_of(subscription)
    assert (feed.head, feed.cursor, feed.done_seq) == ("101", None, 2)
    upstream.before_page = lambda _: None
    Feed.objects.update(claim_until=None)
    assert not read(subscription)
    assert upstream.pages()[2] == {"since": None, "older": "35"}
    assert len(caught(subscription)) == MediaItem.objects.count() == 101
    feed = feed_of(subscription)
    assert (feed.head, feed.cursor) == ("101", "101")


def test_the_cursor_moves_only_over_what_is_read(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.post(10)
    read(subscription)
    for count in (100, 80, 90):
        upstream.post(count)
        hear(subscription)
        killed_at(upstream, subscription, 2)
        assert feed_of(subscription).cursor == "10"
    assert open_gaps() == [("78", "10"), ("158", "110"), ("248", "190")]
    assert feed_of(subscription).head == "280"

    def cursor_before(number: int) -> None:
        seen.append((upstream.pages()[-1]["older"], feed_of(subscription).cursor))

    seen: list[Any] = []
    upstream.before_page = cursor_before
    assert not read(subscription)
    assert [older for older, _ in seen] == [
        "248",
        "215",
        "158",
        "125",
        "78",
        "45",
        "12",
    ]
    assert {cursor for _, cursor in seen} == {"10"}, "until the lowest is read"
    assert feed_of(subscription).cursor == "280"
    assert len(caught(subscription)) == 280


def test_the_cursor_rests_on_the_floor_of_the_lowest_open_gap(
    upstream: Upstream,
) -> None:
    subscription = a_subscription()
    upstream.post(10)
    read(subscription)
    for count in (100, 80):
        upstream.post(count)
        hear(subscription)
        killed_at(upstream, subscription, 2)
    Gap.objects.filter(floor="110").update(
        next_attempt_at=datetime.now(UTC) + timedelta(hours=1)
    )
    assert not read(subscription)
    assert feed_of(subscription).cursor == "110"
    assert not Feed.objects.due().exists(), "the other gap waits"


def test_the_top_is_read_every_two_seconds_while_a_gap_is_read(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = a_subscription()
    upstream.post(330)
    monkeypatch.setattr(fetching, "REST", timedelta(0))

    def say(number: int) -> None:
        if number == 5:
            upstream.post()
            hear(subscription)

    upstream.before_page = say
    assert not read(subscription)
    assert upstream.pages()[5] == {"since": "330", "older": None}
    assert len(caught(subscription)) == 331
    assert feed_of(subscription).cursor == "331"


def test_too_many_gaps_become_one_that_holds_them_all(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "AT_MOST", 3)
    subscription = a_subscription()
    for _ in range(3):
        upstream.post(50)
        hear(subscription)
        killed_at(upstream, subscription, 2)
    assert len(open_gaps()) == 3
    upstream.post()
    hear(subscription)
    assert not read(subscription)
    assert Gap.objects.count() == 1
    assert len(caught(subscription)) == 151
    assert feed_of(subscription).cursor == "151"


def test_a_gap_that_fails_keeps_nobody_waiting(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.post(100)
    killed_at(upstream, subscription, 3)

    def refuse(_: int) -> None:
        if upstream.pages()[-1]["older"] == "35":
            raise BadAnswer("<html>")

    upstream.before_page = refuse
    assert not read(subscription)
    new = upstream.post()
    hear(subscription)
    assert Feed.objects.due().exists()
    assert not read(subscription)
    assert new[0].native_id in caught(subscription)
    assert open_gaps() == [("35", None)]
    assert feed_of(subscription).last_error_code == "bad_answer"


def test_closed_gaps_are_trimmed_after_a_week_so_many_at_once(
    monkeypatch: pytest.MonkeyPatch, rung: list[Any]
) -> None:
    monkeypatch.setattr(gaps, "TRIMMED_AT_ONCE", 3)
    subscription = a_subscription(done_seq=1)
    now = datetime.now(UTC)
    for age in (1, 8, 9, 10, 11):
        Gap.objects.create(feed_id=subscription.pk, closed_at=now - timedelta(days=age))
    Gap.objects.create(feed_id=subscription.pk, opened_at=now - timedelta(days=30))
    tasks.reconcile()
    assert Gap.objects.count() == 3
    assert gaps.trim() == 1
    assert gaps.trim() == 0
    assert Gap.objects.unread().count() == 1, "an open one is kept for ever"


# --- Whose turn it is ---------------------------------------------------------


def purposes(monkeypatch: pytest.MonkeyPatch) -> list[Purpose]:
    asked: list[Purpose] = []
    calling = fetching.calls.calling

    def note(account: ProviderAccount, purpose: Purpose) -> Any:
        asked.append(purpose)
        return calling(account, purpose)

    monkeypatch.setattr(fetching.calls, "calling", note)
    return asked


def test_calls_say_whether_somebody_spoke_of_the_tag(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = purposes(monkeypatch)
    subscription = a_subscription()
    upstream.post(40)
    read(subscription)
    assert asked == [Purpose.POLL, Purpose.POLL]
    asked.clear()
    upstream.post(40)
    hear(subscription)
    read(subscription)
    assert asked == [Purpose.NOTIFIED, Purpose.NOTIFIED]


def test_the_sweep_rings_for_tags_that_were_spoken_of_first(
    upstream: Upstream, rung: list[Any]
) -> None:
    account = an_account()
    polled = a_subscription("polled", account=account)
    heard = a_subscription("heard", account=account, heard_seq=1)
    tasks.reconcile()
    assert [pk for _, pk in rung] == [heard.pk, polled.pk]


def refuse_calls(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(*_: object) -> Any:
        raise error

    monkeypatch.setattr(fetching.calls, "calling", refuse)


def test_a_poll_without_budget_yields_to_notifications(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = a_subscription()
    with monkeypatch.context() as patch:
        refuse_calls(patch, BudgetSpent("spent", retry_after=200))
        assert not read(subscription)
    feed = feed_of(subscription)
    assert (feed.failures, feed.last_error_code) == (0, "budget_spent")
    assert feed.yields_until is not None
    assert feed.yields_until - datetime.now(UTC) > timedelta(seconds=190)
    Feed.objects.update(rest_until=None)
    assert not Feed.objects.due().exists()
    hear(subscription)
    upstream.post()
    assert Feed.objects.due().exists()
    assert not read(subscription)
    assert len(caught(subscription)) == 1


@pytest.mark.parametrize(
    "error",
    [BudgetSpent("spent", retry_after=600), BreakerOpen("down", retry_after=600)],
)
def test_who_may_not_call_waits_as_long_as_told_and_it_is_no_failure(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    subscription = a_subscription(heard_seq=1)
    with monkeypatch.context() as patch:
        refuse_calls(patch, error)
        assert not read(subscription)
    feed = feed_of(subscription)
    assert feed.failures == 0
    assert feed.next_attempt_at is not None
    assert feed.next_attempt_at - datetime.now(UTC) > timedelta(seconds=590)
    assert not Feed.objects.due().exists()
    Feed.objects.update(next_attempt_at=None)
    upstream.post()
    assert not read(subscription)
    assert len(caught(subscription)) == 1


def test_while_the_breaker_is_open_no_tag_of_the_account_is_due(
    upstream: Upstream,
) -> None:
    subscription = a_subscription()
    accounts = ProviderAccount.objects.filter(pk=subscription.account_id)
    accounts.update(breaker_until=datetime.now(UTC) + timedelta(minutes=1))
    assert not Feed.objects.due().exists()
    accounts.update(breaker_until=datetime.now(UTC) - timedelta(seconds=1))
    assert Feed.objects.due().exists()


# --- What is vouched for ------------------------------------------------------


def spans(subscription: Subscription) -> list[tuple[datetime, datetime, str]]:
    rows = CoverageSpan.objects.filter(subscription=subscription)
    return list(
        rows.order_by("begins_at").values_list("begins_at", "ends_at", "quality")
    )


def test_a_first_reading_vouches_for_the_time_since_its_oldest_post(
    upstream: Upstream,
) -> None:
    subscription = a_subscription(first_read_at=None)
    day = datetime.now(UTC) - timedelta(days=1)
    upstream.post(40, posted_at=day)
    upstream.post(3)
    before = datetime.now(UTC)
    read(subscription)
    covered = spans(subscription)
    assert covered[0][0] == day
    end = covered[-1][1]
    assert before <= end == feed_of(subscription).head_at
    assert {quality for _, _, quality in covered} == {Quality.COMPLETE}


def test_one_reading_goes_on_where_the_last_one_was_asked(upstream: Upstream) -> None:
    subscription = a_subscription(first_read_at=None)
    upstream.post(3)
    read(subscription)
    begin = spans(subscription)[0][0]
    upstream.post(3)
    hear(subscription)
    read(subscription)
    assert spans(subscription) == [
        (begin, feed_of(subscription).head_at, Quality.COMPLETE)
    ]


def test_while_an_older_gap_is_open_its_minutes_are_not_covered(
    upstream: Upstream, settings: Settings
) -> None:
    subscription = a_subscription(first_read_at=None)
    upstream.post(3)
    read(subscription)
    first = feed_of(subscription).head_at
    upstream.post(100)
    hear(subscription)
    killed_at(upstream, subscription, 2)
    second = feed_of(subscription).head_at
    assert spans(subscription)[-1][1] == first
    settings.PHOTOWALL_PAGES_PER_RUN = 1
    upstream.post()
    hear(subscription)
    assert read(subscription), "the old gap is left"
    third = feed_of(subscription).head_at
    assert [(b, e) for b, e, _ in spans(subscription)][1:] == [(second, third)]
    settings.PHOTOWALL_PAGES_PER_RUN = 50
    assert not read(subscription)
    covered = spans(subscription)
    assert covered[-1][1] == third
    assert all(ended[1] >= began[0] for ended, began in itertools.pairwise(covered)), (
        "no hole is left"
    )


def test_entries_nobody_can_read_make_it_partial(upstream: Upstream) -> None:
    subscription = a_subscription(first_read_at=None)
    upstream.post(3, posted_at=datetime.now(UTC) - timedelta(minutes=5))
    upstream.change_page = lambda page: replace(page, skipped=1)
    read(subscription)
    row = CoverageSpan.objects.get()
    assert (row.quality, row.reason) == (Quality.PARTIAL, "unread_posts")
    upstream.change_page = lambda page: page
    make_due(subscription)
    read(subscription)
    assert CoverageSpan.objects.filter(quality=Quality.COMPLETE).exists()
