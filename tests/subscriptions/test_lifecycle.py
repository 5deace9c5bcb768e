"""Follow, be challenged, fail with a reason, pause, mend, end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.test import Client

from media_archive.errors import InvalidTag, OutgoingTimeout, PhotowallError
from media_archive.models import Tag
from subscriptions import lifecycle
from subscriptions.errors import (
    AlreadyFollowed,
    AuthRefused,
    BadAnswer,
    ChallengeRefused,
    ProviderError,
    RateLimited,
    SubscriptionRefused,
    TransitionRefused,
)
from subscriptions.models import Feed, State, Subscription, SubscriptionEvent
from subscriptions.providers.base import UpstreamSubscription
from subscriptions.transitions import TABLE, move
from tests.subscriptions.upstream import (
    SECRET,
    Upstream,
    a_subscription,
    an_account,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]

CHALLENGE = "15f7d1a91c1f40f8a748fd134752feb3"


def raising(error: BaseException) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


def ask(subscription: Subscription, **said: str) -> Any:
    """The provider's GET; ``hub_mode="x"`` stands for ``hub.mode=x``."""
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": CHALLENGE,
        "hub.verify_token": subscription.verify_token,
    } | {name.replace("_", ".", 1): value for name, value in said.items()}
    return Client().get(f"/callbacks/{subscription.callback_id}/", query)


def in_state(state: State, **changes: Any) -> Subscription:
    subscription = a_subscription(state=state)
    Subscription.objects.filter(pk=subscription.pk).update(**changes)
    subscription.refresh_from_db()
    return subscription


def all_at_once(count: int, work: Callable[[], object]) -> list[object]:
    """What ``work`` returned or raised in ``count`` threads that start together."""
    barrier = threading.Barrier(count)
    results: list[object] = []

    def run() -> None:
        barrier.wait()
        try:
            results.append(work())
        except PhotowallError as error:
            results.append(type(error))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("before", list(State))
@pytest.mark.parametrize("after", list(State))
def test_only_what_the_table_has_is_possible(before: State, after: State) -> None:
    subscription = a_subscription(state=before)
    if after in TABLE[before]:
        move(subscription.pk, after, actor="ada", reason="because")
        event = SubscriptionEvent.objects.get()
        assert (event.before, event.after) == (before, after)
        assert (event.actor, event.reason) == ("ada", "because")
    else:
        with pytest.raises(TransitionRefused, match=before.label.lower()):
            move(subscription.pk, after)
        assert not SubscriptionEvent.objects.exists()
    subscription.refresh_from_db()
    assert subscription.state == (after if after in TABLE[before] else before)


@pytest.mark.parametrize(
    "text", ["", "##", "🎉", "a b", "../../etc", "x" * 200, "a#b", "\x00"]
)
def test_what_is_no_hashtag_is_refused(text: str) -> None:
    with pytest.raises(InvalidTag):
        lifecycle.create(an_account(), text, "ada")
    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    ("text", "tag"), [("##x", "x"), (" #Fête ", "fête"), ("日本語", "日本語")]
)
def test_a_subscription_is_committed_with_all_it_needs(text: str, tag: str) -> None:
    made = lifecycle.create(an_account(), text, "ada")
    assert (made.tag, made.state, made.created_by) == (tag, State.REQUESTED, "ada")
    assert len(made.verify_token) >= 32
    assert Feed.objects.filter(pk=made.pk).exists()
    assert Tag.objects.filter(name=tag).exists()


def test_the_same_tag_twice_is_refused_in_any_spelling() -> None:
    account = an_account()
    first = lifecycle.create(account, "Fête", "ada")
    with pytest.raises(AlreadyFollowed, match="#fête is followed already"):
        lifecycle.create(account, "#FÊTE", "ada")
    Subscription.objects.filter(pk=first.pk).update(state=State.ENDED)
    assert lifecycle.create(account, "fête", "ada").pk != first.pk


def test_two_people_at_once_follow_a_tag_once() -> None:
    account = an_account()
    results = all_at_once(4, lambda: lifecycle.create(account, "race", "ada").pk)
    assert results.count(AlreadyFollowed) == 3
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize(
    "said",
    [
        {"hub_mode": "unsubscribe"},
        {"hub_mode": ""},
        {"hub_verify_token": "wrong"},
        {"hub_verify_token": ""},
        {"hub_verify_token": "Fête"},
        {"hub_challenge": ""},
        {"hub_challenge": "<script>alert(1)</script>"},
        {"hub_challenge": "a\nb"},
        {"hub_challenge": "x" * 129},
    ],
)
def test_a_challenge_that_is_not_right_is_not_answered(
    upstream: Upstream, said: dict[str, str]
) -> None:
    subscription = in_state(State.REQUESTED, challenge_asked_at=datetime.now(UTC))
    response = ask(subscription, **said)
    assert response.status_code == 404
    subscription.refresh_from_db()
    assert subscription.state == State.REQUESTED
    # The right one is.
    response = ask(subscription)
    assert response.status_code == 200
    assert response.content == CHALLENGE.encode()
    assert response["Content-Type"] == "text/plain"
    assert response["X-Content-Type-Options"] == "nosniff"
    subscription.refresh_from_db()
    assert subscription.state == State.VERIFYING


@pytest.mark.parametrize(
    ("state", "asked_minutes_ago", "answers"),
    [
        (State.REQUESTED, None, False),
        (State.REQUESTED, 0, True),
        (State.VERIFYING, 1, True),
        (State.ACTIVE, 9, True),
        (State.ACTIVE, 11, False),
        (State.ACTIVE, None, False),
        (State.PAUSED, 1, False),
        (State.SUSPENDED, 1, False),
        (State.FAILED, 1, False),
        (State.ENDING, 1, False),
        (State.ENDED, 1, False),
        (State.DRAFT, None, False),
    ],
)
def test_a_challenge_is_answered_only_while_we_expect_one(
    state: State, asked_minutes_ago: int | None, answers: bool
) -> None:
    asked_at = (
        None
        if asked_minutes_ago is None
        else datetime.now(UTC) - timedelta(minutes=asked_minutes_ago)
    )
    subscription = in_state(state, challenge_asked_at=asked_at)
    assert ask(subscription).status_code == (200 if answers else 404)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BadAnswer("The answer is not JSON."), "not the provider's API"),
        (ProviderError("The provider answered 500."), "problem of its own"),
        (OutgoingTimeout("Nothing came within 30 s."), "did not answer in time"),
        (AuthRefused('Invalid "client_id" and/or "client_secret".'), "credential"),
        (SubscriptionRefused("Challenge verification failed."), "Challenge verifi"),
    ],
)
def test_a_failure_is_told_in_words_and_can_be_retried(
    upstream: Upstream, error: Exception, words: str
) -> None:
    made = lifecycle.create(an_account(), "nofilter", "ada")
    upstream.on_subscribe = raising(error)
    assert lifecycle.request(made.pk)
    made.refresh_from_db()
    assert made.state == State.FAILED
    assert words in made.state_reason
    assert SECRET not in made.state_reason
    upstream.on_subscribe = lambda url, token: None
    lifecycle.retry(made.pk, "ada")
    assert lifecycle.request(made.pk)
    made.refresh_from_db()
    assert made.state == State.ACTIVE


def test_a_rate_limit_is_no_failure(upstream: Upstream) -> None:
    made = lifecycle.create(an_account(), "nofilter", "ada")
    upstream.on_subscribe = raising(RateLimited("slow down", retry_after=60))
    assert lifecycle.request(made.pk)
    made.refresh_from_db()
    assert made.state == State.REQUESTED
    assert "fewer calls" in made.state_reason
    assert not lifecycle.requests_due().exists()
    assert not lifecycle.request(made.pk), "the account is paused"
    made.account.paused_until = None
    made.account.save()
    upstream.on_subscribe = lambda url, token: None
    assert list(lifecycle.requests_due()) == [made]
    assert lifecycle.request(made.pk)
    made.refresh_from_db()
    assert made.state == State.ACTIVE


def test_the_challenge_comes_while_our_request_is_open(upstream: Upstream) -> None:
    """One thread answers while the other waits for the provider."""
    made = lifecycle.create(an_account(), "nofilter", "ada")
    answers: list[Any] = []

    def challenge(url: str, token: str) -> None:
        query = {"hub.mode": "subscribe", "hub.challenge": CHALLENGE}
        query["hub.verify_token"] = token

        def get() -> None:
            answers.append(Client().get(urlsplit(url).path, query))
            connections.close_all()

        thread = threading.Thread(target=get)
        thread.start()
        thread.join(10)

    upstream.on_subscribe = challenge
    assert lifecycle.request(made.pk)
    assert [answer.content for answer in answers] == [CHALLENGE.encode()]
    made.refresh_from_db()
    assert (made.state, made.upstream_id) == (State.ACTIVE, "18234411")
    steps = [(event.before, event.after) for event in made.events.all()]
    assert steps == [
        ("draft", "requested"),
        ("requested", "verifying"),
        ("verifying", "active"),
    ]
    assert Feed.objects.due().exists(), "what the tag has already is read"


def test_a_yes_without_a_challenge_follows_the_table(upstream: Upstream) -> None:
    made = lifecycle.create(an_account(), "nofilter", "ada")
    assert lifecycle.request(made.pk)
    made.refresh_from_db()
    assert made.state == State.ACTIVE
    reasons = list(made.events.values_list("reason", flat=True))
    assert "The provider accepted without asking us." in reasons


def test_two_workers_ask_once(upstream: Upstream) -> None:
    made = lifecycle.create(an_account(), "nofilter", "ada")
    results = all_at_once(4, lambda: lifecycle.request(made.pk))
    assert sorted(map(bool, results)) == [False, False, False, True]
    assert upstream.count("subscribe") == 1


def test_an_answer_after_we_gave_up_changes_nothing(upstream: Upstream) -> None:
    made = lifecycle.create(an_account(), "nofilter", "ada")

    def too_late(url: str, token: str) -> None:
        lifecycle.fail(made.pk, "Two minutes are over.")
        lifecycle.retry(made.pk, "ada")

    upstream.on_subscribe = too_late
    assert lifecycle.request(made.pk)
    made.refresh_from_db()
    assert made.state == State.REQUESTED, "the second request is still to be made"
    assert list(lifecycle.requests_due()) == [made]


@pytest.mark.parametrize("state", [State.REQUESTED, State.VERIFYING])
def test_what_is_stuck_fails_after_two_minutes(state: State) -> None:
    now = datetime.now(UTC)
    stuck = in_state(state, challenge_asked_at=now - timedelta(minutes=1))
    assert lifecycle.give_up_stuck() == 0
    Subscription.objects.update(challenge_asked_at=now - timedelta(minutes=3))
    assert lifecycle.give_up_stuck() == 1
    stuck.refresh_from_db()
    assert stuck.state == State.FAILED
    assert "two minutes" in stuck.state_reason


def test_what_nobody_asked_for_yet_is_late_and_not_stuck() -> None:
    """With the broker away for an hour nothing was asked: nothing has failed."""
    made = lifecycle.create(an_account(), "nofilter", "ada")
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    Subscription.objects.update(state_since=long_ago, created_at=long_ago)
    assert lifecycle.give_up_stuck() == 0
    assert list(lifecycle.requests_due()) == [made]


@pytest.mark.parametrize("state", [State.PAUSED, State.SUSPENDED])
def test_resuming_reads_what_came_meanwhile(state: State) -> None:
    subscription = a_subscription(state=state, done_seq=1, failures=4)
    assert not Feed.objects.due().exists()
    lifecycle.resume(subscription.pk, "ada")
    assert Feed.objects.due().get().dirty_seq == 2


def test_resume_is_no_way_around_the_challenge() -> None:
    subscription = a_subscription(state=State.VERIFYING)
    with pytest.raises(TransitionRefused):
        lifecycle.resume(subscription.pk, "ada")
    active = a_subscription("other", account=subscription.account)
    with pytest.raises(TransitionRefused):
        lifecycle.retry(active.pk, "ada")


def test_ending_tells_the_provider(upstream: Upstream) -> None:
    subscription = a_subscription()
    lifecycle.end(subscription.pk, "ada")
    subscription.refresh_from_db()
    assert subscription.state == State.ENDING
    assert lifecycle.finish_ending(subscription.pk)
    subscription.refresh_from_db()
    assert subscription.state == State.ENDED
    assert upstream.calls == [("unsubscribe", {"native_id": "18234411"})]
    assert not lifecycle.finish_ending(subscription.pk)


def test_ending_goes_on_until_the_provider_agrees(upstream: Upstream) -> None:
    subscription = a_subscription()
    lifecycle.end(subscription.pk, "ada")
    upstream.before_page = raising(OutgoingTimeout("nothing came"))
    assert not lifecycle.finish_ending(subscription.pk)
    subscription.refresh_from_db()
    assert subscription.state == State.ENDING
    assert "did not answer in time" in subscription.state_reason
    assert not lifecycle.endings_due().exists(), "it waits"
    upstream.before_page = lambda _: None
    Feed.objects.update(next_attempt_at=None)
    assert lifecycle.endings_due().exists()
    assert lifecycle.finish_ending(subscription.pk)


def test_two_workers_end_it_once(upstream: Upstream) -> None:
    subscription = a_subscription()
    lifecycle.end(subscription.pk, "ada")
    results = all_at_once(4, lambda: lifecycle.finish_ending(subscription.pk))
    assert results.count(True) == 1
    assert upstream.count("unsubscribe") == 1


def test_ending_finds_what_was_made_though_we_never_heard(upstream: Upstream) -> None:
    subscription = in_state(State.FAILED, upstream_id="")
    ours = lifecycle.callback_url(subscription)
    upstream.known = [
        UpstreamSubscription("1", "tag", "nofilter", "https://elsewhere.example/"),
        UpstreamSubscription("2", "tag", "nofilter", ours),
    ]
    lifecycle.end(subscription.pk, "ada")
    assert lifecycle.finish_ending(subscription.pk)
    assert ("unsubscribe", {"native_id": "2"}) in upstream.calls
    assert upstream.count("unsubscribe") == 1


def test_what_was_never_confirmed_ends_though_the_secret_is_wrong(
    upstream: Upstream,
) -> None:
    subscription = in_state(State.FAILED, upstream_id="")
    upstream.before_page = raising(AuthRefused("wrong secret"))
    lifecycle.end(subscription.pk, "ada")
    assert lifecycle.finish_ending(subscription.pk)
    subscription.refresh_from_db()
    assert subscription.state == State.ENDED
    assert "Never confirmed" in subscription.state_reason


def test_what_was_confirmed_stays_ending_though_the_secret_is_wrong(
    upstream: Upstream,
) -> None:
    subscription = a_subscription()
    upstream.before_page = raising(AuthRefused("wrong secret"))
    lifecycle.end(subscription.pk, "ada")
    assert not lifecycle.finish_ending(subscription.pk)
    subscription.refresh_from_db()
    assert subscription.state == State.ENDING
    assert "Mend the account" in subscription.state_reason


def test_refusals_of_the_service_all_look_alike() -> None:
    with pytest.raises(ChallengeRefused, match=r"^Not found\.$"):
        lifecycle.answer_challenge("x", {})
