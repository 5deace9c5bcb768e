"""Asking a provider for a subscription, the first time or once more.

What was confirmed once is asked for until the provider agrees: a person need not be
there when it comes back. What never was fails with the reason, for a person sits
there and waits for it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from media_archive.errors import PhotowallError
from subscriptions import backoff, calls, leases
from subscriptions.callbacks import callback_url
from subscriptions.errors import BreakerOpen, RateLimited
from subscriptions.models import (
    Feed,
    ProviderAccount,
    Purpose,
    State,
    Subscription,
    passed,
)
from subscriptions.providers import get_provider
from subscriptions.providers.base import UpstreamSubscription
from subscriptions.reasons import reason_of
from subscriptions.transitions import move, try_move

STUCK = timedelta(minutes=2)
"""So long a request may stay without an end."""

IN_FLIGHT = timedelta(seconds=35)
"""Longer than one call may take: what was asked for since may not be listed yet."""

NOT_ASKED = frozenset({"budget_spent", "breaker_open", "secret_unreadable"})
"""Codes of errors that say that no call was made."""

UNCONFIRMED = "The provider did not confirm it within two minutes. Please retry."
ASKED_ANEW = "The provider had confirmed it once: it is asked for again."


def request(subscription_pk: int) -> bool:
    """Ask the provider for the subscription; whether this call did ask.

    Safe to run twice and at once: one caller takes it, the others return. However
    the provider answers, the subscription ends ``active``, or ``failed`` with a
    reason, or waits in ``requested`` for the next attempt.
    """
    subscription = _take_request(subscription_pk)
    if subscription is None:
        return False
    # Nobody waits for what is asked for again: no right to go before others.
    first = subscription.confirmed_at is None
    purpose = Purpose.PEOPLE if first else Purpose.UPKEEP
    try:
        with calls.calling(subscription.account, purpose) as credentials:
            made = get_provider(subscription.provider).subscribe(
                credentials,
                tag=subscription.tag,
                callback_url=callback_url(subscription),
                verify_token=subscription.verify_token,
            )
    except PhotowallError as error:
        _came_to_nothing(subscription, error)
    else:
        confirm(
            subscription_pk,
            made,
            challenge_asked_at=subscription.challenge_asked_at,
        )
    return True


def confirm(
    subscription_pk: int, made: UpstreamSubscription, **only_if: object
) -> bool:
    """The provider agrees: read what the tag has from now on. Whether it is active
    by that; not if the request is over already."""
    # Who has the subscription already may answer without a challenge. The table
    # has no short cut, and the history shall show what happened.
    try_move(
        subscription_pk,
        State.VERIFYING,
        reason="The provider accepted without asking us.",
        only_if=only_if,
    )
    return try_move(
        subscription_pk,
        State.ACTIVE,
        reason="The provider agreed.",
        sources=[State.VERIFYING],
        only_if=only_if,
        upstream_id=made.native_id[:128],
        confirmed_at=Now(),
        missed=0,
        **leases.granted(made.lease_until),
    )


def fail(subscription_pk: int, reason: str, **only_if: object) -> None:
    """The request came to nothing. If it is over already, nothing changes."""
    try_move(subscription_pk, State.FAILED, reason=reason, only_if=only_if)


def retry(subscription_pk: int, actor: str) -> None:
    """Ask again for a failed subscription. Raises ``TransitionRefused``."""
    with transaction.atomic():
        move(
            subscription_pk,
            State.REQUESTED,
            actor=actor,
            reason="Tried again.",
            sources=[State.FAILED],
            challenge_asked_at=None,
        )
        _at_once(subscription_pk)


def stop_asking(subscription_pk: int, actor: str) -> None:
    """Ask no more for what the provider has not agreed to yet. Raises
    ``TransitionRefused``."""
    move(
        subscription_pk,
        State.FAILED,
        actor=actor,
        reason="Stopped by a person.",
        sources=[State.REQUESTED],
    )


def ask_anew(
    subscription_pk: int, reason: str, only_if: dict[str, Any] | None = None
) -> bool:
    """The provider does not have an active subscription any more: ask for it again.
    Whether this call said so first."""
    with transaction.atomic():
        told = try_move(
            subscription_pk,
            State.REQUESTED,
            reason=reason,
            sources=[State.ACTIVE],
            only_if=only_if,
            challenge_asked_at=None,
            upstream_id="",
            missed=0,
            **leases.NONE,
        )
        if told:
            _at_once(subscription_pk)
    return told


def give_up_stuck() -> int:
    """End requests that were begun long ago and never came to an end: fail them, or
    ask again for what was confirmed once. How many."""
    begun = Subscription.objects.filter(
        state__in=[State.VERIFYING, State.REQUESTED],
        challenge_asked_at__lt=timezone.now() - STUCK,
    )
    stuck = list(begun[:100])
    for subscription in stuck:
        if subscription.confirmed_at is None or not _put_off(
            subscription, UNCONFIRMED, 0.0
        ):
            give_up(subscription, UNCONFIRMED)
    return len(stuck)


def give_up(subscription: Subscription, reason: str) -> None:
    """The request came to nothing, and nobody refused it: what was confirmed once is
    asked for again, after a wait. If it is over already, nothing changes."""
    asked_at = subscription.challenge_asked_at
    with transaction.atomic():
        failed = try_move(
            subscription.pk,
            State.FAILED,
            reason=reason,
            only_if={"challenge_asked_at": asked_at},
        )
        if not failed or subscription.confirmed_at is None:
            return
        move(
            subscription.pk,
            State.REQUESTED,
            reason=ASKED_ANEW,
            sources=[State.FAILED],
            challenge_asked_at=None,
        )
        feed = Feed.objects.get(pk=subscription.pk)
        wait = timedelta(seconds=backoff.after_failure(feed.failures + 1))
        Feed.objects.filter(pk=subscription.pk).update(
            failures=F("failures") + 1, next_attempt_at=Now() + wait
        )


def requests_due() -> QuerySet[Subscription]:
    """Subscriptions that somebody has to ask the provider for, now."""
    return Subscription.objects.filter(
        passed("account__paused_until"),
        passed("feed__next_attempt_at"),
        state=State.REQUESTED,
        challenge_asked_at__isnull=True,
    )


def _take_request(subscription_pk: int) -> Subscription | None:
    """Compare and swap: one caller gets the subscription, with the time it was
    taken, which fences what follows."""
    rows = requests_due().select_related("account", "feed")
    subscription = rows.filter(pk=subscription_pk).first()
    if subscription is None:
        return None
    now = timezone.now()
    taken = Subscription.objects.filter(
        pk=subscription_pk, state=State.REQUESTED, challenge_asked_at__isnull=True
    ).update(challenge_asked_at=now, **leases.NONE)
    subscription.challenge_asked_at = now
    return subscription if taken else None


def _came_to_nothing(subscription: Subscription, error: PhotowallError) -> None:
    """Wait and ask again, wait for what the provider says, or fail."""
    reason = reason_of(error)
    not_asked = error.code in NOT_ASKED
    patient = error.retryable and subscription.confirmed_at is not None
    if not_asked or patient or isinstance(error, RateLimited):
        wait = error.retry_after or 0.0 if not_asked else 0.0
        untold = not isinstance(error, RateLimited | BreakerOpen)
        if untold and (patient or not_asked):
            wait = backoff.after_failure(subscription.feed.failures + 1)
        wait = min(wait, backoff.LONGEST_ASKED)
        if _put_off(subscription, reason, wait, error.code):
            return
    asked_at = subscription.challenge_asked_at
    if error.retryable and _leave_to_upkeep(subscription, reason):
        return
    fail(subscription.pk, reason, challenge_asked_at=asked_at)


def _put_off(
    subscription: Subscription, reason: str, wait: float, code: str = ""
) -> bool:
    """Ask again in ``wait`` seconds, or when the provider is back (``code`` of what
    went wrong); not if a challenge was answered meanwhile, or the request is over."""
    with transaction.atomic():
        waits = Subscription.objects.filter(
            pk=subscription.pk,
            state=State.REQUESTED,
            challenge_asked_at=subscription.challenge_asked_at,
        ).update(challenge_asked_at=None, state_reason=reason)
        if waits and wait:
            Feed.objects.filter(pk=subscription.pk).update(
                failures=F("failures") + 1,
                next_attempt_at=Now() + timedelta(seconds=wait),
                last_error_code=code,
            )
    return bool(waits)


def _leave_to_upkeep(subscription: Subscription, reason: str) -> bool:
    """The challenge was answered and the provider's answer is lost: it may have
    agreed. Upkeep asks what it has, once that may be listed; after two minutes we
    give up."""
    waits = Subscription.objects.filter(
        pk=subscription.pk,
        state=State.VERIFYING,
        challenge_asked_at=subscription.challenge_asked_at,
    ).update(state_reason=reason)
    if waits and subscription.challenge_asked_at is not None:
        # Sooner its answer would not count, and the next one come too late.
        ProviderAccount.objects.filter(pk=subscription.account_id).update(
            upkeep_at=subscription.challenge_asked_at + IN_FLIGHT
        )
    return bool(waits)


def _at_once(subscription_pk: int) -> None:
    Feed.objects.filter(pk=subscription_pk).update(failures=0, next_attempt_at=None)
