"""What goes wrong while reading is kept in the rows, with the time to try again.

Trouble at a page further down is the trouble of its gap: the top and the other gaps
are read meanwhile. Everything else is the trouble of the feed.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from media_archive import claims
from media_archive.errors import ClaimLost, PhotowallError
from subscriptions import backoff, holding_off, lifecycle
from subscriptions.errors import (
    AuthRefused,
    BreakerOpen,
    BudgetSpent,
    RateLimited,
    SecretUnreadable,
)
from subscriptions.gaps import FROM_ITS_TOP
from subscriptions.models import Feed, Gap, GapKind
from subscriptions.reasons import reason_of

logger = logging.getLogger(__name__)

STUBBORN = 3
"""Bad answers in a row after which a gap is read from its top again."""

UNSAID = 60.0
"""Seconds to wait when we may not call and are not told for how long."""

_OF_THE_ACCOUNT = (RateLimited, BreakerOpen, AuthRefused, SecretUnreadable)


def note(
    feed_pk: int,
    epoch: int,
    error: PhotowallError,
    *,
    failures: int,
    gap: Gap | None,
    heard: bool,
) -> bool:
    """Give the feed back with what went wrong; whether only a gap has to wait.
    ``failures`` of the feed so far; ``gap``: whose page it was; ``heard``: whether it
    was read for a notification."""
    said: dict[str, Any] = {
        "last_error": reason_of(error),
        "last_error_code": error.code,
        "last_error_at": timezone.now(),
    }
    if gap is not None and gap.pk and not isinstance(error, _OF_THE_ACCOUNT):
        return _note_at_gap(feed_pk, epoch, gap, said)
    released = claims.release(
        Feed.objects.all(), feed_pk, epoch, **said, **_waiting(error, failures, heard)
    )
    if released and isinstance(error, AuthRefused):
        lifecycle.suspend(feed_pk, reason_of(error))
    return False


def hold_off(feed_pk: int, epoch: int) -> None:
    """The database fails, for all tags: a failure of none of them."""
    holding_off.hold_off(
        Feed.objects.all(),
        feed_pk,
        epoch,
        last_error="The database did not answer as it should. We read again.",
        last_error_code="unavailable",
        last_error_at=timezone.now(),
    )


def _waiting(error: PhotowallError, failures: int, heard: bool) -> dict[str, Any]:
    """The feed's columns that say when it is read again."""
    asked = getattr(error, "retry_after", None)
    seconds = min(UNSAID if asked is None else asked, backoff.LONGEST_ASKED)
    if isinstance(error, BudgetSpent):
        if heard:
            return {"next_attempt_at": Now() + timedelta(seconds=seconds)}
        # Looked at again in time: a poll that is long overdue has a larger share.
        seconds = min(seconds, settings.PHOTOWALL_POLL_SECONDS)
        return {"yields_until": Now() + timedelta(seconds=seconds)}
    if isinstance(error, BreakerOpen):
        return {"next_attempt_at": Now() + timedelta(seconds=seconds)}
    if isinstance(error, RateLimited):
        return {"next_attempt_at": Now()}  # The account waits, with all its tags.
    wait = backoff.after_failure(failures + 1)
    return {
        "failures": failures + 1,
        "next_attempt_at": Now() + timedelta(seconds=wait),
    }


def _note_at_gap(feed_pk: int, epoch: int, gap: Gap, said: dict[str, Any]) -> bool:
    failures = gap.failures + 1
    wait = backoff.after_failure(failures)
    changes: dict[str, Any] = {"failures": failures}
    if failures % STUBBORN == 0:
        # The place where it was to be read on leads nowhere.
        wait = max(wait, _wait_before_anew(gap))
        changes |= FROM_ITS_TOP
        if gap.kind == GapKind.OVERLAP:
            changes["closed_at"] = timezone.now()  # The next poll begins another.
    changes["next_attempt_at"] = Now() + timedelta(seconds=wait)
    try:
        with transaction.atomic():
            claims.write(Feed.objects.all(), feed_pk, epoch, claim_until=None, **said)
            Gap.objects.filter(pk=gap.pk).update(**changes)
    except ClaimLost:
        logger.info("The feed %s is read by another worker now.", feed_pk)
        return False
    return True


def _wait_before_anew(gap: Gap) -> float:
    """Seconds before a gap is read from its top again: a quarter of its age, so that
    one whose next page never can be read is not begun every few seconds for ever."""
    age = (timezone.now() - gap.opened_at).total_seconds()
    return min(age / 4, backoff.LONGEST)
