"""How far a backfill has come, and how long it will take: for bars and sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from media_archive.progress import span
from subscriptions.models import Backfill, BackfillState

SETTLED = timedelta(seconds=2)
"""Reading time before a rate is worth telling."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """``share`` 0 to 1 of what was asked for, ``left`` the time that the rest takes at
    the pace so far; ``None`` where nobody can know: to the end of a listing."""

    share: float | None
    left: timedelta | None

    def __str__(self) -> str:
        if self.share is None:
            return "how far the listing goes is not known"
        said = f"{int(100 * self.share)} %"
        if self.left:
            said += f", about {span(self.left.total_seconds())} left"
        return said


def outlook(backfill: Backfill) -> Outlook:
    """By the target that is nearer. Waiting for budget counts: the pace is measured
    from the beginning to the last page."""
    if backfill.state == BackfillState.DONE:
        return Outlook(1.0, None)
    shares = [
        part for part in (_by_date(backfill), _by_items(backfill)) if part is not None
    ]
    if not shares:
        return Outlook(None, None)
    share = min(max(shares), 1.0)
    spent = (backfill.last_page_at or backfill.created_at) - backfill.created_at
    running = backfill.state == BackfillState.RUNNING
    if not running or share <= 0 or spent < SETTLED:
        return Outlook(share, None)
    return Outlook(share, spent / share - spent)


def waits_until(backfill: Backfill) -> datetime | None:
    """Until when nothing is read, if that is so."""
    account = backfill.subscription.account
    times = (backfill.next_attempt_at, account.paused_until, account.breaker_until)
    ahead = [time for time in times if time is not None and time > timezone.now()]
    return max(ahead, default=None)


def _by_date(backfill: Backfill) -> float | None:
    if backfill.until_date is None:
        return None
    if backfill.reached_at is None:
        return 0.0
    whole = backfill.created_at - backfill.until_date
    return (backfill.created_at - backfill.reached_at) / whole


def _by_items(backfill: Backfill) -> float | None:
    if backfill.until_items is None:
        return None
    return backfill.items / backfill.until_items
