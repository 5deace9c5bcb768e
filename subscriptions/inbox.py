"""The inbox: a callback request becomes a receipt, and the tag's feed due.

Keep first, think later: verify the raw bytes, write two rows in one transaction,
answer. What is fetched afterwards comes from our own rows, never from the body.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.db import transaction
from django.db.models import F, Max, Min, Q
from django.utils import timezone

from media_archive.errors import InvalidTag
from media_archive.tags import normalise_tag
from subscriptions import lifecycle
from subscriptions.errors import SignatureRefused, Unreadable
from subscriptions.models import Feed, Receipt, ReceiptState, State, Subscription
from subscriptions.providers import get_provider
from subscriptions.providers.base import Notification
from subscriptions.reasons import redacted

LARGEST = 1024 * 1024
"""Bytes of a body."""

KEPT_FOR = timedelta(days=7)
KEPT_AT_MOST = 1_000_000
TRIMMED_AT_ONCE = 10_000

BELL = timedelta(seconds=2)
"""So long a feed that is due already is not rung for again: a bell is on its way."""

_HEADERS = ("content-type", "user-agent", "content-length", "date")
_DEAF = frozenset({State.DRAFT, State.ENDED})
"""States in which a callback's address is as unknown as any other."""


class Verdict(Enum):
    """What became of a callback request; only ``KEPT`` has rows."""

    KEPT = "kept"
    UNKNOWN = "unknown"
    TOO_LARGE = "too large"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``feed_pk`` is the feed to ring for, if somebody has to be rung for."""

    verdict: Verdict
    feed_pk: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a body says to one subscription; ``reason`` is for people."""

    state: ReceiptState
    reason: str = ""

    @property
    def marks_due(self) -> bool:
        """Also what we cannot read may have meant "something changed"."""
        return self.state in {ReceiptState.APPLIED, ReceiptState.FAILED}


def accept(callback_id: str, headers: Mapping[str, str], body: bytes) -> Outcome:
    """Take in one callback request. ``headers`` has lower-case names.

    When it returns ``KEPT`` the receipt is committed. Database errors are raised:
    then nothing is kept and the provider has to be told so.
    """
    subscription = lifecycle.by_callback(callback_id)
    if subscription is None or subscription.state in _DEAF:
        return Outcome(Verdict.UNKNOWN)
    if len(body) > LARGEST:
        return Outcome(Verdict.TOO_LARGE)
    provider = get_provider(subscription.provider)
    try:
        provider.verify_signature(headers, body, [subscription.account.client_secret])
    except SignatureRefused:
        return Outcome(Verdict.REFUSED)
    reading = read(subscription, body)
    ring = _keep(subscription, _kept_headers(headers), body, reading)
    return Outcome(Verdict.KEPT, subscription.pk if ring else None)


def read(subscription: Subscription, body: bytes) -> Reading:
    """What ``body`` says to ``subscription``. Never raises for any bytes."""
    if subscription.state == State.ENDING:
        return Reading(ReceiptState.IGNORED, "The subscription is ending.")
    try:
        statements = get_provider(subscription.provider).parse_notifications(body)
    except Unreadable as error:
        return Reading(ReceiptState.FAILED, redacted(error.message))
    if not statements:
        return Reading(ReceiptState.IGNORED, "It says nothing.")
    if any(_is_about(subscription, statement) for statement in statements):
        return Reading(ReceiptState.APPLIED)
    first = statements[0]
    about = redacted(f"It is about {first.object} {first.object_id or '?'}.")
    return Reading(ReceiptState.IGNORED, about)


def process(receipt_pk: int) -> int | None:
    """Read a kept receipt again ("replay") and apply it; the feed due, if one is."""
    receipt = Receipt.objects.select_related("subscription").get(pk=receipt_pk)
    reading = read(receipt.subscription, bytes(receipt.body))
    with transaction.atomic():
        if reading.marks_due:
            Feed.objects.filter(pk=receipt.subscription_id).update(
                dirty_seq=F("dirty_seq") + 1
            )
        Receipt.objects.filter(pk=receipt_pk).update(
            state=reading.state, reason=reading.reason
        )
    return receipt.subscription_id if reading.marks_due else None


def trim() -> int:
    """Throw away receipts that are older than a week or too many; how many."""
    old = Receipt.objects.filter(received_at__lt=timezone.now() - KEPT_FOR)
    trimmed = _throw_away(list(old.values_list("pk", flat=True)[:TRIMMED_AT_ONCE]))
    keys = Receipt.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if keys["first"] is None or keys["last"] - keys["first"] < KEPT_AT_MOST:
        return trimmed
    # Keys have holes, so this counts; it is only asked when there may be too many.
    newest_first = Receipt.objects.order_by("-pk").values_list("pk", flat=True)
    too_many = newest_first[KEPT_AT_MOST : KEPT_AT_MOST + TRIMMED_AT_ONCE]
    return trimmed + _throw_away(list(too_many))


def _throw_away(receipts: list[int]) -> int:
    return Receipt.objects.filter(pk__in=receipts).delete()[0] if receipts else 0


def _keep(
    subscription: Subscription,
    headers: dict[str, str],
    body: bytes,
    reading: Reading,
) -> bool:
    """The whole database part of ``accept``: receipt and feed in one transaction;
    whether to ring for the feed.

    A repeat is the same receipt, counted, and yet marks the feed: a second post in
    the same second is announced by identical bytes.
    """
    now = timezone.now()
    digest = hashlib.sha256(body).hexdigest()
    with transaction.atomic():
        # First the feed: its row lock lets one request after the other look for
        # the receipt, so that two equal ones cannot both miss it.
        Feed.objects.filter(pk=subscription.pk).update(
            last_heard_at=now, dirty_seq=F("dirty_seq") + int(reading.marks_due)
        )
        seen_before = Receipt.objects.filter(
            subscription=subscription, body_sha256=digest
        ).update(
            seen=F("seen") + 1,
            last_seen_at=now,
            state=reading.state,
            reason=reading.reason,
        )
        if not seen_before:
            Receipt.objects.create(
                subscription=subscription,
                body=body,
                body_sha256=digest,
                headers=headers,
                state=reading.state,
                reason=reading.reason,
                received_at=now,
                last_seen_at=now,
            )
        return reading.marks_due and _takes_bell(subscription.pk, now)


def _takes_bell(feed_pk: int, now: datetime) -> bool:
    """Whether a feed that was just marked has to be rung for: a storm of
    notifications is one task, not one each.

    Called under the lock of the feed's row: either the feed became due by this very
    mark, or it was due before, and then a bell is on its way or whoever reads it
    now will look again. Bells get lost, so that is believed for ``BELL`` only.
    """
    return bool(
        Feed.objects.filter(pk=feed_pk)
        .filter(
            Q(dirty_seq__lte=F("done_seq") + 1)
            | Q(bell_at__isnull=True)
            | Q(bell_at__lt=now - BELL)
        )
        .update(bell_at=now)
    )


def _is_about(subscription: Subscription, statement: Notification) -> bool:
    if statement.object != subscription.kind:
        return False
    if statement.object_id is None:
        return (
            statement.subscription_id is not None
            and statement.subscription_id == subscription.upstream_id
        )
    try:
        return normalise_tag(statement.object_id) == subscription.tag
    except InvalidTag:
        return False


def _kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those that help a person, and no signature."""
    return {name: redacted(headers[name]) for name in _HEADERS if name in headers}
