"""The state table of a subscription, as data, and the only way through it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from subscriptions import ledger
from subscriptions.errors import TransitionRefused
from subscriptions.models import (
    Backfill,
    BackfillState,
    Feed,
    State,
    Subscription,
    SubscriptionEvent,
)

TABLE: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.REQUESTED}),
    State.REQUESTED: frozenset({State.VERIFYING, State.FAILED}),
    State.VERIFYING: frozenset({State.ACTIVE, State.FAILED}),
    State.ACTIVE: frozenset(
        {State.SUSPENDED, State.PAUSED, State.REQUESTED, State.ENDING}
    ),
    State.SUSPENDED: frozenset({State.ACTIVE, State.ENDING}),
    State.PAUSED: frozenset({State.ACTIVE, State.ENDING}),
    State.FAILED: frozenset({State.REQUESTED, State.ENDING}),
    State.ENDING: frozenset({State.ENDED}),
    State.ENDED: frozenset(),
}
"""State → the states that may follow it; ``docs/reference/subscription-states.md``."""

HINDERED_BY = {
    State.PAUSED: "paused",
    State.SUSPENDED: "credential_refused",
    State.REQUESTED: "not_connected",
}
"""What follows ``active`` → what the ledger of coverage then says of the minutes."""

LONGEST_REASON = 300


def move(
    subscription_pk: int,
    after: State,
    *,
    actor: str = "",
    reason: str = "",
    sources: Collection[State] = tuple(State),
    only_if: dict[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Change the state, with its event, in one transaction.

    ``sources`` narrows where it may start, ``only_if`` are columns that must hold (a
    fence), ``changes`` go along. Leaving ``active`` takes feed and backfill away from
    whoever reads them; becoming ``active`` has the feed read. Raises
    ``TransitionRefused`` if the table has no such step, or somebody else was first.
    """
    with transaction.atomic():
        before = State(Subscription.objects.get(pk=subscription_pk).state)
        if after not in TABLE[before] or before not in sources:
            raise TransitionRefused(
                f"A subscription that is {before.label.lower()} "
                f"cannot become {after.label.lower()}."
            )
        moved = (
            Subscription.objects.filter(pk=subscription_pk, state=before)
            .filter(**(only_if or {}))
            .update(
                state=after,
                state_reason=reason[:LONGEST_REASON],
                state_since=timezone.now(),
                **changes,
            )
        )
        if not moved:
            raise TransitionRefused(
                f"The subscription is not {before.label.lower()} any more: "
                "somebody else changed it at the same moment."
            )
        SubscriptionEvent.objects.create(
            subscription_id=subscription_pk,
            before=before,
            after=after,
            actor=actor,
            reason=reason[:LONGEST_REASON],
        )
        _tell_feed_and_ledger(subscription_pk, before, after, reason)


def try_move(subscription_pk: int, after: State, **more: Any) -> bool:
    """``move`` where somebody else may rightly have been first."""
    try:
        move(subscription_pk, after, **more)
    except TransitionRefused:
        return False
    return True


def mark_due(subscription_pk: int) -> None:
    """Have the tag read as soon as may be, whatever was wrong before."""
    Feed.objects.filter(pk=subscription_pk).update(
        dirty_seq=F("dirty_seq") + 1, next_attempt_at=None, failures=0
    )


def _tell_feed_and_ledger(
    subscription_pk: int, before: State, after: State, reason: str
) -> None:
    if before == State.ACTIVE:
        Feed.objects.filter(pk=subscription_pk).update(
            claim_until=None, claim_epoch=F("claim_epoch") + 1
        )
    if before == State.ACTIVE or after == State.ENDING:
        _let_go_of_backfill(subscription_pk, ended=after == State.ENDING)
    if before == State.ACTIVE and after in HINDERED_BY:
        ledger.hindered(
            HINDERED_BY[after], subscription_pk=subscription_pk, detail=reason
        )
    if after in {State.ACTIVE, State.ENDING}:
        for hindrance in HINDERED_BY.values():
            ledger.freed(hindrance, subscription_pk=subscription_pk)
    if after == State.ACTIVE:
        mark_due(subscription_pk)


def _let_go_of_backfill(subscription_pk: int, *, ended: bool) -> None:
    """Who reads the past stops: it rests until the subscription is active again, or
    is cancelled with it (``ended``)."""
    rows = Backfill.objects.unfinished().filter(subscription_id=subscription_pk)
    changes: dict[str, Any] = {}
    if ended:
        changes = {
            "state": BackfillState.CANCELLED,
            "state_reason": "The subscription was ended.",
            "ended_at": timezone.now(),
        }
    rows.update(claim_until=None, claim_epoch=F("claim_epoch") + 1, **changes)
