"""The whole table, by every service; and any sequence of them, also at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_archive import claims
from media_archive.errors import ClaimLost
from subscriptions import lifecycle, upkeep
from subscriptions.errors import ChallengeRefused, TransitionRefused
from subscriptions.models import (
    Feed,
    Hindrance,
    ProviderAccount,
    State,
    Subscription,
    SubscriptionEvent,
)
from subscriptions.transitions import HINDERED_BY, TABLE, move
from tests.subscriptions.following import all_at_once, in_state
from tests.subscriptions.upstream import Upstream, a_subscription, an_account

pytestmark = pytest.mark.django_db


def a_challenge(pk: int) -> None:
    subscription = Subscription.objects.get(pk=pk)
    query = {"hub.mode": "subscribe", "hub.challenge": "x"}
    query["hub.verify_token"] = subscription.verify_token
    lifecycle.answer_challenge(str(subscription.callback_id), query)


def forgotten(pk: int) -> None:
    Subscription.objects.filter(pk=pk).update(missed=1)
    ProviderAccount.objects.update(upkeep_at=None)
    upkeep.look_after(Subscription.objects.get(pk=pk).account_id)


def stuck(pk: int) -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    rows = Subscription.objects.filter(pk=pk, challenge_asked_at__isnull=False)
    rows.update(challenge_asked_at=long_ago)
    lifecycle.give_up_stuck()


def new_credential(pk: int) -> None:
    lifecycle.wake_suspended(Subscription.objects.get(pk=pk).account, "ada")


def finish_ending(pk: int) -> None:
    Feed.objects.filter(pk=pk).update(next_attempt_at=None)
    lifecycle.finish_ending(pk)


SERVICES: dict[str, Callable[[int], object]] = {
    "request": lifecycle.request,
    "challenge": a_challenge,
    "stuck": stuck,
    "retry": lambda pk: lifecycle.retry(pk, "ada"),
    "stop": lambda pk: lifecycle.stop_asking(pk, "ada"),
    "pause": lambda pk: lifecycle.pause(pk, "ada"),
    "resume": lambda pk: lifecycle.resume(pk, "ada"),
    "new credential": new_credential,
    "suspend": lambda pk: lifecycle.suspend(pk, "It is refused."),
    "forgotten": forgotten,
    "end": lambda pk: lifecycle.end(pk, "ada"),
    "finish": finish_ending,
}
MOVES = {
    "request": {State.REQUESTED: State.ACTIVE},
    "challenge": {State.REQUESTED: State.VERIFYING},
    "stuck": {State.REQUESTED: State.FAILED, State.VERIFYING: State.FAILED},
    "retry": {State.FAILED: State.REQUESTED},
    "stop": {State.REQUESTED: State.FAILED},
    "pause": {State.ACTIVE: State.PAUSED},
    "resume": {State.PAUSED: State.ACTIVE, State.SUSPENDED: State.ACTIVE},
    "new credential": {State.SUSPENDED: State.ACTIVE},
    "suspend": {State.ACTIVE: State.SUSPENDED},
    "forgotten": {State.ACTIVE: State.REQUESTED, State.VERIFYING: State.FAILED},
    "end": dict.fromkeys(
        (State.ACTIVE, State.PAUSED, State.SUSPENDED, State.FAILED), State.ENDING
    ),
    "finish": {State.ENDING: State.ENDED},
}
"""Service → from where to where it leads; from everywhere else it leads nowhere."""


def take(word: str, pk: int) -> None:
    """The service, whether or not it is refused."""
    try:
        SERVICES[word](pk)
    except (TransitionRefused, ChallengeRefused):
        return


@pytest.mark.parametrize("word", SERVICES)
@pytest.mark.parametrize("before", list(State))
def test_every_service_in_every_state(
    upstream: Upstream, word: str, before: State
) -> None:
    now = datetime.now(UTC)
    asked = before == State.VERIFYING or word in {"challenge", "stuck"}
    subscription = in_state(
        before,
        state_since=now - timedelta(hours=1),
        challenge_asked_at=now - timedelta(minutes=1) if asked else None,
    )
    take(word, subscription.pk)
    subscription.refresh_from_db()
    after = MOVES[word].get(before, before)
    assert subscription.state == after
    path = list(SubscriptionEvent.objects.values_list("before", "after"))
    assert is_connected(path, before, after)
    assert bool(path) == (before != after)
    for event in SubscriptionEvent.objects.all():
        assert event.reason
        assert now - timedelta(seconds=1) <= event.at <= datetime.now(UTC)
        by_a_person = {"retry", "stop", "pause", "resume", "new credential", "end"}
        assert event.actor == ("ada" if word in by_a_person else "")


def is_connected(path: list[tuple[str, str]], before: State, after: State) -> bool:
    """Whether ``path`` leads from ``before`` to ``after`` by steps of the table."""
    at = before
    for left, reached in path:
        if left != at or State(reached) not in TABLE[State(left)]:
            return False
        at = State(reached)
    return at == after


def test_the_path_reader_sees_breaks() -> None:
    good = [("active", "paused"), ("paused", "active")]
    assert is_connected(good, State.ACTIVE, State.ACTIVE)
    assert not is_connected(good, State.ACTIVE, State.PAUSED)
    assert not is_connected(good[1:], State.ACTIVE, State.ACTIVE)
    assert not is_connected([("active", "ended")], State.ACTIVE, State.ENDED)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(words=st.lists(st.sampled_from(sorted(SERVICES)), min_size=1, max_size=25))
def test_any_sequence_keeps_to_the_table(upstream: Upstream, words: list[str]) -> None:
    Subscription.objects.update(state=State.ENDED)
    account = ProviderAccount.objects.first() or an_account()
    made = lifecycle.create(account, "nofilter", "ada")
    for word in words:
        take(word, made.pk)
    made.refresh_from_db()
    path = list(made.events.values_list("before", "after"))
    assert is_connected(path, State.DRAFT, State(made.state))
    open_ones = set(
        Hindrance.objects.filter(subscription=made, ended_at=None).values_list(
            "reason", flat=True
        )
    )
    if made.state in {State.ACTIVE, State.ENDING, State.ENDED}:
        assert open_ones == set()
    elif made.state in {State.PAUSED, State.SUSPENDED}:
        assert open_ones == {HINDERED_BY[State(made.state)]}


@pytest.mark.django_db(transaction=True)
@pytest.mark.also_on_sqlite
def test_all_at_once_keep_to_the_table(upstream: Upstream) -> None:
    made = lifecycle.create(an_account(), "nofilter", "ada")
    lifecycle.request(made.pk)
    words = iter(["pause", "end", "suspend", "resume", "pause", "finish"] * 2)

    def two_steps() -> None:
        take(next(words), made.pk)
        take(next(words), made.pk)

    all_at_once(6, two_steps)
    made.refresh_from_db()
    path = list(made.events.values_list("before", "after"))
    assert is_connected(path, State.DRAFT, State(made.state))


@pytest.mark.django_db(transaction=True)
@pytest.mark.also_on_sqlite
@pytest.mark.parametrize("word", ["pause", "end"])
def test_of_many_people_at_once_one_does_it(upstream: Upstream, word: str) -> None:
    subscription = a_subscription()
    results = all_at_once(4, lambda: SERVICES[word](subscription.pk))
    assert sorted(results, key=str).count(TransitionRefused) == 3
    assert subscription.events.count() == 1


@pytest.mark.parametrize("after", sorted(HINDERED_BY))
def test_the_ledger_is_told_when_it_is_left_and_when_it_is_back(after: State) -> None:
    subscription = a_subscription()
    move(subscription.pk, after, reason="because")
    hindrance = Hindrance.objects.get()
    assert (hindrance.reason, hindrance.detail) == (HINDERED_BY[after], "because")
    assert (hindrance.subscription_id, hindrance.ended_at) == (subscription.pk, None)
    if after == State.REQUESTED:
        move(subscription.pk, State.VERIFYING)
        assert Hindrance.objects.get().ended_at is None
    move(subscription.pk, State.ACTIVE)
    assert Hindrance.objects.get().ended_at is not None


def test_ending_while_a_worker_reads_takes_the_feed_away() -> None:
    subscription = a_subscription()
    epoch = claims.claim(Feed.objects.due(), subscription.pk, 45)
    assert epoch is not None
    claims.renew(Feed.objects.all(), subscription.pk, epoch, 45)
    lifecycle.end(subscription.pk, "ada")
    with pytest.raises(ClaimLost):
        claims.renew(Feed.objects.all(), subscription.pk, epoch, 45)


def test_resuming_what_is_ending_is_refused_in_words() -> None:
    subscription = a_subscription()
    lifecycle.end(subscription.pk, "ada")
    with pytest.raises(TransitionRefused, match="ending cannot become active"):
        lifecycle.resume(subscription.pk, "ada")
