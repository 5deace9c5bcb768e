"""How a page moves a gap and its feed on: pure decisions, and one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from media_archive import claims
from subscriptions import ledger, polling
from subscriptions.looks import Look
from subscriptions.models import (
    CaughtBy,
    Feed,
    Gap,
    GapKind,
    Quality,
    Subscription,
)
from subscriptions.page_store import Kept, Known, store_page
from subscriptions.providers.base import Page

OVERLAP = timedelta(minutes=15)
"""A first read goes back at least to so long before the subscription was made."""

EMPTY_PAGES = 10
"""So many empty pages in a row that lead on are taken for the listing's end."""

IDLE_PAGES = 500
"""So many pages in a row without any new post end a reading, whatever they hold."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A page of ``gap``: what the feed looked like, and why it is asked for.
    ``opens``: the page is the listing's top and opens the gap; ``heard``: because
    of a notification."""

    look: Look
    gap: Gap
    opens: bool
    heard: bool


def commit(
    subscription: Subscription,
    epoch: int,
    hold: int,
    reading: Reading,
    page: Page,
    *,
    circles: bool = False,
) -> None:
    """Store ``page`` and move its gap on or close it, for the holder of the feed's
    claim ``epoch``, which is renewed for ``hold`` seconds. A page that ``circles``
    (leads to where we have been) is stored, and the gap stays where it is. Raises
    ``ClaimLost``, with nothing written."""
    gap = reading.gap
    before = {name: getattr(gap, name) for name in _PROGRESS}

    def then(kept: Kept) -> None:
        for name, value in before.items():
            setattr(gap, name, value)
        changes = _moved(subscription, reading, page, kept, circles=circles)
        if gap.pk or gap.closed_at is None:
            gap.save()
        claims.write(
            Feed.objects.all(),
            subscription.pk,
            epoch,
            claim_until=Now() + timedelta(seconds=hold),
            failures=0,
            **changes,
        )

    by = CaughtBy.NEWS if gap.kind == GapKind.NEWS else CaughtBy.OVERLAP
    store_page(subscription, page, by, then)


_PROGRESS = [
    "pk",
    "newest",
    "older",
    "pages",
    "items",
    "barren_pages",
    "idle_pages",
    "unread",
    "checkpoint",
    "covers_from",
    "failures",
    "next_attempt_at",
    "closed_at",
]


def _moved(
    subscription: Subscription,
    reading: Reading,
    page: Page,
    kept: Kept,
    *,
    circles: bool,
) -> dict[str, Any]:
    """Move the gap on; the feed's columns that change with it."""
    gap, look = reading.gap, reading.look
    met = _met_what_we_knew(gap, kept.known)
    gap.items += kept.met
    gap.unread += kept.unread
    if not circles:
        _move_on(gap, page, kept, met=met)
    changes = _told(look, gap, opens=reading.opens)
    changes |= polling.after_page(
        look,
        overlap_opens=reading.opens and gap.kind == GapKind.OVERLAP,
        news=bool(kept.fresh) or (reading.opens and reading.heard),
    )
    if circles:
        return changes
    first = gap.kind == GapKind.NEWS and not gap.floor and look.first_read_at is None
    note = _ends(subscription, gap, page, kept, met=met, first=first)
    if first:
        _reach_back(subscription, gap, page, cut=note is not None and bool(page.older))
    if note is not None:
        gap.closed_at = timezone.now()
        changes |= _closing(subscription, look, gap, kept, note, changes)
    return changes


def _met_what_we_knew(gap: Gap, known: Sequence[Known]) -> bool:
    """Whether the page holds a post that lies where news have been read before.

    A post caught after the gap opened may lie above what we have not read yet, and
    so may one that a backfill or a reading once more was the first to meet.
    """
    return any(
        post.match <= gap.known_match and post.caught_by == CaughtBy.NEWS
        for post in known
    )


def _move_on(gap: Gap, page: Page, kept: Kept, *, met: bool) -> None:
    if gap.pages == 0 and page.newest:
        gap.newest = page.newest
    gap.older = page.older or None
    gap.pages += 1
    gap.failures, gap.next_attempt_at = 0, None
    # Whoever meets a place again is led in a circle. A place is noted at pages 1,
    # 2, 4, 8, … so that circles of every length are found, with one place kept.
    if gap.pages & (gap.pages - 1) == 0:
        gap.checkpoint = gap.older or ""
    empty = not page.media and not page.skipped
    gap.idle_pages = 0 if kept.leads_on else gap.idle_pages + 1
    if kept.leads_on or (not kept.met and not empty):
        # Posts that could not be read may have been new ones.
        gap.barren_pages = 0
    elif met or empty:
        gap.barren_pages += 1


def _reach_back(subscription: Subscription, gap: Gap, page: Page, *, cut: bool) -> None:
    """A first reading of a whole listing vouches for the time since its oldest post.
    One that stopped half-way (``cut``) does so for the time since the tag is followed:
    an old post may be tagged today, so no post tells how far the pages went back. If
    the last page tells no times at all, it vouches for nothing before it."""
    times = [record.posted_at for record in page.media if record.posted_at is not None]
    if not cut:
        gap.covers_from = min([*times, gap.covers_from or gap.opened_at])
    elif times:
        gap.covers_from = subscription.created_at - OVERLAP
    else:
        gap.covers_from = gap.opened_at


def _told(look: Look, gap: Gap, *, opens: bool) -> dict[str, Any]:
    """The listing's top is read: what was said until then is answered."""
    if not opens or gap.kind != GapKind.NEWS:
        return {}
    changes: dict[str, Any] = {
        "done_seq": gap.dirty_seq,
        "head_at": gap.opened_at,
        "last_fetched_at": timezone.now(),
        "next_attempt_at": None,
    }
    if gap.newest:
        changes["head"] = gap.newest
    return changes


def _ends(
    subscription: Subscription,
    gap: Gap,
    page: Page,
    kept: Kept,
    *,
    met: bool,
    first: bool,
) -> str | None:
    """Why the gap is read to its end: "" = as it should be, else words for people;
    ``None`` = it is not."""
    if not page.older:
        return ""
    if met and gap.barren_pages >= gap.patience:
        return ""
    if gap.barren_pages >= EMPTY_PAGES:
        return f"The listing led on through {gap.barren_pages} pages without a post."
    if gap.idle_pages >= IDLE_PAGES:
        return f"The listing led on through {gap.idle_pages} pages without a new post."
    if gap.kind == GapKind.OVERLAP:
        return "" if _overlaps_enough(subscription, gap, page, kept) else None
    if first and gap.pages >= settings.PHOTOWALL_FIRST_READ_PAGES:
        return None if _has_recent(subscription, page) else ""
    return None


def _overlaps_enough(
    subscription: Subscription, gap: Gap, page: Page, kept: Kept
) -> bool:
    if gap.items >= settings.PHOTOWALL_OVERLAP_ITEMS:
        return True
    since = timezone.now() - timedelta(seconds=settings.PHOTOWALL_OVERLAP_SECONDS)
    caught_lately = any(post.at > since for post in kept.known)
    return not caught_lately and not (kept.fresh and _has_recent(subscription, page))


def _has_recent(subscription: Subscription, page: Page) -> bool:
    since = subscription.created_at - OVERLAP
    return any(
        record.posted_at is not None and record.posted_at > since
        for record in page.media
    )


def _closing(
    subscription: Subscription,
    look: Look,
    gap: Gap,
    kept: Kept,
    note: str,
    told: dict[str, Any],
) -> dict[str, Any]:
    """The feed's columns when the gap is read to its end, and what is covered now."""
    now = timezone.now()
    changes: dict[str, Any] = {"next_attempt_at": None, "last_fetched_at": now}
    others = Gap.objects.unread().filter(feed_id=subscription.pk).exclude(pk=gap.pk)
    if gap.kind == GapKind.NEWS:
        below = others.filter(kind=GapKind.NEWS).order_by("opened_at", "pk").first()
        if below is None and look.first_read_at is None:
            changes["first_read_at"] = now
        cursor = below.floor if below else told.get("head", look.head)
        if cursor:
            changes["cursor"] = cursor
        _vouch(gap, whole=not note)
    lost = f"{kept.lost} posts could not be stored; the log names them."
    if note or kept.lost:
        changes |= {
            "last_error": note or lost,
            "last_error_code": "no_progress" if note else "bug",
            "last_error_at": now,
        }
    elif not others.filter(failures__gt=0).exists():
        changes |= {"last_error": "", "last_error_code": ""}
    return changes


def _vouch(gap: Gap, *, whole: bool) -> None:
    """Say in the ledger which minutes this reading covers."""
    if gap.covers_from is None:
        return
    complete = whole and not gap.unread
    ledger.covered(
        gap.feed_id,
        gap.covers_from,
        gap.opened_at,
        Quality.COMPLETE if complete else Quality.PARTIAL,
        "" if complete else "unread_posts",
    )
