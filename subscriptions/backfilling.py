"""Backfills: begin one, let it rest, end it. The reading itself: ``backfill_run``."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from subscriptions.errors import BackfillRefused
from subscriptions.models import Backfill, BackfillState, State, Subscription

MOST_ITEMS = 10_000_000
"""Nobody means more posts than that."""

TABLE: dict[BackfillState, frozenset[BackfillState]] = {
    BackfillState.RUNNING: frozenset(
        {
            BackfillState.PAUSED,
            BackfillState.DONE,
            BackfillState.CANCELLED,
            BackfillState.FAILED,
        }
    ),
    BackfillState.PAUSED: frozenset({BackfillState.RUNNING, BackfillState.CANCELLED}),
    BackfillState.FAILED: frozenset({BackfillState.RUNNING, BackfillState.CANCELLED}),
    BackfillState.DONE: frozenset(),
    BackfillState.CANCELLED: frozenset(),
}
"""State → the states that may follow it; ``docs/reference/backfill.md``."""

OVER = frozenset({BackfillState.DONE, BackfillState.CANCELLED, BackfillState.FAILED})


def start(
    subscription: Subscription,
    *,
    until_date: datetime | None = None,
    until_items: int | None = None,
    actor: str = "",
) -> Backfill:
    """Have the tag's past read: back to ``until_date``, for ``until_items`` posts,
    whichever comes first, or (neither given) to the end of what the provider lists.

    The committed row; the workers find it. Raises ``BackfillRefused`` with a sentence
    for people: not active, one is under way, a target that makes no sense.
    """
    if subscription.state != State.ACTIVE:
        raise BackfillRefused(
            f"#{subscription.tag} is {subscription.get_state_display().lower()}: "
            "only the past of an active subscription can be read."
        )
    check_target(until_date, until_items)
    try:
        with transaction.atomic():
            return Backfill.objects.create(
                subscription=subscription,
                until_date=until_date,
                until_items=until_items,
                created_by=actor,
            )
    except IntegrityError as error:
        under_way = unfinished(subscription.pk)
        if under_way is None:
            raise
        raise BackfillRefused(
            f"The past of #{subscription.tag} is being read already: backfill "
            f"{under_way.pk} is {under_way.get_state_display().lower()}."
        ) from error


def check_target(until_date: datetime | None, until_items: int | None) -> None:
    """Raises ``BackfillRefused`` for a target that makes no sense."""
    if until_date is not None and until_date >= timezone.now():
        raise BackfillRefused("Choose a date in the past to read back to.")
    if until_items is not None and not 1 <= until_items <= MOST_ITEMS:
        raise BackfillRefused(f"Choose between 1 and {MOST_ITEMS:,} posts.")


def unfinished(subscription_pk: int) -> Backfill | None:
    """The one that is under way or rests, if there is one."""
    rows = Backfill.objects.unfinished()
    return rows.filter(subscription_id=subscription_pk).first()


def pause(backfill_pk: int, actor: str) -> None:
    """Read no further until resumed. Raises ``BackfillRefused``."""
    move(backfill_pk, BackfillState.PAUSED, reason=f"Paused by {_who(actor)}.")


def resume(backfill_pk: int, actor: str) -> None:
    """Go on where it stopped, also after it failed. Raises ``BackfillRefused``."""
    move(
        backfill_pk,
        BackfillState.RUNNING,
        reason=f"Resumed by {_who(actor)}.",
        failures=0,
        # Where it led back to may lie ahead of us, once the listing is straight.
        checkpoint="",
        next_attempt_at=None,
        last_error="",
        ended_at=None,
    )


def cancel(backfill_pk: int, actor: str) -> None:
    """Leave it at what is read; the archive keeps that. Raises ``BackfillRefused``."""
    move(backfill_pk, BackfillState.CANCELLED, reason=f"Cancelled by {_who(actor)}.")


def move(
    backfill_pk: int,
    after: BackfillState,
    *,
    reason: str,
    sources: Collection[BackfillState] = tuple(BackfillState),
    **changes: Any,
) -> None:
    """Change the state in one statement, and take the row from whoever reads it.

    Raises ``BackfillRefused`` if the table has no such step, or somebody else was
    first.
    """
    before = [s for s in sources if after in TABLE[s]]
    if after in OVER:
        changes.setdefault("ended_at", timezone.now())
    try:
        with transaction.atomic():
            moved = Backfill.objects.filter(pk=backfill_pk, state__in=before).update(
                state=after,
                state_reason=reason[:300],
                claim_until=None,
                claim_epoch=F("claim_epoch") + 1,
                **changes,
            )
    except IntegrityError as error:
        raise BackfillRefused(
            "Another backfill of this tag is under way. Let it end first."
        ) from error
    if not moved:
        now = Backfill.objects.filter(pk=backfill_pk).first()
        if now is None:
            raise BackfillRefused("There is no such backfill.")
        is_now = now.get_state_display().lower()
        if now.state == after:
            raise BackfillRefused(f"It is {is_now} already.")
        raise BackfillRefused(
            f"A backfill that is {is_now} cannot become {after.label.lower()}."
        )


def _who(actor: str) -> str:
    return actor or "a person"
