"""Waiting, for as long as a person does, for what a provider says to following."""

from __future__ import annotations

import time
from datetime import timedelta

from django.utils import timezone

from subscriptions import accounts, lifecycle
from subscriptions.errors import TransitionRefused
from subscriptions.models import State, Subscription

LOOK_EVERY = 0.2
"""Seconds between two looks at the row; no transaction is open meanwhile."""

ASKED_AGAIN = timedelta(seconds=10)
"""So long after a refusal the provider is not asked again."""

IN_TROUBLE = frozenset({State.FAILED, State.SUSPENDED})


def ask_again(subscription: Subscription, actor: str) -> bool:
    """Set what failed or is suspended going again; whether to ring for it.

    Not when that has only just come about, or somebody else was first.
    """
    if timezone.now() - subscription.state_since < ASKED_AGAIN:
        return False
    try:
        if subscription.state == State.FAILED:
            lifecycle.retry(subscription.pk, actor)
        else:
            lifecycle.resume(subscription.pk, actor)
    except TransitionRefused:
        return False
    return True


def outcome(subscription_pk: int, seconds: float, read: bool = False) -> Subscription:
    """The subscription once the provider has answered, or as it is after ``seconds``.

    ``read``: an active one counts as answered when it has been read; a resumed one
    is active at once, and only reading tells whether that holds.
    """
    until = time.monotonic() + seconds
    rows = Subscription.objects.select_related("account", "feed")
    while True:
        subscription = rows.get(pk=subscription_pk)
        left = until - time.monotonic()
        if left <= 0 or not _may_change_soon(subscription, read):
            return subscription
        time.sleep(min(LOOK_EVERY, left))


def plain_reason(subscription: Subscription) -> str:
    """The reason without the provider's own words, ready to stand after a colon."""
    reason = subscription.state_reason.partition(" (It said:")[0]
    reason = reason or "The provider refuses it."
    return reason[:1].lower() + reason[1:]


def _may_change_soon(subscription: Subscription, read: bool) -> bool:
    if accounts.is_paused(subscription.account):
        return False
    if subscription.state == State.ACTIVE:
        feed = subscription.feed
        return read and feed.dirty_seq > feed.done_seq and not feed.failures
    return subscription.state in {State.REQUESTED, State.VERIFYING}
