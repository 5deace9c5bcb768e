"""Upkeep: does each provider still have what we believe we follow there?

Every account is asked once in five minutes. One answer that does not name an active
subscription may be odd; two in a row, a minute apart, mean that the provider has lost
it, and it is asked for again. What it has of us beyond that is removed
(``orphans``). Nothing read is lost by it: the feed keeps its cursor and its gaps.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import SystemRandom

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from media_archive.errors import PhotowallError
from subscriptions import calls, leases, orphans, requesting
from subscriptions.callbacks import callback_url
from subscriptions.lifecycle import FORGOTTEN, MISSED
from subscriptions.models import (
    ProviderAccount,
    Purpose,
    State,
    Subscription,
    passed,
)
from subscriptions.providers import REGISTRY, get_provider
from subscriptions.providers.base import UpstreamSubscription
from subscriptions.reasons import reason_of
from subscriptions.requesting import IN_FLIGHT

logger = logging.getLogger(__name__)

EVERY = 300.0
"""Seconds between two questions to one account, by chance a fifth more or less."""

AGAIN = 60.0
"""Seconds until the next question after a subscription was not named, or no answer."""

ENDED_SINCE = timedelta(days=1)
"""So long after the last one ended an account is still asked."""

LEASE_RAN_OUT = "The provider's lease ran out before it was renewed."
NOT_THERE = "The provider does not have it, and did not confirm it. Please retry."

_random = SystemRandom()


def accounts_due() -> QuerySet[ProviderAccount]:
    """Accounts to ask now what the provider believes we follow."""
    wanted = Subscription.objects.filter(
        ~Q(state__in=[State.DRAFT, State.ENDED])
        | Q(state=State.ENDED, state_since__gt=timezone.now() - ENDED_SINCE)
    )
    return ProviderAccount.objects.filter(
        passed("upkeep_at"),
        passed("paused_until"),
        passed("breaker_until"),
        provider__in=[key for key in REGISTRY if get_provider(key).pushes],
        pk__in=wanted.values("account"),
    )


def look_after(account_pk: int) -> list[int]:
    """Ask one account's provider and act on the answer; the keys of subscriptions
    that have to be asked for again.

    Safe to run twice and at once: of all callers one asks. No answer changes nothing
    but the reason that is shown.
    """
    wait = timedelta(seconds=EVERY * _random.uniform(0.8, 1.2))
    due = ProviderAccount.objects.filter(passed("upkeep_at"), pk=account_pk)
    if not due.update(upkeep_at=Now() + wait):
        return []
    account = ProviderAccount.objects.get(pk=account_pk)
    asked_at = timezone.now()
    try:
        with calls.calling(account, Purpose.UPKEEP) as credentials:
            listed = get_provider(account.provider).subscriptions(credentials)
    except PhotowallError as error:
        _put_off(account_pk, error)
        return []
    told = _Answer(account, listed, asked_at)
    anew = told.compare()
    ProviderAccount.objects.filter(pk=account_pk).exclude(upkeep_error="").update(
        upkeep_error=""
    )
    if told.missing:
        _ask_again_soon(account_pk)
    orphans.remove(account, listed, told.spare, asked_at - IN_FLIGHT)
    return anew


def run_out() -> list[int]:
    """Ask again for what the provider forgot because no renewal came in time; the
    keys."""
    late = Subscription.objects.filter(state=State.ACTIVE, lease_until__lt=Now())
    found = list(late.values_list("pk", flat=True)[:100])
    gone = [pk for pk in found if requesting.ask_anew(pk, LEASE_RAN_OUT, _STILL_LATE)]
    for pk in gone:
        logger.error("The lease of subscription %s ran out.", pk)
    return gone


_STILL_LATE = {"lease_until__lt": Now()}


def _put_off(account_pk: int, error: PhotowallError) -> None:
    """Show why, and ask again sooner than usual if that may help."""
    account = ProviderAccount.objects.filter(pk=account_pk)
    account.update(upkeep_error=reason_of(error))
    if error.retryable:
        _ask_again_soon(account_pk, error.retry_after or 0.0)


def _ask_again_soon(account_pk: int, at_least: float = 0.0) -> None:
    """Never sooner than ``AGAIN``: two answers that count are a minute apart."""
    wait = max(AGAIN * _random.uniform(1.0, 1.25), min(at_least, EVERY))
    ProviderAccount.objects.filter(pk=account_pk).update(
        upkeep_at=Now() + timedelta(seconds=wait)
    )


class _Answer:
    """What one account's provider listed, beside what we have."""

    def __init__(
        self,
        account: ProviderAccount,
        listed: Sequence[UpstreamSubscription],
        asked_at: datetime,
    ) -> None:
        self.account = account
        self.asked_at = asked_at
        self.listed = listed
        self.missing = False
        """Whether an active subscription was not named for the first time."""
        self.spare: list[UpstreamSubscription] = []
        """Named beside the one that counts, for the same callback."""

    def compare(self) -> list[int]:
        """Confirm what is named; the keys of what is lost and asked for again."""
        by_address: dict[str, list[UpstreamSubscription]] = {}
        for each in self.listed:
            by_address.setdefault(each.callback_url, []).append(each)
        anew = []
        # What was asked for a moment ago, or changed since, this answer cannot know.
        settled = self.account.subscriptions.filter(
            Q(challenge_asked_at__isnull=True)
            | Q(challenge_asked_at__lt=self.asked_at - IN_FLIGHT),
            state__in=[*_STANDING, State.VERIFYING],
        )
        for subscription in settled.order_by("pk"):
            named = by_address.get(callback_url(subscription), [])
            if subscription.state == State.VERIFYING:
                self._settle(subscription, named)
            elif subscription.state_since >= self.asked_at:
                continue
            elif named:
                self._confirm(subscription, named)
            elif self._miss(subscription):
                anew.append(subscription.pk)
        return anew

    def _settle(
        self, subscription: Subscription, named: list[UpstreamSubscription]
    ) -> None:
        """The provider challenged us, and its answer to our request is lost."""
        asked_at = subscription.challenge_asked_at
        if named:
            right = _right_one(subscription, named)
            requesting.confirm(subscription.pk, right, challenge_asked_at=asked_at)
        else:
            requesting.give_up(subscription, NOT_THERE)

    def _confirm(
        self, subscription: Subscription, named: list[UpstreamSubscription]
    ) -> None:
        right = _right_one(subscription, named)
        if right.native_id != subscription.upstream_id:
            logger.info(
                "The provider lists #%s as %s now, not as %s.",
                subscription.tag,
                right.native_id,
                subscription.upstream_id or "nothing",
            )
        confirmed = self._unchanged(subscription).update(
            confirmed_at=Now(), missed=0, upstream_id=right.native_id[:128]
        )
        if confirmed:
            self.spare += [each for each in named if each is not right]
            self._take_lease(subscription, right)

    def _take_lease(
        self, subscription: Subscription, named: UpstreamSubscription
    ) -> None:
        """A lease that is listed and not the one that we know."""
        until, known = named.lease_until, subscription.lease_until
        if until is None or (known and abs(until - known) < timedelta(seconds=5)):
            return
        self._unchanged(subscription).update(**leases.granted(until))

    def _miss(self, subscription: Subscription) -> bool:
        """Not named: count it, and after the second time ask for it again."""
        if subscription.state == State.ACTIVE and subscription.missed + 1 >= MISSED:
            return requesting.ask_anew(
                subscription.pk,
                FORGOTTEN,
                only_if={
                    "missed__gte": MISSED - 1,
                    "state_since__lt": self.asked_at,
                    "upstream_id": subscription.upstream_id,
                },
            )
        self.missing |= subscription.missed == 0
        self._unchanged(subscription).filter(missed__lt=MISSED).update(
            missed=F("missed") + 1
        )
        return False

    def _unchanged(self, subscription: Subscription) -> QuerySet[Subscription]:
        return Subscription.objects.filter(
            pk=subscription.pk,
            state=subscription.state,
            state_since=subscription.state_since,
        )


_STANDING = (State.ACTIVE, State.PAUSED, State.SUSPENDED)


def _right_one(
    subscription: Subscription, named: list[UpstreamSubscription]
) -> UpstreamSubscription:
    """Of several for one callback: the one we know, else the last for the tag."""
    known = [each for each in named if each.native_id == subscription.upstream_id]
    same = [each for each in named if each.object_id == subscription.tag]
    return (known or same or named)[-1]
