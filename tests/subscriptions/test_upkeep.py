"""The provider forgot us, has us twice, or under another number: it is put right."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from pytest_django.fixtures import Settings

from media_archive.errors import OutgoingTimeout
from subscriptions import lifecycle, orphans, requesting, tasks, upkeep
from subscriptions.errors import AuthRefused, BadAnswer, RateLimited
from subscriptions.models import (
    Feed,
    Gap,
    Hindrance,
    ProviderAccount,
    State,
    Subscription,
)
from subscriptions.providers.base import UpstreamSubscription
from tests.subscriptions.following import all_at_once, in_state, raising
from tests.subscriptions.upstream import Upstream, a_subscription, an_account

pytestmark = [pytest.mark.django_db, pytest.mark.also_on_sqlite]

MINUTE = timedelta(minutes=1)


def named(subscription: Subscription, native_id: str = "") -> UpstreamSubscription:
    """The subscription as the provider lists it."""
    return UpstreamSubscription(
        native_id or subscription.upstream_id,
        "tag",
        subscription.tag,
        lifecycle.callback_url(subscription),
    )


def long_standing(tag: str = "nofilter", **said: Any) -> Subscription:
    subscription = a_subscription(tag, **said)
    Subscription.objects.filter(pk=subscription.pk).update(
        state_since=datetime.now(UTC) - 10 * MINUTE
    )
    subscription.refresh_from_db()
    return subscription


def ask(subscription: Subscription) -> list[int]:
    """One round, as if it were time for it."""
    ProviderAccount.objects.update(upkeep_at=None)
    return upkeep.look_after(subscription.account_id)


def state_of(subscription: Subscription) -> tuple[str, int]:
    subscription.refresh_from_db()
    return subscription.state, subscription.missed


def removed(upstream: Upstream) -> list[object]:
    return [said["native_id"] for name, said in upstream.calls if name == "unsubscribe"]


def test_what_is_named_is_confirmed(upstream: Upstream) -> None:
    subscription = long_standing()
    upstream.known = [named(subscription)]
    assert ask(subscription) == []
    assert state_of(subscription) == (State.ACTIVE, 0)
    assert subscription.confirmed_at is not None
    assert removed(upstream) == []


def test_one_odd_answer_does_no_harm(upstream: Upstream) -> None:
    subscription = long_standing()
    assert ask(subscription) == []
    assert state_of(subscription) == (State.ACTIVE, 1)
    upstream.known = [named(subscription)]
    assert ask(subscription) == []
    assert state_of(subscription) == (State.ACTIVE, 0)
    upstream.known = []
    assert ask(subscription) == []
    assert state_of(subscription) == (State.ACTIVE, 1), "in a row, they must be"


def test_the_second_question_comes_after_a_minute(upstream: Upstream) -> None:
    subscription = long_standing()
    ask(subscription)
    account = ProviderAccount.objects.get()
    assert account.upkeep_at is not None
    wait = account.upkeep_at - datetime.now(UTC)
    assert timedelta(seconds=50) < wait < timedelta(seconds=80)
    assert upkeep.look_after(account.pk) == [], "too early"
    assert upstream.count("subscriptions") == 1


def test_what_is_missing_twice_is_asked_for_again_and_loses_nothing(
    upstream: Upstream,
) -> None:
    subscription = long_standing(cursor="3", head="9", done_seq=1)
    gap = Gap.objects.create(feed_id=subscription.pk, newest="9", older="7", floor="3")
    ask(subscription)
    assert ask(subscription) == [subscription.pk]
    assert state_of(subscription) == (State.REQUESTED, 0)
    assert subscription.state_reason == lifecycle.FORGOTTEN
    assert Hindrance.objects.get(ended_at=None).reason == "not_connected"
    event = subscription.events.get()
    assert (event.before, event.after) == ("active", "requested")
    assert (event.actor, event.reason) == ("", lifecycle.FORGOTTEN)
    assert lifecycle.request(subscription.pk)
    assert state_of(subscription)[0] == State.ACTIVE
    feed = Feed.objects.get()
    assert (feed.cursor, feed.head) == ("3", "9")
    assert Gap.objects.get(closed_at=None) == gap
    assert list(Feed.objects.due()) == [feed], "what came meanwhile is read"
    assert not Hindrance.objects.filter(ended_at=None).exists()


def test_a_provider_that_is_down_when_asked_again_is_waited_for(
    upstream: Upstream,
) -> None:
    subscription = long_standing()
    Subscription.objects.update(confirmed_at=datetime.now(UTC))
    ask(subscription)
    ask(subscription)
    upstream.on_subscribe = raising(OutgoingTimeout("nothing came"))
    assert lifecycle.request(subscription.pk)
    assert state_of(subscription)[0] == State.REQUESTED
    assert "did not answer in time" in subscription.state_reason
    assert not lifecycle.requests_due().exists(), "it waits"
    assert not lifecycle.request(subscription.pk)
    Feed.objects.update(next_attempt_at=None)
    upstream.on_subscribe = raising(AuthRefused("wrong secret"))
    assert lifecycle.request(subscription.pk)
    assert state_of(subscription)[0] == State.FAILED, "that wants a person"


def test_a_worker_killed_while_asking_again_is_followed(upstream: Upstream) -> None:
    long_ago = datetime.now(UTC) - 5 * MINUTE
    subscription = in_state(
        State.REQUESTED, confirmed_at=long_ago, challenge_asked_at=long_ago
    )
    assert lifecycle.give_up_stuck() == 1
    assert state_of(subscription)[0] == State.REQUESTED
    assert list(lifecycle.requests_due()) == [subscription]


@pytest.mark.parametrize("state", [State.PAUSED, State.SUSPENDED])
def test_what_is_not_read_is_asked_for_again_when_resumed(
    upstream: Upstream, state: State
) -> None:
    subscription = long_standing(state=state)
    for _ in range(4):
        assert ask(subscription) == []
    assert state_of(subscription) == (state, 2)
    lifecycle.resume(subscription.pk, "ada")
    assert state_of(subscription) == (State.REQUESTED, 0)
    steps = list(subscription.events.values_list("before", "after"))
    assert steps == [(state, "active"), ("active", "requested")]


def test_a_paused_one_that_is_named_stays_as_it_is(upstream: Upstream) -> None:
    subscription = long_standing(state=State.PAUSED)
    upstream.known = [named(subscription)]
    ask(subscription)
    assert state_of(subscription) == (State.PAUSED, 0)
    lifecycle.resume(subscription.pk, "ada")
    assert state_of(subscription) == (State.ACTIVE, 0)


def test_only_what_has_our_address_and_no_use_is_removed(upstream: Upstream) -> None:
    account = an_account()
    active = long_standing(account=account)
    ended, failed = (
        long_standing(tag, state=state, account=account)
        for tag, state in (("over", State.ENDED), ("sorry", State.FAILED))
    )
    unknown = Subscription(callback_id=uuid.uuid4(), tag="restored")
    Subscription.objects.filter(pk=active.pk).update(upstream_id="2")
    Subscription.objects.exclude(pk=active.pk).update(upstream_id="")
    ours = lifecycle.callback_url(active)
    upstream.known = [
        named(active, "1"),
        named(active, "2"),
        named(ended, "3"),
        named(unknown, "4"),
        named(failed, "5"),
        UpstreamSubscription("6", "tag", "nofilter", "https://elsewhere.example/"),
        UpstreamSubscription("7", "tag", "nofilter", f"{ours}x"),
        UpstreamSubscription("8", "tag", "nofilter", ours.upper()),
        UpstreamSubscription("9", "tag", "nofilter", ours.replace("http", "https")),
    ]
    assert ask(active) == []
    assert removed(upstream) == ["1", "3", "4"]
    assert state_of(active) == (State.ACTIVE, 0)
    assert active.upstream_id == "2"


def test_a_number_that_is_in_use_again_is_not_removed(upstream: Upstream) -> None:
    account = an_account()
    old = long_standing(state=State.ENDED, account=account)
    new = a_subscription(account=account)
    upstream.known = [named(old, "18234411")]
    assert new.upstream_id == "18234411"
    ask(old)
    assert removed(upstream) == []
    now = datetime.now(UTC)
    Subscription.objects.filter(pk=new.pk).update(
        state=State.VERIFYING, upstream_id="", challenge_asked_at=now
    )
    ask(old)
    assert removed(upstream) == [], "it may get that number in this moment"
    Subscription.objects.filter(pk=new.pk).update(state=State.ENDED)
    ask(old)
    assert removed(upstream) == ["18234411"]


def test_an_orphan_that_cannot_be_removed_stays_for_the_next_time(
    upstream: Upstream,
) -> None:
    subscription = long_standing(state=State.ENDED)
    orphan = named(subscription, "3")
    upstream.before_page = raising(BadAnswer("HTML"))
    now = datetime.now(UTC)
    assert orphans.remove(subscription.account, [orphan], [], now) == 0
    upstream.before_page = lambda _: None
    assert orphans.remove(subscription.account, [orphan], [], now) == 1


def test_another_number_is_taken_over(upstream: Upstream) -> None:
    subscription = long_standing()
    upstream.known = [named(subscription, "77")]
    ask(subscription)
    assert state_of(subscription) == (State.ACTIVE, 0)
    assert subscription.upstream_id == "77"
    assert removed(upstream) == []


def test_our_old_address_is_not_ours(upstream: Upstream, settings: Settings) -> None:
    """After a move the provider still calls the old one: we ask anew."""
    subscription = long_standing()
    upstream.known = [named(subscription)]
    settings.PHOTOWALL_BASE_URL = "https://new.example"
    ask(subscription)
    assert ask(subscription) == [subscription.pk]
    assert removed(upstream) == []


@pytest.mark.parametrize(
    ("listed", "seconds_ago", "after"),
    [
        (True, 60, State.ACTIVE),
        (False, 60, State.FAILED),
        (True, 5, State.VERIFYING),
        (False, 5, State.VERIFYING),
    ],
)
def test_an_answer_that_was_lost_is_found_in_the_list(
    upstream: Upstream, *, listed: bool, seconds_ago: int, after: State
) -> None:
    asked_at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    subscription = in_state(
        State.VERIFYING, challenge_asked_at=asked_at, upstream_id=""
    )
    upstream.known = [named(subscription, "5")] if listed else []
    ask(subscription)
    assert state_of(subscription)[0] == after
    assert subscription.upstream_id == ("5" if after == State.ACTIVE else "")


def test_a_lost_answer_after_the_challenge_is_left_to_upkeep(
    upstream: Upstream,
) -> None:
    made = lifecycle.create(an_account(), "nofilter", "ada")

    def challenged_and_cut(url: str, token: str) -> None:
        query = {"hub.mode": "subscribe", "hub.challenge": "x"}
        query["hub.verify_token"] = token
        callback_id = url.rstrip("/").rpartition("/")[2]
        assert lifecycle.answer_challenge(callback_id, query) == "x"
        raise OutgoingTimeout("nothing came")

    upstream.on_subscribe = challenged_and_cut
    lifecycle.request(made.pk)
    assert state_of(made)[0] == State.VERIFYING
    assert not upkeep.accounts_due().exists(), "it may not be listed yet"
    ProviderAccount.objects.update(upkeep_at=F("upkeep_at") - requesting.IN_FLIGHT)
    assert upkeep.accounts_due().exists()
    Subscription.objects.update(challenge_asked_at=datetime.now(UTC) - MINUTE)
    upstream.known = [named(made, "5")]
    ask(made)
    assert state_of(made)[0] == State.ACTIVE
    assert made.upstream_id == "5"


def test_what_changes_while_the_provider_answers_is_not_judged(
    upstream: Upstream,
) -> None:
    subscription = long_standing()

    def meanwhile(_: int) -> None:
        lifecycle.pause(subscription.pk, "ada")
        lifecycle.resume(subscription.pk, "ada")

    ask(subscription)
    upstream.before_page = meanwhile
    assert ask(subscription) == []
    assert state_of(subscription)[0] == State.ACTIVE


@pytest.mark.parametrize(
    "error",
    [
        AuthRefused("wrong secret"),
        RateLimited("slow down", retry_after=30),
        BadAnswer("HTML"),
        OutgoingTimeout("nothing came"),
    ],
)
def test_no_answer_changes_nothing_and_is_shown(
    upstream: Upstream, error: Exception
) -> None:
    subscription = long_standing()
    upstream.before_page = raising(error)
    for _ in range(3):
        assert ask(subscription) == []
    assert state_of(subscription) == (State.ACTIVE, 0)
    assert ProviderAccount.objects.get().upkeep_error
    upstream.before_page = lambda _: None
    ProviderAccount.objects.update(paused_until=None)
    upstream.known = [named(subscription)]
    ask(subscription)
    assert not ProviderAccount.objects.get().upkeep_error


@pytest.mark.django_db(transaction=True)
def test_of_many_callers_one_asks(upstream: Upstream) -> None:
    subscription = long_standing()
    upstream.known = [named(subscription)]
    all_at_once(4, lambda: upkeep.look_after(subscription.account_id))
    assert upstream.count("subscriptions") == 1


def test_who_is_asked(upstream: Upstream) -> None:
    subscription = long_standing()
    due = upkeep.accounts_due
    assert list(due()) == [subscription.account]
    hour = datetime.now(UTC) + timedelta(hours=1)
    for column in ("upkeep_at", "paused_until", "breaker_until"):
        ProviderAccount.objects.update(**{column: hour})
        assert not due().exists(), column
        ProviderAccount.objects.update(**{column: None})
    for state, days, asked in [
        (State.DRAFT, 0, False),
        (State.ENDED, 0, True),
        (State.ENDED, 2, False),
        (State.FAILED, 2, True),
    ]:
        since = datetime.now(UTC) - timedelta(days=days)
        Subscription.objects.update(state=state, state_since=since)
        assert due().exists() == asked, (state, days)


@pytest.mark.django_db(transaction=True)
def test_the_sweep_asks_and_asks_again(upstream: Upstream, rung: list[Any]) -> None:
    subscription = long_standing()
    tasks.upkeep()
    assert rung == [("look_after_account", subscription.account_id)]
    tasks.look_after_account(subscription.account_id)
    assert len(rung) == 1
    ProviderAccount.objects.update(upkeep_at=F("upkeep_at") - timedelta(hours=1))
    tasks.look_after_account(subscription.account_id)
    assert rung[1:] == [("request_subscription", subscription.pk)]
