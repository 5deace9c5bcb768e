"""Gaps: which one is read next, how one is opened, begun anew, and thrown away."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from media_archive import claims
from subscriptions.looks import Look
from subscriptions.models import Feed, Gap, GapKind, Match
from subscriptions.models.feeds import GapQuerySet

AT_MOST = 50
"""With so many open gaps of one tag they are read as one, from the top."""

KEPT_FOR = timedelta(days=7)
"""So long a closed gap is kept, for people who ask what was read when."""

TRIMMED_AT_ONCE = 1000

FROM_ITS_TOP = {
    "older": None,
    "pages": 0,
    "barren_pages": 0,
    "idle_pages": 0,
    "checkpoint": "",
}
"""What it means to begin a gap anew."""


def head(feed_pk: int, look: Look) -> Gap:
    """The gap that a reading of the top opens: from there down to what was the head.

    It is not stored yet: that is done with its first page, if that does not close
    it. What is listed while it is read lies above it, and is said anew.
    """
    return Gap(
        feed_id=feed_pk,
        floor=look.head or look.cursor,
        dirty_seq=look.dirty_seq,
        covers_from=look.head_at,
        known_match=Match.objects.aggregate(last=Max("pk"))["last"] or 0,
        opened_at=timezone.now(),
    )


def overlap(feed_pk: int, look: Look) -> Gap:
    """The gap of a poll's second part: the last posts once more, known or not."""
    return Gap(
        feed_id=feed_pk,
        kind=GapKind.OVERLAP,
        dirty_seq=look.dirty_seq,
        opened_at=timezone.now(),
    )


def next_of(feed_pk: int) -> Gap | None:
    """The gap to read on: one of a poll, which is short, else the newest."""
    workable = Gap.objects.workable().filter(feed_id=feed_pk)
    # "overlap" comes after "news".
    return workable.order_by("-kind", "-opened_at", "-pk").first()


def give_up_overlap(feed_pk: int, epoch: int) -> None:
    """Close a poll's unfinished second part: a new one begins from the top. Raises
    ``ClaimLost``."""
    with transaction.atomic():
        _open(feed_pk).filter(kind=GapKind.OVERLAP).update(closed_at=timezone.now())
        claims.write(Feed.objects.all(), feed_pk, epoch, claim_epoch=epoch)


def fold(feed_pk: int, epoch: int) -> bool:
    """Make one gap of too many: from the top down to the floor of the oldest, which
    holds all of them; whether it was done. Raises ``ClaimLost``."""
    news = _open(feed_pk).filter(kind=GapKind.NEWS)
    keys = list(news.order_by("opened_at", "pk").values_list("pk", flat=True))
    if len(keys) < AT_MOST:
        return False
    with transaction.atomic():
        Gap.objects.filter(pk__in=keys[1:]).delete()
        # It will have read all that is listed until now.
        Gap.objects.filter(pk=keys[0]).update(**FROM_ITS_TOP, opened_at=timezone.now())
        claims.write(Feed.objects.all(), feed_pk, epoch, claim_epoch=epoch)
    return True


def trim() -> int:
    """Throw closed gaps away that are older than a week, so many at once; how many."""
    old = Gap.objects.filter(closed_at__lt=timezone.now() - KEPT_FOR)
    keys = list(
        old.order_by("closed_at").values_list("pk", flat=True)[:TRIMMED_AT_ONCE]
    )
    return Gap.objects.filter(pk__in=keys).delete()[0] if keys else 0


def _open(feed_pk: int) -> GapQuerySet:
    return Gap.objects.unread().filter(feed_id=feed_pk)
