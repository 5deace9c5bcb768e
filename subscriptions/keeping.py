"""Keeping: notifications that have arrived become rows, many in one transaction.

Each statement is for the whole group: one update for each feed, one upsert for all
receipts. Feeds are locked first, by ascending key, and a receipt is written only by
who holds its feed: so two web processes wait for each other and never in a circle.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, Q, When
from django.utils import timezone

from subscriptions.models import Feed, Receipt, ReceiptState

BELL = timedelta(seconds=2)
"""So long a feed that is due already is not rung for again: a bell is on its way."""

_MARKING = frozenset({ReceiptState.APPLIED, ReceiptState.FAILED})
"""Also what we cannot read may have meant "something changed"."""

_COLUMNS = (
    "subscription",
    "body",
    "body_sha256",
    "headers",
    "state",
    "reason",
    "received_at",
    "last_seen_at",
    "seen",
)
_RECEIPT = Receipt._meta  # noqa: SLF001  Django's documented way to its columns
_FIELDS = {field.name: field for field in _RECEIPT.concrete_fields}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A callback request that passed all checks, with what was read in it."""

    subscription_pk: int
    body: bytes
    body_sha256: str
    headers: Mapping[str, str]
    state: ReceiptState
    reason: str
    at: datetime

    @property
    def marks_due(self) -> bool:
        """Whether the tag has to be read because of it."""
        return self.state in _MARKING


def arrival(
    subscription_pk: int,
    body: bytes,
    headers: Mapping[str, str],
    state: ReceiptState,
    reason: str = "",
) -> Arrival:
    """What arrived just now."""
    digest = hashlib.sha256(body).hexdigest()
    now = timezone.now()
    return Arrival(subscription_pk, body, digest, headers, state, reason, now)


def keep(arrivals: Sequence[Arrival]) -> set[int]:
    """Commit all of ``arrivals`` or, with a database error raised, none of them;
    the feeds that somebody has to be rung for.

    A repeat is the same receipt, counted, and yet marks the feed: a second post in
    the same second is announced by identical bytes.
    """
    with transaction.atomic():
        now = timezone.now()
        _mark_feeds(arrivals, now)
        _write_receipts(arrivals)
        marked = {each.subscription_pk for each in arrivals if each.marks_due}
        rung = Feed.objects.filter(pk__in=marked, bell_at=now)
        return set(rung.values_list("pk", flat=True)) if marked else set()


def _mark_feeds(arrivals: Sequence[Arrival], now: datetime) -> None:
    """A storm of notifications is one task, not one each: a bell is taken when the
    feed became due by this very mark. If it was due before, a bell is on its way,
    or whoever reads it now will look again. Bells get lost, so that is believed for
    ``BELL`` only.
    """
    heard = {each.subscription_pk for each in arrivals}
    marks = Counter(each.subscription_pk for each in arrivals if each.marks_due)
    for pk in sorted(heard):
        changes: dict[str, Any] = {"last_heard_at": now}
        if marks[pk]:
            raised = F("dirty_seq") + marks[pk]
            nobody_comes = (
                Q(dirty_seq__lte=F("done_seq"))
                | Q(bell_at__isnull=True)
                | Q(bell_at__lt=now - BELL)
            )
            changes |= {
                "dirty_seq": raised,
                "heard_seq": raised,
                "bell_at": Case(When(nobody_comes, then=now), default=F("bell_at")),
            }
        Feed.objects.filter(pk=pk).update(**changes)


def _write_receipts(arrivals: Iterable[Arrival]) -> None:
    """In the order of arrival. Written out, since Django's ``bulk_create`` cannot
    count up on a conflict."""
    rows: dict[tuple[int, str], list[Any]] = {}
    for each in arrivals:
        row = rows.setdefault((each.subscription_pk, each.body_sha256), _row(each))
        row[4:6] = [each.state.value, each.reason]
        row[7:9] = [each.at, row[8] + 1]
    fields = [_FIELDS[name] for name in _COLUMNS]
    table = connection.ops.quote_name(_RECEIPT.db_table)
    columns = ", ".join(connection.ops.quote_name(str(each.column)) for each in fields)
    one = f"({', '.join(['%s'] * len(fields))})"
    statement = (
        f"INSERT INTO {table} ({columns}) VALUES {', '.join([one] * len(rows))} "
        "ON CONFLICT (subscription_id, body_sha256) DO UPDATE SET "
        f"seen = {table}.seen + excluded.seen, last_seen_at = excluded.last_seen_at, "
        "state = excluded.state, reason = excluded.reason"
    )
    values = [
        field.get_db_prep_save(value, connection)
        for row in rows.values()
        for field, value in zip(fields, row, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _row(each: Arrival) -> list[Any]:
    """Values of ``_COLUMNS``, seen by nobody yet."""
    return [
        each.subscription_pk,
        each.body,
        each.body_sha256,
        dict(each.headers),
        each.state.value,
        each.reason,
        each.at,
        each.at,
        0,
    ]
