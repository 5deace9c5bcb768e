"""What we follow, how we hear of it, and how well."""

from __future__ import annotations

from subscriptions.models.accounts import CallCount, ProviderAccount, Purpose
from subscriptions.models.backfills import Backfill, BackfillState
from subscriptions.models.coverage import CoverageSpan, Hindrance, Quality
from subscriptions.models.feeds import Feed, Gap, GapKind, passed
from subscriptions.models.following import (
    State,
    Subscription,
    SubscriptionEvent,
    new_verify_token,
)
from subscriptions.models.receipts import CaughtBy, Match, Receipt, ReceiptState

__all__ = [
    "Backfill",
    "BackfillState",
    "CallCount",
    "CaughtBy",
    "CoverageSpan",
    "Feed",
    "Gap",
    "GapKind",
    "Hindrance",
    "Match",
    "ProviderAccount",
    "Purpose",
    "Quality",
    "Receipt",
    "ReceiptState",
    "State",
    "Subscription",
    "SubscriptionEvent",
    "new_verify_token",
    "passed",
]
