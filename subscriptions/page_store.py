"""One page of a listing into the rows: all of it or nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import DataError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from media_archive import claims, ingest, journal
from media_archive.journal import Recording
from media_archive.records import IncomingMedia
from subscriptions.models import Feed, Gap, Match
from subscriptions.providers.base import Page

logger = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=15)
"""A first read goes back at least to so long before the subscription was made."""


class PageStore:
    """Writes pages for the holder of the feed's claim ``epoch``."""

    def __init__(self, feed: Feed, epoch: int, hold: int) -> None:
        self.feed = feed
        self.subscription = feed.subscription
        self.epoch = epoch
        self.hold = hold

    def commit(self, gap: Gap, page: Page) -> None:
        """Store ``page``, move ``gap`` on or close it, and renew the claim; closing
        gives the claim back. Raises ``ClaimLost``, with nothing written."""
        before = {name: getattr(gap, name) for name in _PROGRESS}

        def write(recording: Recording, *, one_by_one: bool = False) -> None:
            for name, value in before.items():
                setattr(gap, name, value)
            self._write(recording, gap, page, one_by_one=one_by_one)

        try:
            journal.recorded(write)
        except (DataError, ValueError) as error:
            # One post that the database does not take must not cost the others.
            logger.warning("A page is stored post by post: %s", error)
            journal.recorded(partial(write, one_by_one=True))
        # As in the row: what went wrong before this page is over.
        self.feed.failures = 0

    def _write(
        self, recording: Recording, gap: Gap, page: Page, *, one_by_one: bool
    ) -> None:
        first_read = self.feed.first_read_at is None
        if one_by_one:
            ids, lost = self._store_each(recording, page.media)
        else:
            ids, lost = self._store(recording, page.media), 0
        fresh = self._match(ids)
        _move_on(gap, page, len(ids), len(fresh))
        if self._ends(gap, page, first_read=first_read):
            gap.closed_at = timezone.now()
        changes: dict[str, Any] = {"claim_until": Now() + self._hold(), "failures": 0}
        if gap.closed_at is not None:
            changes |= self._closing(gap, lost)
        if gap.pk or gap.closed_at is None:
            gap.save()
        claims.write(Feed.objects.all(), self.feed.pk, self.epoch, **changes)

    def _store(self, recording: Recording, media: Sequence[IncomingMedia]) -> list[int]:
        provider, tag = self.subscription.provider, self.subscription.tag
        return ingest.store(recording, provider, media, listed_under=tag).ids

    def _store_each(
        self, recording: Recording, media: Sequence[IncomingMedia]
    ) -> tuple[list[int], int]:
        """(ids, how many could not be stored)."""
        ids: list[int] = []
        lost = 0
        for record in reversed(media):
            told = len(recording.entries), len(recording.listings)
            try:
                with transaction.atomic():
                    ids += self._store(recording, [record])
            except (DataError, ValueError) as error:
                lost += 1
                del recording.entries[told[0] :]
                del recording.listings[told[1] :]
                logger.warning("Post %r is not stored: %s", record.native_id, error)
        return ids, lost

    def _match(self, ids: Sequence[int]) -> list[int]:
        """Match the items; those that this subscription had not caught before.

        The archive may know a post through another tag: that says nothing about
        how far *this* listing has been read.
        """
        caught = set(
            Match.objects.filter(
                subscription=self.subscription, item_id__in=ids
            ).values_list("item_id", flat=True)
        )
        fresh = [pk for pk in dict.fromkeys(ids) if pk not in caught]
        Match.objects.bulk_create(
            [Match(subscription=self.subscription, item_id=pk) for pk in fresh],
            ignore_conflicts=True,
        )
        return fresh

    def _ends(self, gap: Gap, page: Page, *, first_read: bool) -> bool:
        """Whether the gap is read: the listing ends, or we met what we know."""
        if not page.older:
            return True
        if gap.barren_pages >= gap.patience:
            return True
        if not first_read or gap.pages < settings.PHOTOWALL_FIRST_READ_PAGES:
            return False
        since = self.subscription.created_at - OVERLAP
        return not any(
            record.posted_at is not None and record.posted_at > since
            for record in page.media
        )

    def _closing(self, gap: Gap, lost: int) -> dict[str, Any]:
        """The feed's columns when all is read."""
        now = timezone.now()
        changes: dict[str, Any] = {
            "done_seq": gap.dirty_seq,
            "last_fetched_at": now,
            "next_attempt_at": None,
            "last_error": "",
            "last_error_code": "",
            "claim_until": None,
        }
        if gap.newest:
            changes["cursor"] = gap.newest
        if self.feed.first_read_at is None:
            changes["first_read_at"] = now
        if lost:
            changes |= {
                "last_error": f"{lost} posts could not be stored; the log names them.",
                "last_error_code": "bug",
                "last_error_at": now,
            }
        return changes

    def _hold(self) -> timedelta:
        return timedelta(seconds=self.hold)


_PROGRESS = ("newest", "older", "pages", "items", "barren_pages", "closed_at", "pk")


def _move_on(gap: Gap, page: Page, items: int, fresh: int) -> None:
    if gap.pages == 0:
        gap.newest = page.newest
    gap.older = page.older or None
    gap.pages += 1
    gap.items += items
    # Posts that could not be read may have been new ones; no post at all is none.
    unread = not items and bool(page.media or page.skipped)
    gap.barren_pages = 0 if fresh or unread else gap.barren_pages + 1
