"""The breaker and the pause: who may call a provider that is down, or wants peace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from media_archive.errors import (
    OutgoingError,
    OutgoingTimeout,
    PhotowallError,
    RefusedAddress,
)
from subscriptions import accounts, backoff, breaker, calls
from subscriptions.errors import (
    AuthRefused,
    BadAnswer,
    BreakerOpen,
    BudgetSpent,
    ProviderError,
    RateLimited,
    SubscriptionRefused,
)
from subscriptions.models import (
    CallCount,
    Feed,
    Hindrance,
    ProviderAccount,
    Purpose,
    State,
)
from tests.subscriptions.following import all_at_once
from tests.subscriptions.upstream import a_subscription, an_account

pytestmark = pytest.mark.django_db

DOWN = BadAnswer("<html>")


def call(
    account: ProviderAccount,
    error: BaseException | None = None,
    purpose: Purpose = Purpose.NOTIFIED,
) -> str:
    """One call that ends with ``error``: "called", or why it was not made."""
    made = False
    try:
        with calls.calling(account, purpose):
            made = True
            if error is not None:
                raise error
    except PhotowallError as raised:
        if not made:
            return raised.code
    return "called"


def fail(account: ProviderAccount, times: int = breaker.OPENS_AFTER) -> None:
    assert [call(account, DOWN) for _ in range(times)] == ["called"] * times


def let_pass(account: ProviderAccount, **columns: Any) -> None:
    """As if what the account waits for were just over."""
    just_now = timezone.now() - timedelta(seconds=1)
    said = columns or {"breaker_until": just_now}
    ProviderAccount.objects.filter(pk=account.pk).update(**said)


def fresh(account: ProviderAccount) -> ProviderAccount:
    return ProviderAccount.objects.get(pk=account.pk)


def test_an_open_breaker_lets_nobody_go_and_costs_nothing() -> None:
    account = an_account()
    fail(account)
    counted = CallCount.objects.get().calls
    for purpose in Purpose:
        if purpose != Purpose.PEOPLE:
            assert call(account, purpose=purpose) == "breaker_open"
    assert CallCount.objects.get().calls == counted == breaker.OPENS_AFTER
    with pytest.raises(BreakerOpen) as caught, calls.calling(account, Purpose.POLL):
        raise AssertionError("it was called")
    assert caught.value.retry_after is not None
    assert 50 < caught.value.retry_after <= 60


def test_four_failures_and_a_good_answer_open_nothing() -> None:
    account = an_account()
    fail(account, 4)
    assert call(account) == "called"
    fail(account, 4)
    assert fresh(account).breaker_until is None
    fail(account, 1)
    assert fresh(account).breaker_until is not None


@pytest.mark.parametrize(
    ("error", "blamed"),
    [
        (BadAnswer("x"), True),
        (ProviderError("x"), True),
        (OutgoingError("x"), True),
        (OutgoingTimeout("x"), True),
        (RefusedAddress("x"), False),
        (AuthRefused("x"), False),
        (SubscriptionRefused("x"), False),
    ],
)
def test_who_is_to_blame(error: PhotowallError, blamed: bool) -> None:
    account = an_account()
    for _ in range(breaker.OPENS_AFTER):
        call(account, error)
    assert (fresh(account).breaker_until is not None) is blamed


def test_a_mistake_of_ours_is_counted_as_a_call_and_as_no_failure() -> None:
    account = an_account()
    with pytest.raises(ZeroDivisionError):
        call(account, ZeroDivisionError())
    assert CallCount.objects.get().calls == 1
    assert fresh(account).failures == 0


def test_a_refusal_shows_that_the_provider_is_back() -> None:
    account = an_account()
    fail(account)
    let_pass(account)
    assert call(account, AuthRefused("no")) == "called"
    assert fresh(account).breaker_until is None


def test_after_the_minute_one_call_probes_and_keeps_the_others_out() -> None:
    account = an_account()
    fail(account)
    let_pass(account)
    assert call(account, DOWN) == "called"
    assert call(account) == "breaker_open"
    assert fresh(account).failures == breaker.OPENS_AFTER + 1


def test_people_may_always_try_and_are_the_probe() -> None:
    account = an_account()
    fail(account)
    before = fresh(account).breaker_until
    assert call(account, DOWN, Purpose.PEOPLE) == "called"
    after = fresh(account).breaker_until
    assert before is not None
    assert after is not None
    assert after > before
    assert call(account, None, Purpose.PEOPLE) == "called"
    assert fresh(account).breaker_until is None
    assert call(account) == "called"


@pytest.mark.also_on_sqlite
@pytest.mark.django_db(transaction=True)
def test_of_eight_who_race_one_gets_the_probe_of_the_minute() -> None:
    account = an_account()
    fail(account)
    for _ in range(2):
        let_pass(account)
        said = all_at_once(8, lambda: call(account, DOWN))
        assert sorted(map(str, said)) == ["breaker_open"] * 7 + ["called"]
    let_pass(account)
    assert call(account) == "called"
    assert all_at_once(8, lambda: call(account)) == ["called"] * 8


def test_a_good_answer_wakes_what_waited_for_the_provider() -> None:
    account = an_account()
    later = timezone.now() + timedelta(minutes=15)
    waiting = [
        a_subscription(f"t{n}", account=account, next_attempt_at=later) for n in "abc"
    ]
    for subscription, code in zip(
        waiting, ("breaker_open", "timeout", "bug"), strict=True
    ):
        Feed.objects.filter(pk=subscription.pk).update(last_error_code=code)
    elsewhere = a_subscription(
        "other",
        account=an_account(name="Other"),
        next_attempt_at=later,
        last_error_code="timeout",
    )
    fail(account)
    assert not Feed.objects.due().exists()
    let_pass(account)
    call(account)
    soon = timezone.now() + breaker.WAVES * breaker.WAVE
    woken = Feed.objects.filter(next_attempt_at__lte=soon)
    assert {*woken.values_list("pk", flat=True)} == {s.pk for s in waiting[:2]}
    assert Feed.objects.get(pk=elsewhere.pk).next_attempt_at == later


def test_a_probe_is_due_though_all_tags_wait_for_long() -> None:
    later = timezone.now() + timedelta(minutes=15)
    account = an_account()
    quiet: dict[str, Any] = {
        "dirty_seq": 0,
        "next_attempt_at": later,
        "last_error_code": "timeout",
    }
    for tag in "ab":
        a_subscription(f"tag{tag}", account=account, **quiet)
    a_subscription("paused", State.PAUSED, account, **quiet)
    fail(account)
    assert breaker.ready_probes() == 0, "not before the minute is over"
    let_pass(account)
    assert breaker.ready_probes() == 1
    assert Feed.objects.due().count() == 1


def test_the_time_the_provider_is_down_is_in_the_ledger() -> None:
    account = an_account()
    fail(account, 4)
    assert not Hindrance.objects.exists()
    fail(account, 1)
    hindrance = Hindrance.objects.get(account=account)
    assert (hindrance.reason, hindrance.ended_at) == ("provider_down", None)
    assert "provider's API" in hindrance.detail
    let_pass(account)
    call(account, DOWN)
    let_pass(account)
    call(account)
    assert Hindrance.objects.get().ended_at is not None


def test_nobody_calls_while_the_provider_wants_peace() -> None:
    account = an_account()
    assert call(account, RateLimited("slow", retry_after=100)) == "called"
    for purpose in Purpose:
        assert call(account, purpose=purpose) == "rate_limited"
    assert fresh(account).pauses == 1, "what was not called is no rate limit"
    assert Hindrance.objects.get().reason == "rate_limited"
    let_pass(account, paused_until=timezone.now() - timedelta(seconds=1))
    assert Hindrance.objects.get().ended_at is None, "until the next good answer"
    assert call(account) == "called"
    assert Hindrance.objects.get().ended_at is not None
    assert fresh(account).pauses == 0


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        (120.0, 115, 120),
        (0.0, -1, 1),
        (-5.0, -1, 1),
        (1e300, 3590, 3600),
        (float("inf"), 3590, 3600),
        (None, -1, 30),
    ],
)
def test_a_pause_is_as_long_as_asked_within_reason(
    asked: float | None, least: float, most: float
) -> None:
    account = an_account()
    call(account, RateLimited("slow", retry_after=asked))
    until = fresh(account).paused_until
    assert until is not None
    assert least <= (until - timezone.now()).total_seconds() <= most


def test_a_shorter_pause_never_replaces_a_longer_one() -> None:
    account = an_account()
    accounts.pause(account.pk, RateLimited("slow", retry_after=900))
    long = fresh(account).paused_until
    accounts.pause(account.pk, RateLimited("slow", retry_after=2))
    assert fresh(account).paused_until == long
    assert fresh(account).pauses == 1, "one wave of refusals is one rate limit"
    accounts.pause(account.pk, RateLimited("slow", retry_after=1800))
    longer = fresh(account).paused_until
    assert long is not None
    assert longer is not None
    assert longer > long


def test_an_answer_that_was_under_way_does_not_end_the_pause() -> None:
    account = an_account()
    with calls.calling(account, Purpose.NOTIFIED):
        accounts.pause(account.pk, RateLimited("slow", retry_after=900))
    assert fresh(account).pauses == 1
    assert call(account) == "rate_limited"


def test_unasked_pauses_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "_jittered", lambda first, times: first * 2**times)
    account, waits = an_account(), []
    for _ in range(3):
        assert call(account, RateLimited("slow")) == "called"
        until = fresh(account).paused_until
        assert until is not None
        waits.append(round((until - timezone.now()).total_seconds() / 60))
        let_pass(account, paused_until=timezone.now() - timedelta(seconds=1))
    assert waits == [1, 2, 4]


def test_a_person_may_forget_all_waits() -> None:
    account = an_account()
    fail(account)
    accounts.pause(account.pk, RateLimited("slow", retry_after=900))
    assert call(account) == "rate_limited"
    accounts.forget_waits(account.pk)
    assert call(account) == "called"


def test_without_budget_there_is_no_probe() -> None:
    account = an_account()
    fail(account)
    let_pass(account, breaker_until=timezone.now(), hourly_limit=breaker.OPENS_AFTER)
    assert call(account) == BudgetSpent.code
    until = fresh(account).breaker_until
    assert until is not None
    assert until <= timezone.now(), "nobody has taken it"
