"""Each refusal of a challenge, and beside each the one that is answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from subscriptions.models import State, Subscription
from tests.subscriptions.knocking import Answer, Knock, ask
from tests.subscriptions.upstream import (
    Upstream,
    a_subscription,
)

pytestmark = pytest.mark.django_db(transaction=True)

CHALLENGE = "15f7d1a91c1f40f8a748fd134752feb3"


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda q: q.pop("hub.mode"), id="no mode"),
        pytest.param(lambda q: q.update({"hub.mode": "unsubscribe"}), id="mode"),
        pytest.param(lambda q: q.pop("hub.verify_token"), id="no token"),
        pytest.param(lambda q: q.update({"hub.verify_token": "x"}), id="token"),
        pytest.param(lambda q: q.update({"hub.verify_token": "%FF"}), id="token bytes"),
        pytest.param(lambda q: q.pop("hub.challenge"), id="no challenge"),
        pytest.param(lambda q: q.update({"hub.challenge": "%3Cb%3E"}), id="charset"),
        pytest.param(lambda q: q.update({"hub.challenge": "%00"}), id="NUL"),
        pytest.param(lambda q: q.update({"hub.challenge": "%C3%A9"}), id="not ASCII"),
        pytest.param(lambda q: q.update({"hub.challenge": "x" * 129}), id="length"),
        pytest.param(lambda q: q.update({"id": str(uuid4())}), id="unknown id"),
        pytest.param(lambda q: q.update({"id": "nonsense"}), id="no id"),
        pytest.param(lambda _: Subscription.objects.update(state="active"), id="state"),
        pytest.param(
            lambda _: Subscription.objects.update(challenge_asked_at=None),
            id="not asked",
        ),
    ],
)
def test_refused_challenges_look_alike(
    upstream: Upstream, wrong: Callable[[dict[str, str]], Any]
) -> None:
    subscription = a_subscription(state=State.REQUESTED)
    Subscription.objects.update(challenge_asked_at=timezone.now())
    asked = {
        "hub.mode": "subscribe",
        "hub.challenge": CHALLENGE,
        "hub.verify_token": subscription.verify_token,
        "id": str(subscription.callback_id),
    }
    refused = dict(asked)
    wrong(refused)
    if refused == asked and Subscription.objects.get().state == State.ACTIVE:
        # Asked for, but too long ago.
        past = timezone.now() - timedelta(minutes=11)
        Subscription.objects.update(challenge_asked_at=past)
    answer = challenge(refused)
    assert answer.all_of_it == challenge({"id": str(uuid4())}).all_of_it
    assert (answer.status, answer.body) == (404, b"Not found.")
    assert Subscription.objects.get().state != State.VERIFYING
    Subscription.objects.update(
        state=State.REQUESTED, challenge_asked_at=timezone.now()
    )
    answer = challenge(asked)
    assert (answer.status, answer.body) == (200, CHALLENGE.encode())
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["x-content-type-options"] == "nosniff"


def challenge(asked: dict[str, str]) -> Answer:
    """The answer to a provider's GET; ``asked`` has the callback's id too."""
    query = "&".join(f"{k}={v}" for k, v in asked.items() if k != "id")
    path = f"/callbacks/{asked['id']}/"
    return ask(Knock(path, method="GET", query=query.encode()))
