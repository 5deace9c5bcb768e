"""The journal: append-only, gap-free, in commit order. One truth, many cursors.

Numbers come from a one-row counter that is taken **last** in the transaction. Its
row lock is held until the commit, so writers commit in the order of their numbers:
whoever has read up to ``seq`` never finds a smaller one later. An auto-increment
id does not give that, on PostgreSQL it commits out of order.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from media_archive import set_wise
from media_archive.models import (
    JournalCounter,
    JournalEntry,
    JournalKind,
    MediaItem,
    MediaTag,
)
from media_archive.signals import journal_grew, media_item_archived

Done = TypeVar("Done")

ATTEMPTS = 3
_PASSING = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL's serialisation failure, deadlock, and lock that is not waited for: the
same again may well succeed."""


@dataclass(slots=True)
class Noted:
    """An entry that is not written yet: it has no number."""

    item_id: int
    kind: JournalKind
    revision: int
    at: datetime
    actor: str
    detail: dict[str, Any]


@dataclass(slots=True)
class Listing:
    """That an item is to be listed under a tag, with the number of its entry."""

    item_id: int
    tag_id: int
    dated_at: datetime
    given: bool


@dataclass
class Recording:
    """What one transaction will write into the journal, in this order."""

    entries: list[Noted] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    relisted: list[Noted] = field(default_factory=list)

    def add(
        self,
        item: MediaItem,
        kind: JournalKind,
        *,
        actor: str = "",
        detail: dict[str, Any] | None = None,
    ) -> Noted:
        """Note that ``kind`` happened to ``item``, whose ``revision`` is new."""
        return self.note(
            item.pk, item.revision, kind, timezone.now(), actor=actor, detail=detail
        )

    def note(
        self,
        item_id: int,
        revision: int,
        kind: JournalKind,
        at: datetime,
        *,
        actor: str = "",
        detail: dict[str, Any] | None = None,
    ) -> Noted:
        """The same for an item that is known by its key."""
        entry = Noted(item_id, kind, revision, at, actor, detail or {})
        self.entries.append(entry)
        return entry

    def list_under(
        self, item_id: int, tag_id: int, dated_at: datetime, *, given: bool
    ) -> None:
        """List an item under a tag, with the number of the item's entry here."""
        self.listings.append(Listing(item_id, tag_id, dated_at, given))

    def relist(self, entry: Noted) -> None:
        """Put the entry's item at the head of all its listings again."""
        self.relisted.append(entry)


@contextmanager
def recording() -> Iterator[Recording]:
    """One transaction that ends by writing the journal.

    Everything the block changes, and the entries it adds, are committed together
    or not at all. After the commit ``journal_grew`` and ``media_item_archived``
    are sent. Must be the outermost transaction: the counter would otherwise not be
    taken last.
    """
    notes = Recording()
    with transaction.atomic(durable=True):
        yield notes
        if notes.entries:
            _write(notes)


def recorded(work: Callable[[Recording], Done]) -> Done:
    """What ``work`` returns, done in a ``recording()`` of its own.

    If the database gives it up for another transaction (deadlock, serialisation
    failure, a lock not to be waited for), all of it is done again after 50 to 500 ms,
    three times at most. So ``work`` must begin from nothing each time it is called.
    """
    attempt = 1
    while True:
        try:
            with recording() as notes:
                return work(notes)
        except OperationalError as error:
            if attempt == ATTEMPTS or not _is_passing(error):
                raise
        time.sleep(random.uniform(0.05, 0.5))  # noqa: S311  only jitter
        attempt += 1


def read(since: int, limit: int) -> list[JournalEntry]:
    """Up to ``limit`` entries after ``since``, oldest first."""
    return list(JournalEntry.objects.filter(seq__gt=since).order_by("seq")[:limit])


def head() -> int:
    """The newest committed number; 0 for an empty journal."""
    return JournalCounter.objects.values_list("last", flat=True).first() or 0


def _is_passing(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in _PASSING


def _write(notes: Recording) -> None:
    last = _take_numbers(len(notes.entries))
    first = last - len(notes.entries) + 1
    numbers = {e.item_id: seq for seq, e in enumerate(notes.entries, start=first)}
    set_wise.insert(
        JournalEntry,
        ("seq", "kind", "item_id", "revision", "at", "actor", "detail"),
        [
            (seq, str(e.kind), e.item_id, e.revision, e.at, e.actor, e.detail)
            for seq, e in enumerate(notes.entries, start=first)
        ],
    )
    set_wise.insert(
        MediaTag,
        ("item_id", "tag_id", "dated_at", "seq", "given"),
        [
            (e.item_id, e.tag_id, e.dated_at, numbers[e.item_id], e.given)
            for e in notes.listings
        ],
        set_wise.Ignore(),
    )
    # One statement: everybody who writes the journal waits meanwhile.
    relisted = {entry.item_id: numbers[entry.item_id] for entry in notes.relisted}
    set_wise.update(MediaTag, ("item_id", "seq"), list(relisted.items()))
    archived = [e.item_id for e in notes.entries if e.kind == JournalKind.ARCHIVED]
    transaction.on_commit(partial(_tell, last, archived))


def _take_numbers(count: int) -> int:
    """Move the counter by ``count`` and lock it until the commit; its new value."""
    table = JournalCounter._meta.db_table  # noqa: SLF001  public in Django
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO {table} (id, "last") VALUES (1, %s) '
            f'ON CONFLICT (id) DO UPDATE SET "last" = {table}."last" '
            '+ excluded."last" RETURNING "last"',
            [count],
        )
        return int(cursor.fetchone()[0])


def _tell(last: int, archived: list[int]) -> None:
    # send_robust: the rows are committed, a listener's failure is only a late hint.
    journal_grew.send_robust(JournalEntry, seq=last)
    if archived:
        media_item_archived.send_robust(MediaItem, ids=archived)
