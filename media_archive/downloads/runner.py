"""Working off what is due, a few downloads at once and never more.

Newest first, because that is what a room is waiting for; every fourth is the oldest,
so that nothing waits for ever behind a stream of new posts.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from media_archive import claims
from media_archive.claims import unclaimed
from media_archive.downloads import portraits, waiting
from media_archive.downloads.holding import held
from media_archive.downloads.keeping import failed_here, keep
from media_archive.downloads.schedule import HOLD
from media_archive.downloads.transitions import DownloadStepRefused
from media_archive.errors import ClaimLost, DiskFull
from media_archive.models import Download, Role
from media_archive.models.pictures import DownloadQuerySet

logger = logging.getLogger(__name__)

RUN_SECONDS = 50.0
OLDEST_EVERY = 4
SHORTLIST = 16
"""Rows that a runner looks at at once: others may take the first ones from it."""

HELP_EVERY = 1.0
"""Seconds between two calls for help of one runner."""

DATABASE_WAITS = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each attempt to give a row back when the database refused a step."""

_lock = threading.Lock()
_running = 0


def work_off(call_help: Callable[[], object] = bool) -> bool:
    """Bring what is due until nothing is, or ``RUN_SECONDS`` are over; whether more is
    due then. ``call_help`` is called when another runner would have work.

    At most ``PHOTOWALL_DOWNLOADS_AT_ONCE`` run in a process; one more returns at once.
    """
    with _slot() as mine:
        return _run(call_help) if mine else False


def _run(call_help: Callable[[], object]) -> bool:
    until = time.monotonic() + RUN_SECONDS
    called = 0.0
    turn = 0
    while time.monotonic() < until:
        turn += 1
        row, more = _claim_next(oldest=turn % OLDEST_EVERY == 0)
        if row is None:
            return more
        if more and _is_room() and time.monotonic() - called >= HELP_EVERY:
            called = time.monotonic()
            call_help()
        portrait = portraits.claimed_for(row)
        try:
            if portrait is not None:
                _keep(portrait)
            _keep(row)
        except DiskFull as error:
            logger.warning("Downloads wait: %s", error.message)
            return False
    return bool(_unclaimed().first_due(1))


def _unclaimed() -> DownloadQuerySet:
    return Download.objects.open().filter(unclaimed())


def _keep(row: Download) -> None:
    try:
        with held(row):
            keep(row)
    except (OperationalError, InterfaceError) as error:
        # A lock, a deadlock, a restart: the picture is not to blame.
        _put_back(row, error)
    except (DiskFull, DatabaseError):
        # Not the download's fault; the next one would fare no better.
        raise
    except Exception as error:  # a bug costs one picture, not its neighbours
        logger.exception("Download %s failed.", row.pk)
        _note_failure(row, error)


def _note_failure(row: Download, error: Exception) -> None:
    try:
        failed_here(row, error)
    except (ClaimLost, DownloadStepRefused) as refusal:
        # Somebody else has it, or it is at its end by now.
        logger.info("Download %s: %s", row.pk, refusal.message)
    except (OperationalError, InterfaceError) as trouble:
        _put_back(row, trouble)


def _put_back(row: Download, error: Exception) -> None:
    """Give ``row`` back as soon as the database answers. Raises ``error`` if it does
    not in ``DATABASE_WAITS``: its claim will be over some time."""
    logger.warning("Download %s: %s", row.pk, error)
    for seconds in DATABASE_WAITS:
        time.sleep(seconds)
        # A connection that was cut is replaced by a new one.
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        try:
            waiting.put_back(row)
        except ClaimLost:
            return
        except (OperationalError, InterfaceError):
            continue
        return
    raise error


def _claim_next(*, oldest: bool) -> tuple[Download | None, bool]:
    """A row that is ours now, and whether there are more."""
    due = Download.objects.due()
    free = _unclaimed()
    choices = [free] if oldest else [free.exclude(role=Role.FILM), free]
    seen = False
    for rows in choices:
        shortlist = rows.first_due(SHORTLIST, oldest=oldest)
        seen = seen or bool(shortlist)
        for place, pk in enumerate(shortlist, start=1):
            epoch = claims.claim(due, pk, HOLD)
            if epoch is None:
                continue
            mine = Download.objects.filter(pk=pk, claim_epoch=epoch)
            row = mine.select_related("file").first()
            if row is not None:
                return row, place < len(shortlist)
    return None, seen


def _is_room() -> bool:
    return _running < settings.PHOTOWALL_DOWNLOADS_AT_ONCE


@contextmanager
def _slot() -> Iterator[bool]:
    """Whether one of this process' places was free; it is taken meanwhile."""
    global _running  # noqa: PLW0603  the process has so many places
    with _lock:
        free = _is_room()
        _running += free
    try:
        yield free
    finally:
        with _lock:
            _running -= free
