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

from django.db import DataError, transaction

from media_archive import ingest, journal
from media_archive.journal import Recording
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
    entries that nobody could read."""

    ids: Sequence[int]
    fresh: Sequence[int]
    known: Sequence[Known]
    lost: int
    unread: int


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
        ids, lost = keep(recording, subscription, page.media)
        if caught_by == CaughtBy.BACKFILL:
            for entry in recording.entries:
                entry.detail["backfilled"] = True
        fresh, known = _match(subscription, ids, caught_by)
        kept = Kept(ids, fresh, known, lost, lost + page.skipped)
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
) -> tuple[list[int], int]:
    """(ids, how many could not be stored)."""
    result = ingest.store(
        recording, subscription.provider, media, listed_under=subscription.tag
    )
    return result.ids, result.refused


def _store_each(
    recording: Recording, subscription: Subscription, media: Sequence[IncomingMedia]
) -> tuple[list[int], int]:
    ids: list[int] = []
    lost = 0
    for record in reversed(media):
        told = len(recording.entries), len(recording.listings)
        try:
            with transaction.atomic():
                stored, refused = _store(recording, subscription, [record])
        except (DataError, ValueError) as error:
            lost += 1
            del recording.entries[told[0] :]
            del recording.listings[told[1] :]
            logger.warning("Post %r is not stored: %s", record.native_id, error)
        else:
            ids += stored
            lost += refused
    return ids, lost


def _match(
    subscription: Subscription, ids: Sequence[int], caught_by: CaughtBy
) -> tuple[list[int], list[Known]]:
    """Match the items: those that this subscription had not caught before, and
    when it caught the others.

    The archive may know a post through another tag: that says nothing about how
    far *this* listing has been read.
    """
    rows = Match.objects.filter(subscription=subscription, item_id__in=ids)
    known = {
        item: Known(match, by, at)
        for item, match, by, at in rows.values_list(
            "item_id", "pk", "caught_by", "matched_at"
        )
    }
    fresh = [pk for pk in dict.fromkeys(ids) if pk not in known]
    Match.objects.bulk_create(
        [
            Match(subscription=subscription, item_id=pk, caught_by=caught_by)
            for pk in fresh
        ],
        ignore_conflicts=True,
    )
    return fresh, list(known.values())
