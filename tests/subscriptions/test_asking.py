"""Ask the provider, be challenged, fail with a reason, be followed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.test import Client

from media_archive.errors import OutgoingTimeout
from subscriptions import lifecycle
from subscriptions.errors import (
    AuthRefused,
    BadAnswer,
    ChallengeRefused,
    ProviderError,
    RateLimited,
    SubscriptionRefused,
)
from subscriptions.models import Feed, State, Subscription
from tests.subscriptions.following import all_at_once, in_state, raising
from tests.subscriptions.upstream import (
    SECRET,
    Upstream,
    an_account,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]

CHALLENGE = "15f7d1a91c1f40f8a748fd134752feb3"


def ask(subscription: Subscription, **said: str) -> Any:
    """The provider's GET; ``hub_mode="x"`` stands for ``hub.mode=x``."""
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": CHALLENGE,
        "hub.verify_token": subscription.verify_token,
    } | {name.replace("_", ".", 1): value for name, value in said.items()}
    return Client().get(f"/callbacks/{subscription.callback_id}/", query)


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
        thread.join(60)

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


def test_refusals_of_the_service_all_look_alike() -> None:
    with pytest.raises(ChallengeRefused, match=r"^Not found\.$"):
        lifecycle.answer_challenge("x", {})


def test_a_challenge_twice_is_answered_twice_and_moves_once(upstream: Upstream) -> None:
    subscription = in_state(State.REQUESTED, challenge_asked_at=datetime.now(UTC))
    results = all_at_once(3, lambda: ask(subscription).status_code)
    assert results == [200] * 3
    subscription.refresh_from_db()
    assert subscription.state == State.VERIFYING
    assert subscription.events.count() == 1


def test_a_challenge_after_two_minutes_comes_too_late(upstream: Upstream) -> None:
    long_ago = datetime.now(UTC) - timedelta(minutes=3)
    subscription = in_state(State.REQUESTED, challenge_asked_at=long_ago)
    assert lifecycle.give_up_stuck() == 1
    assert ask(subscription).status_code == 404
    subscription.refresh_from_db()
    assert subscription.state == State.FAILED
