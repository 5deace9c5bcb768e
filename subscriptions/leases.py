"""Leases: how long a provider keeps a subscription alive, and renewing in time.

To renew is to ask anew, for the same callback: the old lease stands until the new one
is granted, and the subscription stays ``active`` meanwhile. A provider tells the lease
in its answer or with its challenge; one without leases tells none.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from media_archive.errors import PhotowallError
from subscriptions import backoff, calls
from subscriptions.callbacks import callback_url
from subscriptions.errors import AuthRefused, ProviderError
from subscriptions.models import Purpose, State, Subscription, passed
from subscriptions.providers import get_provider
from subscriptions.providers.base import UpstreamSubscription
from subscriptions.reasons import reason_of
from subscriptions.transitions import try_move

logger = logging.getLogger(__name__)

HOLD = timedelta(seconds=60)
"""So long nobody else renews what one worker renews."""

LATEST = timedelta(minutes=10)
"""With so much left at the latest, unless the whole lease is too short for that."""

UNTOLD = timedelta(minutes=10)
"""After a good answer that tells no lease, its challenge may take so long."""

LONGEST = 10 * 365 * 24 * 3600
"""Seconds of a lease that we believe."""

_random = SystemRandom()


def granted(until: datetime | None) -> dict[str, Any]:
    """The columns that go with a lease; none if the provider told none."""
    if until is None:
        return {}
    return {"lease_until": until, "renew_at": renew_time(until), "renew_failures": 0}


NONE: dict[str, Any] = {"lease_until": None, "renew_at": None, "renew_failures": 0}
"""The columns of a subscription that has no lease."""


def renew_time(until: datetime) -> datetime:
    """When to renew a lease that was granted now: with a third of it left, and 10
    minutes at least, but never in its first half. A little earlier by chance, so that
    leases which began together are not renewed together."""
    length = until - timezone.now()
    left = min(max(length / 3, LATEST), length / 2)
    return until - left * _random.uniform(1.0, 1.1)


def told_by_challenge(params: Mapping[str, str]) -> datetime | None:
    """Until when the lease lasts that a challenge grants (``hub.lease_seconds``)."""
    text = params.get("hub.lease_seconds", "")
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        return None
    seconds = min(int(text), LONGEST)
    return timezone.now() + timedelta(seconds=seconds) if seconds else None


def note_challenge(subscription: Subscription, params: Mapping[str, str]) -> None:
    """Keep the lease that an answered challenge grants."""
    if not get_provider(subscription.provider).leases:
        return
    if columns := granted(told_by_challenge(params)):
        Subscription.objects.filter(pk=subscription.pk).update(**columns)


def renewals_due() -> QuerySet[Subscription]:
    """Subscriptions whose lease is to be renewed now."""
    return Subscription.objects.filter(
        passed("account__paused_until"),
        state=State.ACTIVE,
        lease_until__isnull=False,
        renew_at__lte=Now(),
    )


def renew(subscription_pk: int) -> bool:
    """Ask anew for a lease that is about to run out; whether this call renewed it.

    Safe to run twice and at once. What goes wrong is tried again with back-off, until
    the lease has run out (``upkeep.run_out``).
    """
    subscription = _take(subscription_pk)
    if subscription is None:
        return False
    try:
        with calls.calling(subscription.account, Purpose.UPKEEP) as credentials:
            made = get_provider(subscription.provider).subscribe(
                credentials,
                tag=subscription.tag,
                callback_url=callback_url(subscription),
                verify_token=subscription.verify_token,
            )
    except PhotowallError as error:
        _try_again_later(subscription, error)
        return False
    return _keep(subscription, made)


def _take(subscription_pk: int) -> Subscription | None:
    """Compare and swap: one caller renews, fenced by the time it asked."""
    rows = Subscription.objects.select_related("account")
    subscription = rows.filter(pk__in=renewals_due(), pk=subscription_pk).first()
    if subscription is None:
        return None
    now = timezone.now()
    taken = Subscription.objects.filter(
        pk=subscription_pk, state=State.ACTIVE, renew_at=subscription.renew_at
    ).update(renew_at=Now() + HOLD, challenge_asked_at=now)
    subscription.challenge_asked_at = now
    return subscription if taken else None


def _mine(subscription: Subscription) -> QuerySet[Subscription]:
    return Subscription.objects.filter(
        pk=subscription.pk,
        state=State.ACTIVE,
        challenge_asked_at=subscription.challenge_asked_at,
    )


def _keep(subscription: Subscription, made: UpstreamSubscription) -> bool:
    mine = _mine(subscription)
    if made.lease_until is None:
        # Its challenge tells the lease, and may come later: then ask once more.
        mine.filter(lease_until=subscription.lease_until).update(
            renew_at=Now() + UNTOLD
        )
    return bool(
        mine.update(
            upstream_id=made.native_id[:128],
            confirmed_at=Now(),
            missed=0,
            **({"renew_failures": 0} | granted(made.lease_until)),
        )
    )


def _try_again_later(subscription: Subscription, error: PhotowallError) -> None:
    wait = backoff.after_failure(subscription.renew_failures + 1)
    if isinstance(error, ProviderError) and error.retry_after is not None:
        wait = max(wait, min(error.retry_after, backoff.LONGEST))
    _mine(subscription).filter(renew_failures__lt=1000).update(
        renew_failures=F("renew_failures") + 1
    )
    _mine(subscription).update(renew_at=Now() + timedelta(seconds=wait))
    logger.warning(
        "The lease of #%s (until %s) is not renewed: %s",
        subscription.tag,
        subscription.lease_until,
        error.code,
    )
    if isinstance(error, AuthRefused):
        try_move(
            subscription.pk,
            State.SUSPENDED,
            reason=reason_of(error),
            only_if={"challenge_asked_at": subscription.challenge_asked_at},
        )
