"""One page of a listing into the rows: all of it or nothing.

Whoever reads a listing stores its pages here: feeds, and backfills too. What the
page means for their own progress is written by ``then``, in the same transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import DataError, transaction
from django.db.models import QuerySet

from media_archive import ingest, item_rows, journal
from media_archive.ingest import StoreResult
from media_archive.journal import Recording
from media_archive.models import Tombstone
from media_archive.records import IncomingMedia
from subscriptions.models import CaughtBy, Match, Subscription
from subscriptions.providers.base import Page

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Known:
    """A post of the page that the subscription had caught before."""

    match: int
    caught_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a page. ``ids`` are the stored media items, ``fresh`` those that
    the subscription had not caught before, ``known`` says when the others were
    caught; ``lost`` posts could not be stored, ``unread`` counts these and the
    entries that nobody could read.

    ``entombed`` posts were erased for good and are not stored: ``known`` tells of those
    that the subscription has met before, ``unmet`` counts the others."""

    ids: Sequence[int]
    fresh: Sequence[int]
    known: Sequence[Known]
    lost: int
    unread: int
    entombed: int = 0
    unmet: int = 0

    @property
    def met(self) -> int:
        """Posts of the page that we know what to do with."""
        return len(self.ids) + self.entombed

    @property
    def leads_on(self) -> bool:
        """Whether the subscription meets a post of it for the first time."""
        return bool(self.fresh) or self.unmet > 0


def store_page(
    subscription: Subscription,
    page: Page,
    caught_by: CaughtBy,
    then: Callable[[Kept], None],
) -> Kept:
    """Store ``page`` (media items, matches, journal entries) and do ``then`` with what
    became of it, in one transaction of its own.

    ``then`` writes the reader's progress with ``claims.write``; what it raises
    (``ClaimLost``) undoes the page. It may be called more than once (a deadlock, a
    post that the database refuses), so it must begin from nothing each time.
    """

    def write(recording: Recording, *, one_by_one: bool = False) -> Kept:
        keep = _store_each if one_by_one else _store
        result = keep(recording, subscription, page.media)
        if caught_by == CaughtBy.BACKFILL:
            for entry in recording.entries:
                entry.detail["backfilled"] = True
        kept = _match(subscription, result, caught_by, page.skipped)
        then(kept)
        return kept

    try:
        return journal.recorded(write)
    except (DataError, ValueError) as error:
        # One post that the database does not take must not cost the others.
        logger.warning("A page is stored post by post: %s", error)
        return journal.recorded(partial(write, one_by_one=True))


def _store(
    recording: Recording, subscription: Subscription, media: Sequence[IncomingMedia]
) -> StoreResult:
    return ingest.store(
        recording, subscription.provider, media, listed_under=subscription.tag
    )


def _store_each(
    recording: Recording, subscription: Subscription, media: Sequence[IncomingMedia]
) -> StoreResult:
    whole = StoreResult()
    for record in reversed(media):
        told = len(recording.entries), len(recording.listings)
        try:
            with transaction.atomic():
                one = _store(recording, subscription, [record])
        except (DataError, ValueError) as error:
            whole.refused += 1
            del recording.entries[told[0] :]
            del recording.listings[told[1] :]
            logger.warning("Post %r is not stored: %s", record.native_id, error)
        else:
            whole.new += one.new
            whole.changed += one.changed
            whole.unchanged += one.unchanged
            whole.entombed += one.entombed
            whole.refused += one.refused
    return whole


def _match(
    subscription: Subscription, result: StoreResult, caught_by: CaughtBy, skipped: int
) -> Kept:
    """Match the items, and what became of the page: which of them this subscription
    had not caught before, and when it caught the others.

    The archive may know a post through another tag: that says nothing about how
    far *this* listing has been read. A post that was erased is met like any other.
    """
    rows = Match.objects.filter(subscription=subscription)
    known = _known(rows.filter(item_id__in=result.ids), "item_id")
    unmatched = [pk for pk in dict.fromkeys(result.ids) if pk not in known]
    there = item_rows.hold_there([*({*unmatched} - {*result.new})]) | {*result.new}
    fresh = [pk for pk in unmatched if pk in there]
    # Erased in the moment between: met the next time, by its tombstone.
    gone = len(unmatched) - len(fresh)
    provider = subscription.provider
    keys = [Tombstone.key_of(provider, native_id) for native_id in result.entombed]
    met = _known(rows.filter(tombstone__in=keys), "tombstone") if keys else {}
    unmet = [key for key in keys if key not in met]
    Match.objects.bulk_create(
        [
            *(_caught(subscription, caught_by, item_id=pk) for pk in fresh),
            *(_caught(subscription, caught_by, tombstone=key) for key in unmet),
        ],
        ignore_conflicts=True,
    )
    return Kept(
        ids=[pk for pk in result.ids if pk in known or pk in there],
        fresh=fresh,
        known=[*known.values(), *met.values()],
        lost=result.refused,
        unread=result.refused + skipped,
        entombed=len(keys) + gone,
        unmet=len(unmet) + gone,
    )


def _known(rows: QuerySet[Match], by: str) -> dict[Any, Known]:
    columns = (by, "pk", "caught_by", "matched_at")
    return {key: Known(*said) for key, *said in rows.values_list(*columns)}


def _caught(subscription: Subscription, by: CaughtBy, **what: Any) -> Match:
    return Match(subscription=subscription, caught_by=by, **what)
