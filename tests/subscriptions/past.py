"""A tag's past at the upstream, and a worker that reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from media_archive import claims
from subscriptions import backfill_run
from subscriptions.models import (
    Backfill,
)
from tests.subscriptions.upstream import Upstream

NOW = datetime.now(UTC)


def a_past(
    upstream: Upstream, count: int, step: timedelta = timedelta(hours=1)
) -> None:
    """``count`` posts, one every ``step``, the newest a step ago."""
    for number in range(count, 0, -1):
        upstream.post(posted_at=NOW - number * step)


def go_on(backfill: Backfill, **more: Any) -> Backfill:
    """One worker's run, as if the waiting were over."""
    Backfill.objects.filter(pk=backfill.pk).update(next_attempt_at=None)
    epoch = claims.claim(Backfill.objects.due(), backfill.pk, backfill_run.HOLD)
    assert epoch is not None, "it is not due"
    backfill_run.read_on(backfill.pk, epoch, **more)
    backfill.refresh_from_db()
    return backfill
