"""``fetch_new()``: read a tag's listing until it meets what it knows.

One page is one transaction: media items, matches, the gap's progress, the feed's
columns, the journal. A worker that is killed leaves the gap at the last committed
page, and the next one goes on there. No call to the provider inside a transaction.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import InterfaceError, OperationalError, connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from media_archive import claims
from media_archive.errors import ClaimLost, PhotowallError
from subscriptions import backoff, calls, lifecycle
from subscriptions.errors import AuthRefused, BadAnswer, ProviderError, RateLimited
from subscriptions.models import Feed, Gap, Purpose
from subscriptions.page_store import PageStore
from subscriptions.providers import get_provider
from subscriptions.providers.base import Page
from subscriptions.reasons import reason_of

logger = logging.getLogger(__name__)

HOLD = 45
"""Seconds of a claim, renewed with each page: longer than one call may take. A killed
worker's feed is free again after it, within the minute that recovery may take."""

REST = timedelta(seconds=2)
"""A tag is read at most once in this time."""

RUN_SECONDS = 25.0
"""After so long no further page is begun: a pool of threads knows no other limit."""

DATABASE_AWAY = timedelta(seconds=5)
"""So long a tag waits when the database failed."""

STUBBORN = 3
"""Bad answers in a row after which a gap is read from its top again."""


def fetch_new(feed_pk: int, epoch: int) -> bool:
    """Read what is new, as the holder of the claim ``epoch``.

    Returns whether there is more to read at once. What the provider does wrong is
    kept in the rows (when to try again, and why it went wrong) and not raised; nor is
    the loss of the claim, which undoes the page at hand.
    """
    rows = Feed.objects.select_related("subscription__account")
    feed = rows.get(pk=feed_pk)
    try:
        return _Run(feed, epoch).read()
    except ClaimLost:
        logger.info("The feed %s is read by another worker now.", feed_pk)
    except PhotowallError as error:
        _stumble(feed, epoch, error)
    except (OperationalError, InterfaceError):
        _hold_off(feed, epoch)
        raise
    except Exception as error:
        # A mistake of ours: it must be seen at the tag too, not only in the log.
        _stumble(feed, epoch, PhotowallError(type(error).__name__))
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


@dataclass
class _Progress:
    """How far this run has come."""

    began: float
    pages: int = 0

    def used_up(self) -> bool:
        return (
            self.pages >= settings.PHOTOWALL_PAGES_PER_RUN
            or time.monotonic() - self.began >= RUN_SECONDS
        )


class _Run:
    """One worker's reading of one feed."""

    def __init__(self, feed: Feed, epoch: int) -> None:
        self.feed = feed
        self.epoch = epoch
        self.account = feed.subscription.account
        self.provider = get_provider(feed.subscription.provider)
        self.store = PageStore(feed, epoch, HOLD)

    def read(self) -> bool:
        """Pages, until the gap closes or this run has done its share."""
        progress = _Progress(time.monotonic())
        gap = self._open_gap()
        claims.write(
            Feed.objects.all(), self.feed.pk, self.epoch, rest_until=Now() + REST
        )
        while gap.closed_at is None:
            if progress.used_up():
                claims.release(
                    Feed.objects.all(), self.feed.pk, self.epoch, rest_until=None
                )
                return True
            page = self._page(gap)
            progress.pages += 1
            self.store.commit(gap, page)
            if progress.pages == 1:
                calls.told(self.account, page.quota)
        # What was said while we read: its bell found the feed taken.
        return Feed.objects.filter(
            pk=self.feed.pk, dirty_seq__gt=F("done_seq")
        ).exists()

    def _open_gap(self) -> Gap:
        """The one that is open, or a new one that is not stored yet: it is, with its
        first page, if that does not close it."""
        found = (
            Gap.objects.filter(feed=self.feed, closed_at__isnull=True)
            .order_by("-opened_at")
            .first()
        )
        return found or Gap(
            feed=self.feed, floor=self.feed.cursor, dirty_seq=self.feed.dirty_seq
        )

    def _page(self, gap: Gap) -> Page:
        with calls.calling(self.account, Purpose.NOTIFIED) as credentials:
            page = self.provider.fetch_page(
                credentials,
                tag=self.feed.subscription.tag,
                since=gap.floor or None,
                older=gap.older,
            )
        if page.older and page.older == gap.older:
            raise BadAnswer("The listing leads from a page to the same page again.")
        return page


def _hold_off(feed: Feed, epoch: int) -> None:
    """The database fails, for all tags: a failure of none of them. If it can be
    written, this one is read again after ``DATABASE_AWAY``; else when its claim has
    run out."""
    connection.close_if_unusable_or_obsolete()
    try:
        claims.release(
            Feed.objects.all(),
            feed.pk,
            epoch,
            next_attempt_at=Now() + DATABASE_AWAY,
            last_error="The database did not answer as it should. We read again.",
            last_error_code="unavailable",
            last_error_at=timezone.now(),
        )
    except DatabaseTrouble as error:
        logger.warning("The feed %s stays claimed: %s", feed.pk, type(error).__name__)


def _stumble(feed: Feed, epoch: int, error: PhotowallError) -> None:
    """Keep in the rows what went wrong, and when to try again."""
    if isinstance(error, RateLimited):
        failures, wait = feed.failures, 0.0
    else:
        failures = feed.failures + 1
        wait = backoff.after_failure(failures)
    stubborn = failures > feed.failures and failures % STUBBORN == 0
    anew = stubborn and isinstance(error, ProviderError)
    if anew:
        wait = max(wait, _wait_before_anew(feed))
    released = claims.release(
        Feed.objects.all(),
        feed.pk,
        epoch,
        failures=failures,
        next_attempt_at=Now() + timedelta(seconds=wait),
        last_error=reason_of(error),
        last_error_code=error.code,
        last_error_at=timezone.now(),
    )
    if not released:
        return
    if isinstance(error, AuthRefused):
        lifecycle.suspend(feed.pk, reason_of(error))
    elif anew:
        _start_anew(feed)


def _wait_before_anew(feed: Feed) -> float:
    """Seconds before a gap is read from its top again: a quarter of its age, so that
    one whose next page never can be read is not begun every few seconds for ever."""
    opened = Gap.objects.filter(feed=feed, closed_at__isnull=True).values_list(
        "opened_at", flat=True
    )
    ages = [(timezone.now() - at).total_seconds() for at in opened]
    return min(max(ages, default=0.0) / 4, backoff.LONGEST)


def _start_anew(feed: Feed) -> None:
    """The place where the gap was to be read on leads nowhere: read it from its top.

    Posts that came since are read so as well. The reader must then walk through
    the pages it has already before it may believe to have met what it knows.
    """
    Gap.objects.filter(feed=feed, closed_at__isnull=True, older__isnull=False).update(
        newest=None,
        older=None,
        dirty_seq=feed.dirty_seq,
        barren_pages=0,
        patience=F("patience") + F("pages"),
        pages=0,
    )
