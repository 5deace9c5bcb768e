"""Reading without being told: every tag once in a while, for what was not said.

A poll is a reading of the top, and then the last posts once more (``GapKind.OVERLAP``)
for those that the provider lists late, below what was read.
"""

from __future__ import annotations

from datetime import timedelta
from random import SystemRandom
from typing import Any

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from subscriptions.looks import Look
from subscriptions.models import Feed, State, Subscription

AT_ONCE = 500

EARLIEST = 0.8
"""Polls come after this share of their time at least: tags that were followed in one
moment are not polled in one moment for ever."""

_random = SystemRandom()


def mark_due() -> list[int]:
    """Mark the feeds of active tags due whose next poll has come and that are not
    due already; their keys, those that wait longest first."""
    due = Feed.objects.filter(
        Q(next_poll_at__isnull=True) | Q(next_poll_at__lte=Now()),
        subscription__in=Subscription.objects.filter(state=State.ACTIVE),
        dirty_seq__lte=F("done_seq"),
    )
    longest_first = due.order_by(F("next_poll_at").asc(nulls_first=True), "pk")
    found = list(longest_first.values_list("pk", flat=True)[:AT_ONCE])
    return [
        pk for pk in found if due.filter(pk=pk).update(dirty_seq=F("dirty_seq") + 1)
    ]


def wait_after(quiet_reads: int) -> timedelta:
    """How long after a poll the next one comes, when ``quiet_reads`` polls in a row
    brought nothing: doubled each time, with jitter, never longer than promised."""
    first, longest = settings.PHOTOWALL_POLL_SECONDS, settings.PHOTOWALL_POLL_LONGEST
    seconds = min(first * 2 ** min(quiet_reads, 16), max(first, longest))
    return timedelta(seconds=seconds * _random.uniform(EARLIEST, 1.0))


def after_page(look: Look, *, overlap_opens: bool, news: bool) -> dict[str, Any]:
    """The feed's columns of polling after a page. ``overlap_opens``: it is the first
    of a poll's second part; ``news``: it brought something, or was spoken of."""
    soonest = timezone.now() + wait_after(0)
    if news:
        sooner = look.next_poll_at is None or look.next_poll_at > soonest
        moves = overlap_opens or sooner
        return {"quiet_reads": 0} | ({"next_poll_at": soonest} if moves else {})
    if overlap_opens:
        return {
            "quiet_reads": look.quiet_reads + 1,
            "next_poll_at": timezone.now() + wait_after(look.quiet_reads),
        }
    return {"next_poll_at": soonest} if look.next_poll_at is None else {}
