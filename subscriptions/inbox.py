"""The inbox: what is refused at a callback, and what the rest says.

Keep first, think later: verify the raw bytes, commit the receipt, answer. What is
fetched afterwards comes from our own rows, never from the body.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from django.db import transaction
from django.db.models import F

from media_archive.errors import InvalidTag
from media_archive.tags import normalise_tag
from subscriptions import keeping, mailboxes
from subscriptions.errors import SignatureRefused, Unreadable
from subscriptions.keeping import Arrival
from subscriptions.mailboxes import Mailbox
from subscriptions.models import Feed, Receipt, ReceiptState
from subscriptions.providers import get_provider
from subscriptions.providers.base import Notification
from subscriptions.reasons import redacted

LARGEST = 1024 * 1024
"""Bytes of a body."""

_HEADERS = ("content-type", "user-agent", "content-length", "date")


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


def accept(callback_id: str, headers: Mapping[str, str], body: bytes) -> Outcome:
    """Take in one callback request by itself. ``headers`` has lower-case names.

    When it returns ``KEPT`` the receipt is committed. Database errors are raised:
    then nothing is kept and the provider has to be told so. The web's door does the
    same for many at once (``group_commit``).
    """
    uuid = mailboxes.uuid_in(callback_id)
    mailbox = mailboxes.find([uuid]).get(uuid) if uuid else None
    judged = judge(mailbox, headers, body)
    if isinstance(judged, Verdict):
        return Outcome(judged)
    rung = keeping.keep([judged])
    return Outcome(Verdict.KEPT, judged.subscription_pk if rung else None)


def judge(
    mailbox: Mailbox | None, headers: Mapping[str, str], body: bytes
) -> Arrival | Verdict:
    """What is to be kept, or why nothing is. No bytes whatsoever make it raise, and
    nothing of the body is looked at before its signature is found right."""
    if mailbox is None:
        return Verdict.UNKNOWN
    if len(body) > LARGEST:
        return Verdict.TOO_LARGE
    try:
        get_provider(mailbox.provider).verify_signature(headers, body, [mailbox.secret])
    except SignatureRefused:
        return Verdict.REFUSED
    reading = read(mailbox, body)
    return keeping.arrival(
        mailbox.subscription_pk,
        body,
        _kept_headers(headers),
        reading.state,
        reading.reason,
    )


def read(mailbox: Mailbox, body: bytes) -> Reading:
    """What ``body`` says to a subscription. Never raises for any bytes."""
    if mailbox.is_ending:
        return Reading(ReceiptState.IGNORED, "The subscription is ending.")
    try:
        statements = get_provider(mailbox.provider).parse_notifications(body)
    except Unreadable as error:
        return Reading(ReceiptState.FAILED, redacted(error.message))
    if not statements:
        return Reading(ReceiptState.IGNORED, "It says nothing.")
    if any(_is_about(mailbox, statement) for statement in statements):
        return Reading(ReceiptState.APPLIED)
    first = statements[0]
    about = redacted(f"It is about {first.object} {first.object_id or '?'}.")
    return Reading(ReceiptState.IGNORED, about)


def process(receipt_pk: int) -> int | None:
    """Read a kept receipt again ("replay") and apply it; the feed due, if one is."""
    receipt = Receipt.objects.select_related("subscription__account").get(pk=receipt_pk)
    reading = read(mailboxes.of(receipt.subscription), bytes(receipt.body))
    marks_due = reading.state != ReceiptState.IGNORED
    with transaction.atomic():
        if marks_due:
            raised = F("dirty_seq") + 1
            Feed.objects.filter(pk=receipt.subscription_id).update(
                dirty_seq=raised, heard_seq=raised
            )
        Receipt.objects.filter(pk=receipt_pk).update(
            state=reading.state, reason=reading.reason
        )
    return receipt.subscription_id if marks_due else None


def _is_about(mailbox: Mailbox, statement: Notification) -> bool:
    if statement.object != mailbox.kind:
        return False
    if statement.object_id is None:
        return (
            statement.subscription_id is not None
            and statement.subscription_id == mailbox.upstream_id
        )
    try:
        return normalise_tag(statement.object_id) == mailbox.tag
    except InvalidTag:
        return False


def _kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those that help a person, and no signature."""
    return {name: _redacted(headers[name]) for name in _HEADERS if name in headers}


_redacted = functools.lru_cache(256)(redacted)
"""Most senders say the same with every request."""
