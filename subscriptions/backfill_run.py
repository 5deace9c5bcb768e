"""One worker's part of a backfill: pages, oldest cursor first committed.

A page is one transaction: its posts, its matches, the journal, the coverage that it
vouches for, and how far we are. A worker that is killed leaves the row at the last
committed page. No call to the provider inside a transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError
from django.db.models.functions import Now
from django.utils import timezone

from media_archive import claims
from media_archive.errors import ClaimLost, PhotowallError
from subscriptions import (
    backfilling,
    backoff,
    calls,
    holding_off,
    ledger,
    lifecycle,
    page_store,
)
from subscriptions.errors import (
    AuthRefused,
    BackfillRefused,
    BreakerOpen,
    NoProgress,
    RateLimited,
    SecretUnreadable,
)
from subscriptions.models import Backfill, BackfillState, CaughtBy, Purpose, Quality
from subscriptions.page_store import Kept
from subscriptions.providers import get_provider
from subscriptions.providers.base import Page
from subscriptions.reasons import reason_of

logger = logging.getLogger(__name__)

HOLD = 45
"""Seconds of a claim, renewed with each page: longer than one call may take."""

RUN_SECONDS = 25.0
"""After so long no further page is begun: others want the worker too."""

GIVE_UP = 10
"""Attempts in a row at the same page, after which a person has to decide."""

EMPTY_PAGES = 20
"""Pages in a row without any post, after which a listing is taken to have ended."""

CIRCLE = "The listing leads back to a page that we have read."

BEYOND_PAGES = 2
"""Pages in a row whose newest post lies before the date: one alone may hold nothing
but old posts that were tagged today."""

BACKFILLED = "backfilled"
"""The ledger's word for minutes that were read long after."""


def read_on(
    backfill_pk: int,
    epoch: int,
    *,
    on_page: Callable[[Backfill], None] = lambda _: None,
    run_seconds: float = RUN_SECONDS,
) -> bool:
    """Read pages as the holder of the claim ``epoch``; whether there is more to read
    at once. ``on_page`` sees the row after each.

    What goes wrong is kept in the row (when to try again, and why) and not raised; nor
    is the loss of the claim. Database trouble is raised, after the row was let go.
    """
    rows = Backfill.objects.select_related("subscription__account")
    backfill = rows.get(pk=backfill_pk)
    ends = time.monotonic() + run_seconds
    try:
        while True:
            page = _ask(backfill)
            if _commit(backfill, epoch, page):
                on_page(backfill)
                return False
            on_page(backfill)
            if time.monotonic() >= ends:
                claims.release(Backfill.objects.all(), backfill_pk, epoch)
                return True
    except ClaimLost:
        logger.info("The backfill %s was paused or taken over.", backfill_pk)
    except PhotowallError as error:
        _stumble(backfill, epoch, error)
    except (OperationalError, InterfaceError):
        holding_off.hold_off(
            Backfill.objects.all(),
            backfill_pk,
            epoch,
            last_error="The database did not answer as it should. We read on.",
        )
        raise
    except Exception as error:
        # A mistake of ours: it must be seen in the row too, not only in the log.
        _stumble(backfill, epoch, PhotowallError(type(error).__name__))
        raise
    return False


def _ask(backfill: Backfill) -> Page:
    subscription = backfill.subscription
    account = subscription.account
    with calls.calling(account, Purpose.BACKFILL) as credentials:
        page = get_provider(subscription.provider).fetch_page(
            credentials, tag=subscription.tag, older=backfill.older
        )
    calls.told(account, page.quota)
    if page.older and page.older == backfill.older:
        raise NoProgress("The listing leads from a page to the same page again.")
    if page.older and page.older == backfill.checkpoint:
        raise NoProgress(CIRCLE)
    return page


def _commit(backfill: Backfill, epoch: int, page: Page) -> bool:
    """Store the page and how far we are; whether it was the last."""
    progress: dict[str, Any] = {}

    def then(kept: Kept) -> None:
        progress.clear()
        progress.update(_progress(backfill, page, kept))
        ended = _end(backfill, page, progress)
        reached = progress["reached_at"]
        if reached is not None:
            ledger.covered(
                backfill.subscription_id,
                reached,
                backfill.reached_at or backfill.created_at,
                Quality.PARTIAL,
                "unread_posts" if kept.unread else BACKFILLED,
            )
        if ended:
            progress.update(
                state=BackfillState.DONE,
                state_reason=ended,
                ended_at=timezone.now(),
                claim_until=None,
            )
        else:
            progress["claim_until"] = Now() + timedelta(seconds=HOLD)
        claims.write(Backfill.objects.all(), backfill.pk, epoch, **progress)

    page_store.store_page(backfill.subscription, page, CaughtBy.BACKFILL, then)
    for name, value in progress.items():
        if name != "claim_until":
            setattr(backfill, name, value)
    return backfill.state == BackfillState.DONE


def _progress(backfill: Backfill, page: Page, kept: Kept) -> dict[str, Any]:
    times = [r.posted_at for r in page.media if r.posted_at is not None]
    newest = max(times, default=None)
    pages, wanted = backfill.pages + 1, backfill.until_date
    beyond = wanted is not None and newest is not None and newest < wanted
    # A place is noted at pages 1, 2, 4, 8 …: however long a circle is, one of them
    # is met again. (R. P. Brent, An improved Monte Carlo factorization algorithm, 1980)
    notes = pages & (pages - 1) == 0
    return {
        "older": page.older,
        "checkpoint": (page.older or "") if notes else backfill.checkpoint,
        "pages": pages,
        "beyond_pages": backfill.beyond_pages + 1 if beyond else 0,
        "items": backfill.items + kept.met,
        "new_items": backfill.new_items + len(kept.fresh),
        "newest_at": backfill.newest_at or newest,
        "reached_at": _earlier(backfill.reached_at, newest),
        "barren_pages": 0 if page.media or page.skipped else backfill.barren_pages + 1,
        "failures": 0,
        "next_attempt_at": None,
        "last_error": "",
        "last_page_at": timezone.now(),
    }


def _earlier(reached: datetime | None, newest: datetime | None) -> datetime | None:
    """A listing is in the order of tagging, and an old post may be tagged today: so a
    page has reached no further back than its *newest* post."""
    if reached is None or newest is None:
        return reached or newest
    return min(reached, newest)


def _end(backfill: Backfill, page: Page, progress: dict[str, Any]) -> str:
    """Why it ends with this page; empty if it goes on."""
    if not page.older:
        return "The provider lists nothing older."
    if backfill.until_date and progress["beyond_pages"] >= BEYOND_PAGES:
        return f"Read back to {backfill.until_date:%Y-%m-%d %H:%M} UTC."
    if backfill.until_items is not None and progress["items"] >= backfill.until_items:
        return f"Read {progress['items']:,} posts."
    if progress["barren_pages"] >= EMPTY_PAGES:
        return f"{EMPTY_PAGES} pages in a row held no post: the listing has ended."
    return ""


def _stumble(backfill: Backfill, epoch: int, error: PhotowallError) -> None:
    """Keep in the row what went wrong, and when to go on."""
    waits = isinstance(error, RateLimited | BreakerOpen)
    failures = backfill.failures if waits else backfill.failures + 1
    if isinstance(error, SecretUnreadable):
        # Another process may have the key: this one may not give up for all.
        failures = min(failures, GIVE_UP - 1)
    wait = float(error.retry_after or 1.0) if waits else backoff.after_failure(failures)
    changes: dict[str, Any] = {
        "failures": failures,
        "last_error": reason_of(error),
        "next_attempt_at": Now() + timedelta(seconds=wait),
    }
    released = claims.release(Backfill.objects.all(), backfill.pk, epoch, **changes)
    if released and isinstance(error, AuthRefused):
        # Reading goes on from here when the account has a good credential.
        lifecycle.suspend(backfill.subscription_id, reason_of(error))
    elif released and (failures >= GIVE_UP or error.message == CIRCLE):
        # Going on in a circle would never end, and look like work.
        _give_up(backfill.pk, reason_of(error))


def _give_up(backfill_pk: int, reason: str) -> None:
    try:
        backfilling.move(
            backfill_pk,
            BackfillState.FAILED,
            reason=reason,
            sources=[BackfillState.RUNNING],
        )
    except BackfillRefused:
        logger.info("The backfill %s was ended by somebody else.", backfill_pk)
