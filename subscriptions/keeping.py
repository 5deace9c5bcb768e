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
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from subscriptions.models import Feed, Receipt, ReceiptState

BELL = timedelta(seconds=2)
"""So long a feed that is due already is not rung for again: a bell is on its way."""

PATIENCE = 0.5
"""Seconds that a group waits for a feed which somebody else is writing."""

_MARKING = frozenset({ReceiptState.APPLIED, ReceiptState.FAILED})
"""Also what we cannot read may have meant "something changed"."""

# Written out: to compile them anew for each group took Django longer than to run them,
# and its ``bulk_create`` cannot count up on a conflict. All names are our own.
_FEED = Feed._meta.db_table  # noqa: SLF001  Django's documented way to the name
_RECEIPT = Receipt._meta.db_table  # noqa: SLF001
_WAIT = f"SET LOCAL lock_timeout = {int(PATIENCE * 1000)}"
_FREE = (
    f'SELECT subscription_id FROM "{_FEED}" WHERE subscription_id IN (%s) '
    "FOR NO KEY UPDATE SKIP LOCKED"
)
_THERE = f'SELECT subscription_id FROM "{_FEED}" WHERE subscription_id IN (%s)'
_HEAR = f'UPDATE "{_FEED}" SET last_heard_at = %s WHERE subscription_id = %s'
_MARK = (
    f'UPDATE "{_FEED}" SET last_heard_at = %s, dirty_seq = dirty_seq + %s, '
    "heard_seq = dirty_seq + %s, bell_at = CASE WHEN dirty_seq <= done_seq "
    "OR bell_at IS NULL OR bell_at < %s OR bell_at > %s THEN %s ELSE bell_at END "
    "WHERE subscription_id = %s"
)
_RUNG = f'SELECT subscription_id FROM "{_FEED}" WHERE bell_at = %s AND subscription_id'
_INSERT = (
    f'INSERT INTO "{_RECEIPT}" (subscription_id, body, body_sha256, headers, state, '
    "reason, received_at, last_seen_at, seen) VALUES "
)
_ROW = "(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
_COUNT_UP = (
    " ON CONFLICT (subscription_id, body_sha256) DO UPDATE SET "
    f'seen = "{_RECEIPT}".seen + excluded.seen, last_seen_at = excluded.last_seen_at, '
    "state = excluded.state, reason = excluded.reason"
)


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
    the same second is announced by identical bytes. A feed that somebody else holds
    is waited for ``PATIENCE`` long, then PostgreSQL refuses with ``55P03``; SQLite
    waits for its one lock as long as the settings say.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_WAIT)
        rung = _mark_feeds(cursor, arrivals)
        _write_receipts(cursor, arrivals)
    return rung


def held_feeds(arrivals: Sequence[Arrival]) -> set[int]:
    """The feeds of ``arrivals`` that somebody else is writing now (PostgreSQL)."""
    feeds = {each.subscription_pk for each in arrivals}
    places = ", ".join(["%s"] * len(feeds))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FREE % places, [*feeds])
        free = {row[0] for row in cursor.fetchall()}
        # What is gone is held by nobody: the commit says what is wrong with it.
        cursor.execute(_THERE % places, [*feeds])
        return {row[0] for row in cursor.fetchall()} - free


def _mark_feeds(cursor: CursorWrapper, arrivals: Sequence[Arrival]) -> set[int]:
    """The feeds to ring for. A storm of notifications is one task, not one each: a bell
    is taken when the feed became due by this very mark. If it was due before, a bell is
    on its way, or whoever reads it now will look again. Bells get lost, so that is
    believed for ``BELL`` only.
    """
    at = timezone.now()
    now = connection.ops.adapt_datetimefield_value(at)
    long_ago = connection.ops.adapt_datetimefield_value(at - BELL)
    # The end of a tag's rest, at most; beyond it somebody's clock is wrong.
    ahead = connection.ops.adapt_datetimefield_value(at + 2 * BELL)
    marks = Counter(each.subscription_pk for each in arrivals if each.marks_due)
    for pk in sorted({each.subscription_pk for each in arrivals}):
        if count := marks[pk]:
            cursor.execute(_MARK, [now, count, count, long_ago, ahead, now, pk])
        else:
            cursor.execute(_HEAR, [now, pk])
    if not marks:
        return set()
    places = ", ".join(["%s"] * len(marks))
    cursor.execute(f"{_RUNG} IN ({places})", [now, *marks])
    return {row[0] for row in cursor.fetchall()}


def _write_receipts(cursor: CursorWrapper, arrivals: Iterable[Arrival]) -> None:
    """In the order of arrival; each body once, since one statement may not meet the
    same row twice."""
    ops = connection.ops
    rows: dict[tuple[int, str], list[Any]] = {}
    for each in arrivals:
        key = (each.subscription_pk, each.body_sha256)
        at = ops.adapt_datetimefield_value(each.at)
        state, reason = each.state.value, each.reason
        row = rows.get(key)
        if row is None:
            headers = ops.adapt_json_value(dict(each.headers), None)
            rows[key] = [key[0], each.body, key[1], headers, state, reason, at, at, 1]
        else:
            row[4:] = [state, reason, row[6], at, row[8] + 1]
    places = ", ".join([_ROW] * len(rows))
    values = [value for row in rows.values() for value in row]
    cursor.execute(_INSERT + places + _COUNT_UP, values)
