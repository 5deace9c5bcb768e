"""Verification challenges: the provider's question whether it was us who asked."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone

from subscriptions import leases
from subscriptions.callbacks import by_callback
from subscriptions.errors import ChallengeRefused, TransitionRefused
from subscriptions.models import State, Subscription
from subscriptions.transitions import move

ASKED = timedelta(minutes=10)
"""So long after our request an active subscription still answers a challenge."""

_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{1,128}")


def answer_challenge(callback_id: str, params: Mapping[str, str]) -> str:
    """The text to echo to the provider's GET.

    Raises ``ChallengeRefused``, always with the same words, unless the callback is
    one of ours that waits for a challenge, and mode, token and text are right.
    """
    subscription = by_callback(callback_id)
    text = params.get("hub.challenge", "")
    token = params.get("hub.verify_token", "").encode("utf-8", "surrogatepass")
    if (
        subscription is None
        or params.get("hub.mode") != "subscribe"
        or not hmac.compare_digest(token, subscription.verify_token.encode())
        or not _CHALLENGE.fullmatch(text)
        or not _awaits_challenge(subscription)
    ):
        raise ChallengeRefused("Not found.")
    if subscription.state == State.REQUESTED:
        try:
            move(subscription.pk, State.VERIFYING, reason="The provider asked us.")
        except TransitionRefused as error:
            # The same challenge twice at once is answered twice; else we gave up.
            subscription.refresh_from_db()
            if not _awaits_challenge(subscription):
                raise ChallengeRefused("Not found.") from error
    leases.note_challenge(subscription, params)
    return text


def _awaits_challenge(subscription: Subscription) -> bool:
    asked_at = subscription.challenge_asked_at
    if asked_at is None:
        return False
    if subscription.state == State.ACTIVE:
        return timezone.now() - asked_at < ASKED
    return subscription.state in {State.REQUESTED, State.VERIFYING}
