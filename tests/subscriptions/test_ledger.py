"""The ledger's rows: in any order, twice, at once, and few."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from subscriptions import ledger
from subscriptions.models import CoverageSpan, Hindrance, Quality, Subscription
from tests.subscriptions.following import all_at_once
from tests.subscriptions.upstream import a_subscription

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
COMPLETE, PARTIAL = Quality.COMPLETE, Quality.PARTIAL


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def cover(
    subscription: Subscription,
    begin: float,
    end: float,
    quality: Quality = COMPLETE,
    reason: str = "",
    *,
    read: float | None = None,
) -> None:
    """Read at once, unless ``read`` says when."""
    ledger.covered(
        subscription.pk,
        at(begin),
        at(end),
        quality,
        reason,
        read_at=at(end if read is None else read),
    )


def rows(subscription: Subscription) -> list[tuple[float, float, str, str]]:
    found = CoverageSpan.objects.filter(subscription=subscription)
    return [
        (
            (row.begins_at - NOON).total_seconds() / 60,
            (row.ends_at - NOON).total_seconds() / 60,
            row.quality,
            row.reason,
        )
        for row in found.order_by("begins_at", "ends_at")
    ]


def test_what_cannot_be_said_is_refused() -> None:
    one = a_subscription()
    naive = datetime(2026, 11, 20, 12, 0)  # noqa: DTZ001  on purpose
    with pytest.raises(ValueError, match="offset"):
        ledger.covered(one.pk, naive, at(1))
    with pytest.raises(ValueError, match="vouches"):
        ledger.covered(one.pk, at(0), at(1), Quality.BLIND)
    with pytest.raises(ValueError, match="one account or"):
        ledger.hindered("paused")
    with pytest.raises(ValueError, match="one account or"):
        ledger.freed("paused", account_pk=1, subscription_pk=1)
    cover(one, 5, 5)
    cover(one, 6, 5)
    assert rows(one) == []
    cover(one, 5, 6)
    assert rows(one) == [(5, 6, COMPLETE, "")]


@pytest.mark.also_on_sqlite
def test_readings_one_after_another_are_one_row() -> None:
    one, other = a_subscription("a"), None
    other = a_subscription("b", account=one.account)
    cover(other, 0, 3)
    for minute in range(20):
        cover(one, minute, minute + 1)
    assert rows(one) == [(0, 20, COMPLETE, "")]
    assert rows(other) == [(0, 3, COMPLETE, "")]
    assert CoverageSpan.objects.get(subscription=one).read_at == at(20)


@pytest.mark.also_on_sqlite
def test_an_older_gap_that_closes_later_fills_the_hole() -> None:
    one = a_subscription()
    cover(one, 0, 10)
    cover(one, 20, 30)
    cover(one, 40, 50)
    assert len(rows(one)) == 3
    cover(one, 10, 20, read=50)
    assert rows(one) == [(0, 30, COMPLETE, ""), (40, 50, COMPLETE, "")]
    cover(one, 5, 60)
    assert rows(one) == [(0, 60, COMPLETE, "")]


def test_the_same_word_twice_changes_nothing() -> None:
    one = a_subscription()
    cover(one, 0, 10, PARTIAL, "backfilled")
    cover(one, 3, 5)
    before = CoverageSpan.objects.order_by("pk").values()
    seen = list(before)
    cover(one, 3, 5)
    cover(one, 0, 10, PARTIAL, "backfilled")
    cover(one, 4, 4.5, PARTIAL, "unread_posts")
    assert list(before.all()) == seen
    assert len(seen) == 3


@pytest.mark.also_on_sqlite
def test_the_better_word_stands() -> None:
    one = a_subscription()
    cover(one, 0, 30, PARTIAL, "unread_posts")
    cover(one, 10, 20)
    assert rows(one) == [
        (0, 10, PARTIAL, "unread_posts"),
        (10, 20, COMPLETE, ""),
        (20, 30, PARTIAL, "unread_posts"),
    ]
    cover(one, 5, 25, PARTIAL, "backfilled")
    assert [row[3] for row in rows(one)] == [
        "unread_posts",
        "backfilled",
        "",
        "backfilled",
        "unread_posts",
    ]
    cover(one, 0, 30)
    assert rows(one) == [(0, 30, COMPLETE, "")]


def test_how_late_a_minute_was_read_is_kept() -> None:
    one = a_subscription()
    hour, day = 60, 24 * 60
    cover(one, -9 * day, 0)
    assert rows(one) == [
        (-9 * day, -7 * day, COMPLETE, "read_later"),
        (-7 * day, -day, COMPLETE, "read_within_7d"),
        (-day, -6 * hour, COMPLETE, "read_within_24h"),
        (-6 * hour, -90, COMPLETE, "read_within_6h"),
        (-90, 0, COMPLETE, ""),
    ]
    # Read again at leisure, that does not become worse, nor does it become better.
    cover(one, -9 * day, 0, read=100 * day)
    assert len(rows(one)) == 5
    quiet = a_subscription("quiet", account=one.account)
    for number in range(24):
        cover(quiet, number * hour, (number + 1) * hour)
    assert rows(quiet) == [(0, day, COMPLETE, "")]


def test_now_is_when_it_is_read_unless_said() -> None:
    one, now = a_subscription(), timezone.now()
    ledger.covered(one.pk, now - timedelta(hours=3), now)
    late, prompt = CoverageSpan.objects.order_by("begins_at")
    assert (late.reason, prompt.reason) == ("read_within_6h", "")
    assert (
        timedelta() <= prompt.begins_at - (now - ledger.PROMPT) < timedelta(seconds=30)
    )


@pytest.mark.parametrize("seed", range(4))
def test_any_order_gives_the_same_few_rows(seed: int) -> None:
    """Against a list of minutes: each has the best that was said of it."""
    dice = random.Random(seed)
    said = [(COMPLETE, ""), (PARTIAL, "backfilled"), (PARTIAL, "unread_posts")]
    reports = []
    for _ in range(40):
        begin = dice.randrange(60)
        reports.append((begin, begin + dice.randrange(1, 9), dice.randrange(3)))
    one = a_subscription()
    for begin, end, best in reports:
        cover(one, begin, end, *said[best])
    minutes = [
        min((best for b, e, best in reports if b <= minute < e), default=None)
        for minute in range(70)
    ]
    wanted = [
        (minute, said[best]) for minute, best in enumerate(minutes) if best is not None
    ]
    found = rows(one)
    told = [
        (minute, (row[2], row[3]))
        for row in found
        for minute in range(int(row[0]), int(row[1]))
    ]
    assert told == wanted
    runs = sum(
        best is not None and (minute == 0 or minutes[minute - 1] != best)
        for minute, best in enumerate(minutes)
    )
    assert len(found) == runs


@pytest.mark.also_on_sqlite
def test_workers_at_once_lose_nothing() -> None:
    one = a_subscription()
    cover(one, 0, 1)
    numbers = iter(range(1, 7))

    def work() -> None:
        number = next(numbers)
        cover(one, number, number + 1, read=10)
        cover(one, -number, 1 - number, read=10)

    all_at_once(6, work)
    told = {
        minute for begin, end, *_ in rows(one) for minute in range(int(begin), int(end))
    }
    assert told == set(range(-6, 7))
    # What two of them could not see of each other, the next one joins.
    cover(one, -7, 8, read=10)
    assert rows(one) == [(-7, 8, COMPLETE, "")]


def test_a_reading_that_is_undone_vouches_for_nothing() -> None:
    one = a_subscription()
    cover(one, 0, 1)

    def interrupted() -> None:
        with transaction.atomic():
            cover(one, 1, 2)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert rows(one) == [(0, 1, COMPLETE, "")]


@pytest.mark.also_on_sqlite
def test_a_hindrance_is_one_row_until_it_is_over() -> None:
    account = a_subscription().account
    all_at_once(4, lambda: ledger.hindered("rate_limited", account_pk=account.pk))
    ledger.hindered("rate_limited", account_pk=account.pk, detail="again")
    assert Hindrance.objects.get().ended_at is None
    ledger.freed("provider_down", account_pk=account.pk)
    assert Hindrance.objects.get().ended_at is None
    ledger.freed("rate_limited", account_pk=account.pk)
    only = Hindrance.objects.get()
    assert only.ended_at is not None and only.began_at <= only.ended_at
    ledger.freed("rate_limited", account_pk=account.pk)
    assert Hindrance.objects.get().ended_at == only.ended_at


@pytest.mark.also_on_sqlite
def test_what_comes_back_at_once_goes_on() -> None:
    one = a_subscription()
    ledger.hindered("paused", subscription_pk=one.pk, detail="by Ada")
    ledger.freed("paused", subscription_pk=one.pk)
    ledger.hindered("paused", subscription_pk=one.pk)
    only = Hindrance.objects.get()
    assert (only.ended_at, only.detail) == (None, "by Ada")
    ledger.freed("paused", subscription_pk=one.pk)
    Hindrance.objects.update(ended_at=timezone.now() - timedelta(minutes=2))
    ledger.hindered("paused", subscription_pk=one.pk)
    assert Hindrance.objects.count() == 2
    assert Hindrance.objects.filter(ended_at__isnull=True).count() == 1
