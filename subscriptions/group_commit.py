"""Group commit: receipts that arrive while a commit is on its way share the next one.

One thread writes, another looks up who is meant; so a web process has two database
connections for all its callbacks. Each request goes on after its own commit.
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
)

from media_archive.batches import Batches, Limits
from subscriptions import keeping, mailboxes
from subscriptions.keeping import Arrival
from subscriptions.mailboxes import Mailbox

Done = TypeVar("Done")

FRESH = 1.0
"""Seconds for which a mailbox is believed: so long at most a subscription that was
ended, or a secret that was changed, still counts as before."""
REMEMBERED = 10_000
"""Mailboxes. Only real ones are remembered, so strangers cannot fill this."""

ATTEMPTS = 3
_PASSING = frozenset({"40001", "40P01"})
"""PostgreSQL's serialisation failure and deadlock: the same again may well succeed."""
_HELD = "55P03"
"""PostgreSQL's "waited long enough for a lock"."""
_AWAY = (OperationalError, InterfaceError)
"""The database itself, and nobody's bytes."""


@dataclass(slots=True)
class _Known:
    mailbox: Mailbox
    asked_at: float
    is_asked_again: bool = False


class GroupCommit:
    """The callbacks' way into the database. ``ring`` is called after a commit with
    the feeds to ring for; it must return at once."""

    def __init__(
        self, ring: Callable[[set[int]], None], waiting: int, waiting_bytes: int
    ) -> None:
        limits = Limits(waiting, waiting_bytes)
        write = functools.partial(commit, ring=ring)
        self._lookups: Batches[UUID, Mailbox | None] = Batches(
            "callback-lookups", look_up, limits
        )
        self.receipts: Batches[Arrival, None] = Batches(
            "callback-receipts", write, limits
        )
        self._known: dict[UUID, _Known] = {}

    async def mailbox(self, callback_id: UUID) -> Mailbox | None:
        """Who is meant, as it was ``FRESH`` seconds ago or later. Raises ``DoorBusy``,
        database errors and ``ImproperlyConfigured``."""
        now = time.monotonic()
        known = self._known.get(callback_id)
        if known is not None and now - known.asked_at < FRESH:
            if now - known.asked_at < FRESH / 2 or known.is_asked_again:
                return known.mailbox
            # One of many asks again in time, so that the others need not wait.
            known.is_asked_again = True
        mailbox = await self._lookups.do(callback_id)
        if mailbox is None:
            self._known.pop(callback_id, None)
        else:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[callback_id] = _Known(mailbox, now)
        return mailbox

    async def keep(self, arrival: Arrival) -> None:
        """Returns when ``arrival`` is committed. Raises ``DoorBusy`` and database
        errors; then it is not."""
        await self.receipts.do(arrival, len(arrival.body))

    def rest(self) -> None:
        """Give both connections back, after what is waiting is done."""
        self._lookups.rest()
        self.receipts.rest()


def look_up(ids: Sequence[UUID]) -> list[Mailbox | Exception | None]:
    """For each id its mailbox, or None. One whose secret cannot be opened does not
    close the others."""
    try:
        found = _again(lambda: mailboxes.find(ids))
    except (DatabaseError, InterfaceError) as error:
        connection.close()
        return [error] * len(ids)
    except ImproperlyConfigured as error:
        if len(ids) == 1:
            return [error]
        return [result for each in ids for result in look_up([each])]
    return [found.get(each) for each in ids]


def commit(
    group: Sequence[Arrival], *, ring: Callable[[set[int]], None]
) -> list[Exception | None]:
    """Commit ``group``; for each arrival None, or why it is not committed.

    If one of them is what the database refuses, the group is halved until the others
    are in. A feed that somebody else holds for long costs only its own arrivals.
    """
    try:
        rung = _again(lambda: keeping.keep(group))
    except _AWAY as error:
        if _sqlstate(error) == _HELD:
            return _without_held(group, error, ring)
        connection.close()
        return [error] * len(group)
    except Exception as error:  # noqa: BLE001  whatever it is, neighbours go on
        if len(group) == 1:
            return [error]
        middle = len(group) // 2
        halves = (group[:middle], group[middle:])
        return [result for half in halves for result in commit(half, ring=ring)]
    if rung:
        ring(rung)
    return [None] * len(group)


def _without_held(
    group: Sequence[Arrival], error: Exception, ring: Callable[[set[int]], None]
) -> list[Exception | None]:
    """``commit`` for those of ``group`` whose feed nobody holds."""
    try:
        held = keeping.held_feeds(group)
    except _AWAY:
        connection.close()
        return [error] * len(group)
    free = [each for each in group if each.subscription_pk not in held]
    if not held or not free:
        return [error] * len(group)
    results = iter(commit(free, ring=ring))
    return [error if x.subscription_pk in held else next(results) for x in group]


def _sqlstate(error: Exception) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)


def _again(work: Callable[[], Done]) -> Done:
    """What ``work`` returns, done once more when the failure was a passing one."""
    attempt = 1
    while True:
        held = connection.connection
        try:
            return work()
        except _AWAY as error:
            code = _sqlstate(error)
            # Leaving its transaction, Django may have connected anew already.
            lost = connection.connection is not held or not connection.is_usable()
            if code in _PASSING:
                pause = random.uniform(0.05, 0.5)  # noqa: S311  only jitter
            elif held is not None and lost:
                pause = 0.0  # it was cut since it was last used; a new one may do
            else:
                raise
            if attempt == ATTEMPTS:
                raise
        if pause == 0.0:
            connection.close()
        time.sleep(pause)
        attempt += 1
