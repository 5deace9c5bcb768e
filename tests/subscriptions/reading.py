"""A worker's reading, step by step."""

from __future__ import annotations

from typing import Any

from django.db.models import F

from media_archive import claims
from subscriptions import fetching
from subscriptions.models import Feed, Subscription


def read(subscription: Subscription) -> bool:
    """What the task does, as if two seconds had passed."""
    Feed.objects.filter(pk=subscription.pk).update(rest_until=None)
    epoch = claims.claim(Feed.objects.due(), subscription.pk, fetching.HOLD)
    assert epoch is not None, "the feed is not due"
    return fetching.fetch_new(subscription.pk, epoch)


def feed_of(subscription: Subscription) -> Feed:
    return Feed.objects.get(pk=subscription.pk)


def make_due(subscription: Subscription, **changes: Any) -> None:
    Feed.objects.filter(pk=subscription.pk).update(
        dirty_seq=F("dirty_seq") + 1, next_attempt_at=None, **changes
    )


class Killed(BaseException):
    """A worker's death: nothing of ours catches it."""
