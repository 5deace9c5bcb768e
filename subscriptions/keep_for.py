"""Keeping for a time: what subscriptions caught is erased when the last allows it.

Days count from the time by which a media item is listed: its posting. An item that
several subscriptions caught lives until the last of them allows it to go; one without a
number of days never does. What a subscription has caught follows its number also while
it is paused, and after it has ended. What no subscription caught, or only ones that
keep for ever, stays.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from media_archive import retention
from media_archive.models import MediaItem
from subscriptions.models import Match, Subscription, SubscriptionEvent

AT_ONCE = 100
SCANNED = 5_000
"""Keys that one look for them brings: it may read all that others keep longer."""
SECONDS = 40.0
"""After so long no further portion is begun: others want the worker too."""
LONGEST_DAYS = 36_500
"""A hundred years; more is for ever."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Items caught with ``days``, posted before ``before``, and not kept longer by a
    subscription that caught them as well."""

    days: int
    before: datetime

    @property
    def reason(self) -> str:
        """For the tombstone."""
        return f"Kept for {self.days} {'day' if self.days == 1 else 'days'}."


def erase_expired(seconds: float = SECONDS) -> bool:
    """Erase what nobody wishes to keep any longer; whether there is more to do."""
    ends = time.monotonic() + seconds
    for wish in _wishes():
        for some in _portions(wish):
            if time.monotonic() >= ends:
                return True
            retention.purge(
                some,
                actor="",
                reason=wish.reason,
                still=partial(_still, wish),
            )
    return False


def shortens(keep_days: int | None, instead_of: int | None) -> bool:
    """Whether something may be erased by it that was to stay longer."""
    return keep_days is not None and (instead_of is None or keep_days < instead_of)


def would_erase(
    subscription: Subscription, keep_days: int, at: datetime | None = None
) -> int:
    """How many items would go at once (or at ``at``) if it kept for so many days."""
    return _expired(_wish(keep_days, at), only=subscription).count()


def keep_for(
    subscription_pk: int, keep_days: int | None, instead_of: int | None, actor: str
) -> bool:
    """Keep what it catches for so many days, None = for ever. Who, when and what
    stands in its history. False, and nothing is changed, when it no longer keeps for
    ``instead_of``: it was judged by that."""
    with transaction.atomic():
        row = Subscription.objects.select_for_update().get(pk=subscription_pk)
        if row.keep_days != instead_of:
            return False
        SubscriptionEvent.objects.create(
            subscription=row,
            before=row.state,
            after=row.state,
            actor=actor,
            reason=f"Keeps {in_words(keep_days)}, not {in_words(row.keep_days)}.",
        )
        row.keep_days = keep_days
        row.save(update_fields=["keep_days"])
    return True


def in_words(keep_days: int | None) -> str:
    """``for 30 days``, ``for ever``."""
    if keep_days is None:
        return "for ever"
    return f"for {keep_days:,} {'day' if keep_days == 1 else 'days'}"


def _wishes() -> Iterator[Wish]:
    finite = Subscription.objects.filter(keep_days__lte=LONGEST_DAYS)
    found = finite.order_by("keep_days").values_list("keep_days", flat=True)
    for days in found.distinct():
        yield _wish(days or 0)


def _wish(days: int, at: datetime | None = None) -> Wish:
    return Wish(days, (at or timezone.now()) - timedelta(days=days))


def _expired(wish: Wish, only: Subscription | None = None) -> QuerySet[MediaItem]:
    """``only``: as if that subscription kept for the wish's days."""
    caught = Match.objects.filter(item=OuterRef("pk"))
    by = Q(subscription__keep_days=wish.days)
    longer = Q(subscription__keep_days__isnull=True) | Q(
        subscription__keep_days__gt=wish.days
    )
    if only is not None:
        by, longer = Q(subscription=only), longer & ~Q(subscription=only)
    return MediaItem.objects.filter(
        Exists(caught.filter(by)),
        ~Exists(caught.filter(longer)),
        dated_at__lt=wish.before,
    )


def _portions(wish: Wish) -> Iterator[list[int]]:
    """Oldest first. What stays is not met again: the walk goes on behind it. What is
    erased is judged anew (``_still``), for it was found some time before."""
    rows = _expired(wish).order_by("dated_at", "pk").values_list("dated_at", "pk")
    here = rows
    while some := list(here[:SCANNED]):
        for start in range(0, len(some), AT_ONCE):
            yield [pk for _, pk in some[start : start + AT_ONCE]]
        if len(some) < SCANNED:
            return
        at, last = some[-1]
        # The first condition says to the index where to begin.
        here = rows.filter(
            Q(dated_at__gt=at) | Q(dated_at=at, pk__gt=last), dated_at__gte=at
        )


def _still(wish: Wish, ids: Collection[int]) -> Collection[int]:
    """Their rows are locked: nobody matches them until they are gone."""
    return set(_expired(wish).filter(pk__in=ids).values_list("pk", flat=True))
