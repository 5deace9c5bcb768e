"""``fetch_new()``: read a tag's listing until it meets what it knows.

First the top, when something was said: its first page makes the head known. What
lies between it and the former head is a gap, read on page by page; older gaps, and
what a poll reads once more, come after. One page is one transaction: media items,
matches, the gap's progress, the feed's columns, the journal. A worker that is killed
leaves the gaps at their last committed page, and the next one goes on there. No call
to the provider inside a transaction.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from media_archive import claims
from media_archive.errors import ClaimLost, PhotowallError
from subscriptions import budget, calls, gap_progress, gaps, stumbles
from subscriptions.errors import NoProgress
from subscriptions.gap_progress import Reading
from subscriptions.looks import Look, look_at
from subscriptions.models import Feed, Gap
from subscriptions.providers import get_provider
from subscriptions.providers.base import Page

logger = logging.getLogger(__name__)

HOLD = 45
"""Seconds of a claim, renewed with each page: longer than one call may take. A killed
worker's feed is free again after it, within the minute that recovery may take."""

REST = timedelta(seconds=2)
"""A tag's top is read at most once in this time."""

RUN_SECONDS = 25.0
"""After so long no further page is begun. Celery's time limits do not act in a pool
of threads, so the run bounds itself: by this, by ``PHOTOWALL_PAGES_PER_RUN`` and by
the deadline of each call."""


def fetch_new(feed_pk: int, epoch: int) -> bool:
    """Read what is new, as the holder of the claim ``epoch``.

    Returns whether there is more to read at once. What the provider does wrong is
    kept in the rows (when to try again, and why it went wrong) and not raised; nor is
    the loss of the claim, which undoes the page at hand.
    """
    rows = Feed.objects.select_related("subscription__account")
    run = _Run(rows.get(pk=feed_pk), epoch)
    try:
        return run.read()
    except ClaimLost:
        logger.info("The feed %s is read by another worker now.", feed_pk)
    except PhotowallError as error:
        return run.stumble(error) and _is_dirty(feed_pk)
    except (OperationalError, InterfaceError):
        stumbles.hold_off(feed_pk, epoch)
        raise
    except Exception as error:
        # A mistake of ours: it must be seen at the tag too, not only in the log.
        run.stumble(PhotowallError(type(error).__name__))
        raise
    return False


def take_bell(feed_pk: int) -> float | None:
    """Seconds after which the caller shall ring for this feed again, or ``None``.

    Of all who find the feed resting after a read, one gets the time: the last
    notification of a burst is neither lost nor answered by a thousand bells.
    """
    resting = Feed.objects.filter(
        pk=feed_pk, dirty_seq__gt=F("done_seq"), rest_until__gt=Now()
    )
    took = resting.exclude(bell_at__gte=F("rest_until")).update(bell_at=F("rest_until"))
    if not took:
        return None
    times = Feed.objects.annotate(now=Now()).values_list("rest_until", "now")
    until, now = times.get(pk=feed_pk)
    # A little later, never earlier: who comes too early finds the bell taken.
    return max(0.0, (until - now).total_seconds()) + 0.05 if until else 0.05


def _is_dirty(feed_pk: int) -> bool:
    return Feed.objects.filter(pk=feed_pk, dirty_seq__gt=F("done_seq")).exists()


@dataclass
class _Progress:
    """How far this run has come."""

    began: float
    pages: int = 0
    top_read_at: float | None = None
    own: Gap | None = None
    """The gap below the top that this run has read."""
    heard: bool = False
    shown: tuple[int | None, list[str]] = (None, [])
    """The last page: whose gap's, and its posts."""

    def used_up(self) -> bool:
        return (
            self.pages >= settings.PHOTOWALL_PAGES_PER_RUN
            or time.monotonic() - self.began >= RUN_SECONDS
        )

    def has_rested(self) -> bool:
        since = self.top_read_at
        return since is None or time.monotonic() - since >= REST.total_seconds()


class _Run:
    """One worker's reading of one feed."""

    def __init__(self, feed: Feed, epoch: int) -> None:
        self.pk = feed.pk
        self.epoch = epoch
        self.failures = feed.failures
        self.subscription = feed.subscription
        self.account = feed.subscription.account
        self.provider = get_provider(feed.subscription.provider)
        self.progress = _Progress(time.monotonic())
        self.reading: Reading | None = None

    def read(self) -> bool:
        """Pages, until nothing is left or this run has done its share."""
        while True:
            look = look_at(self.pk, self.epoch)
            self.failures = look.failures
            if self.progress.used_up():
                claims.release(Feed.objects.all(), self.pk, self.epoch, rest_until=None)
                return Feed.objects.due().filter(pk=self.pk).exists()
            self.reading = self._next(look)
            if self.reading is None:
                claims.release(Feed.objects.all(), self.pk, self.epoch)
                # What was said while we read: its bell found the feed taken.
                return _is_dirty(self.pk)
            self._read_page(self.reading)

    def stumble(self, error: PhotowallError) -> bool:
        """Keep what went wrong with the page at hand; whether the top may be read."""
        reading = self.reading
        return stumbles.note(
            self.pk,
            self.epoch,
            error,
            failures=self.failures,
            gap=reading.gap if reading else None,
            heard=bool(reading and reading.heard),
        )

    def _next(self, look: Look) -> Reading | None:
        """The top first; then what this run found below it; then what a poll reads
        once more; then older gaps, the newest first."""
        may = look.was_heard or not look.yields
        if look.is_dirty and may and self.progress.has_rested():
            return self._top(look)
        own = self.progress.own
        if own is not None and own.closed_at is None:
            return Reading(look, own, opens=False, heard=self.progress.heard)
        if look.yields:
            return None
        if look.poll_is_due:
            gaps.give_up_overlap(self.pk, self.epoch)
            gap = gaps.overlap(self.pk, look)
            return Reading(look, gap, opens=True, heard=False)
        found = gaps.next_of(self.pk)
        return Reading(look, found, opens=False, heard=False) if found else None

    def _top(self, look: Look) -> Reading:
        claims.write(Feed.objects.all(), self.pk, self.epoch, rest_until=Now() + REST)
        gaps.fold(self.pk, self.epoch)
        self.progress.top_read_at = time.monotonic()
        self.progress.heard = look.was_heard
        self.progress.own = gaps.head(self.pk, look)
        return Reading(look, self.progress.own, opens=True, heard=look.was_heard)

    def _read_page(self, reading: Reading) -> None:
        gap = reading.gap
        purpose = budget.purpose_of_reading(
            heard=reading.heard,
            next_poll_at=reading.look.next_poll_at,
            quiet_reads=reading.look.quiet_reads,
            now=timezone.now(),
        )
        with calls.calling(self.account, purpose) as credentials:
            page = self.provider.fetch_page(
                credentials,
                tag=self.subscription.tag,
                since=gap.floor or None,
                older=gap.older,
            )
        self.progress.pages += 1
        shown = [record.native_id for record in page.media]
        repeats = shown and self.progress.shown == (gap.pk, shown)
        # A gap's first page may well be what another gap's was.
        if page.older and repeats and not reading.opens:
            raise NoProgress("The listing shows the same page again and again.")
        circles = _circles(gap, page)
        gap_progress.commit(
            self.subscription, self.epoch, HOLD, reading, page, circles=circles
        )
        self.progress.shown = (gap.pk, shown)
        if self.progress.pages == 1:
            calls.told(self.account, page.quota)
        if circles:
            raise NoProgress("The listing leads in a circle, to a page that was read.")


def _circles(gap: Gap, page: Page) -> bool:
    """Whether the page leads to where this gap has been."""
    return bool(page.older) and page.older in (gap.older, gap.checkpoint)
