"""The budget: never more calls in an hour than the limit, over all workers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F, Sum
from django.utils import timezone
from pytest_django.fixtures import Settings

from subscriptions import budget, calls
from subscriptions.errors import BudgetSpent
from subscriptions.models import (
    CallCount,
    Hindrance,
    ProviderAccount,
    Purpose,
)
from subscriptions.providers.base import Quota
from tests.subscriptions.hammering import start
from tests.subscriptions.upstream import an_account

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 14, 30, 30, tzinfo=UTC)


def limited(limit: int | None = 100, **said: Any) -> ProviderAccount:
    account = an_account()
    ProviderAccount.objects.filter(pk=account.pk).update(hourly_limit=limit, **said)
    account.refresh_from_db()
    return account


def spend_all(account: ProviderAccount, purpose: Purpose, now: datetime = NOW) -> int:
    """How many calls it may make now."""
    for done in range(1000):
        try:
            budget.spend(account.pk, purpose, now)
        except BudgetSpent:
            return done
    raise AssertionError("there is no end to it")


def counted(account: ProviderAccount) -> int:
    total = CallCount.objects.filter(account=account).aggregate(all=Sum("calls"))
    return int(total["all"] or 0)


def pass_time(account: ProviderAccount, **how_long: float) -> None:
    """As if it had passed since everything was counted."""
    for row in CallCount.objects.filter(account=account).order_by("minute"):
        CallCount.objects.filter(pk=row.pk).update(
            minute=F("minute") - timedelta(**how_long)
        )


def test_a_call_too_many_is_refused_and_not_counted() -> None:
    account = limited(3)
    for _ in range(3):
        budget.spend(account.pk, Purpose.PEOPLE, NOW)
    with pytest.raises(BudgetSpent) as caught:
        budget.spend(account.pk, Purpose.PEOPLE, NOW)
    assert counted(account) == 3
    # The minute 14:30 counts until 15:32 begins.
    assert caught.value.retry_after == 61 * 60 + 30
    assert caught.value.code == "budget_spent"


def test_no_call_is_let_go_where_a_person_allows_none() -> None:
    account = limited(0)
    with pytest.raises(BudgetSpent) as caught:
        budget.spend(account.pk, Purpose.PEOPLE, NOW)
    assert caught.value.retry_after
    assert counted(account) == 0


def test_what_was_counted_counts_for_more_than_an_hour_and_then_no_more() -> None:
    account = limited(10)
    assert spend_all(account, Purpose.PEOPLE) == 10
    for minutes in (1, 30, 59, 60, 61):
        later = NOW + timedelta(minutes=minutes)
        assert spend_all(account, Purpose.PEOPLE, later) == 0
    assert spend_all(account, Purpose.PEOPLE, NOW + timedelta(minutes=62)) == 10


def test_no_window_of_an_hour_ever_holds_more() -> None:
    account, made = limited(12), list[datetime]()
    now = NOW
    for step in range(250):
        now += timedelta(seconds=(step * 37) % 61)
        for _ in range(step % 4):
            try:
                budget.spend(account.pk, Purpose.PEOPLE, now)
            except BudgetSpent:
                continue
            # It may come to the provider up to 30 seconds later.
            made.append(now + timedelta(seconds=(step * 7) % 31))
    made.sort()
    hour = timedelta(hours=1)
    fullest = max(sum(at <= each < at + hour for each in made) for at in made)
    assert fullest <= 12
    assert len(made) > 20  # It did go on.


@pytest.mark.parametrize(
    ("purpose", "share"),
    [
        (Purpose.PEOPLE, 100),
        (Purpose.UPKEEP, 100),
        (Purpose.NOTIFIED, 90),
        (Purpose.POLL, 75),
        (Purpose.BACKFILL, 50),
    ],
)
def test_each_purpose_has_its_share(purpose: Purpose, share: int) -> None:
    assert spend_all(limited(100), purpose) == share


def test_whoever_comes_after_the_greedy_finds_the_rest() -> None:
    account = limited(100)
    taken = [
        spend_all(account, purpose)
        for purpose in (
            Purpose.BACKFILL,
            Purpose.POLL,
            Purpose.BACKFILL,
            Purpose.NOTIFIED,
            Purpose.UPKEEP,
            Purpose.PEOPLE,
        )
    ]
    assert taken == [50, 25, 0, 15, 10, 0]


def test_the_reserve_is_a_setting(settings: Settings) -> None:
    settings.PHOTOWALL_CALLS_KEPT = 40
    assert spend_all(limited(100), Purpose.NOTIFIED) == 60
    other = an_account(name="Other")
    ProviderAccount.objects.filter(pk=other.pk).update(hourly_limit=100)
    assert spend_all(other, Purpose.POLL) == 60


def test_a_tiny_limit_lets_everybody_once() -> None:
    assert spend_all(limited(1), Purpose.BACKFILL) == 1


def test_accounts_do_not_share() -> None:
    assert spend_all(limited(5), Purpose.PEOPLE) == 5
    other = an_account(name="Other")
    ProviderAccount.objects.filter(pk=other.pk).update(hourly_limit=7)
    assert spend_all(other, Purpose.PEOPLE) == 7


@pytest.mark.parametrize(
    "quota",
    [
        Quota(-1, 10),
        Quota(0, 0),
        Quota(10**30, 5),
        Quota(100, -5),
        Quota(100, 101),
        Quota(100, 10**30),
        Quota(None, 10**30),
        Quota(None, -1),
        Quota(),
    ],
)
def test_a_header_that_makes_no_sense_does_no_harm(quota: Quota) -> None:
    account = limited(None)
    calls.told(account, Quota(20, 20))
    calls.told(account, quota)
    account.refresh_from_db()
    assert (account.quota_limit, account.quota_remaining) == (20, 20)
    assert spend_all(account, Purpose.PEOPLE) == 20


def test_the_providers_limit_is_the_limit_unless_a_person_wants_less() -> None:
    account = limited(None)
    assert budget.limit_of(account) == 5000
    calls.told(account, Quota(30, 30))
    account.refresh_from_db()
    assert budget.limit_of(account) == 30
    calls.told(account, Quota(60, 60))
    account.refresh_from_db()
    assert budget.limit_of(account) == 60
    account.hourly_limit = 50
    assert budget.limit_of(account) == 50
    account.hourly_limit = 70
    assert budget.limit_of(account) == 60


def test_what_the_provider_counted_beyond_ours_counts_too() -> None:
    account = limited(None)
    now = timezone.now()
    for _ in range(10):
        budget.spend(account.pk, Purpose.PEOPLE, now)
    calls.told(account, Quota(50, 20))  # It has counted 30: others made 20.
    assert counted(account) == 30
    calls.told(account, Quota(50, 15))
    assert counted(account) == 35
    calls.told(account, Quota(50, 45))  # It counts fewer than we made.
    assert counted(account) == 10, "what we made stays counted"
    assert spend_all(account, Purpose.PEOPLE, timezone.now()) == 40


def test_the_providers_word_alone_stops_us_but_for_one_call_a_minute() -> None:
    account = limited(None)
    calls.told(account, Quota(50, 0))
    now = timezone.now() + timedelta(minutes=1)
    assert [spend_all(account, Purpose.NOTIFIED, now) for _ in range(2)] == [1, 0]
    now += timedelta(minutes=1)
    assert spend_all(account, Purpose.POLL, now) == 1
    with pytest.raises(BudgetSpent) as caught:
        budget.spend(account.pk, Purpose.PEOPLE, now)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after <= 60
    calls.told(account, Quota(50, 48))  # It was wrong, or its hour is over.
    assert spend_all(account, Purpose.PEOPLE, now) == 48


def test_a_clock_that_was_set_back_never_gives_more() -> None:
    account = limited(10)
    assert spend_all(account, Purpose.PEOPLE, NOW + timedelta(days=400)) == 10
    assert spend_all(account, Purpose.PEOPLE, NOW) == 0
    assert counted(account) == 10
    later = NOW + timedelta(minutes=62)
    assert spend_all(account, Purpose.PEOPLE, NOW + timedelta(minutes=61)) == 0
    assert spend_all(account, Purpose.PEOPLE, later) == 10, "and goes on in time"


def test_the_time_of_being_spent_is_in_the_ledger_and_at_the_account() -> None:
    account = limited(10)
    spend_all(account, Purpose.BACKFILL)
    account.refresh_from_db()
    assert account.spent_until is None, "a backfill that waits hinders nobody"
    assert not Hindrance.objects.exists()
    spend_all(account, Purpose.NOTIFIED)
    account.refresh_from_db()
    assert account.spent_until == NOW.replace(second=0) + timedelta(minutes=62)
    assert Hindrance.objects.get(account=account).reason == "budget_spent"
    later = NOW + timedelta(minutes=62)
    budget.spend(account.pk, Purpose.NOTIFIED, later)
    account.refresh_from_db()
    assert account.spent_until is None
    assert Hindrance.objects.get(account=account).ended_at is not None


def test_old_counts_are_trimmed_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "TRIMMED_AT_ONCE", 2)
    account = limited()
    for days in (4, 3, 2, 0):
        budget.spend(account.pk, Purpose.POLL, NOW - timedelta(days=days))
    assert [budget.trim(NOW) for _ in range(3)] == [2, 1, 0]
    assert CallCount.objects.get().minute == NOW.replace(second=0)


@pytest.mark.parametrize(
    ("heard", "due_since", "quiet_reads", "purpose"),
    [
        (True, None, 0, Purpose.NOTIFIED),
        (False, None, 0, Purpose.POLL),
        (False, timedelta(minutes=9), 0, Purpose.POLL),
        (False, timedelta(minutes=11), 0, Purpose.NOTIFIED),
        (False, timedelta(minutes=119), 9, Purpose.POLL),
        (False, timedelta(minutes=121), 9, Purpose.NOTIFIED),
        (False, timedelta(days=-3), 0, Purpose.POLL),
    ],
)
def test_a_poll_that_waited_very_long_is_made_as_if_spoken_of(
    heard: bool, due_since: timedelta | None, quiet_reads: int, purpose: Purpose
) -> None:
    next_poll_at = None if due_since is None else NOW - due_since
    taken = budget.purpose_of_reading(
        heard=heard, next_poll_at=next_poll_at, quiet_reads=quiet_reads, now=NOW
    )
    assert taken == purpose


@pytest.mark.also_on_sqlite
@pytest.mark.django_db(transaction=True)
def test_eight_processes_spend_exactly_the_limit() -> None:
    account = limited(100)
    let = start(8, account.pk, Purpose.PEOPLE, 40)
    assert sum(let) == 100
    assert counted(account) == 100
    with pytest.raises(BudgetSpent):
        budget.spend(account.pk, Purpose.PEOPLE)
    pass_time(account, minutes=63)
    budget.spend(account.pk, Purpose.PEOPLE)
