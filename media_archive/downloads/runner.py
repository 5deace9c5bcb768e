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
from django.db import DatabaseError, InterfaceError

from media_archive import claims
from media_archive.downloads import portraits
from media_archive.downloads.holding import held
from media_archive.downloads.keeping import failed_here, keep
from media_archive.downloads.schedule import HOLD
from media_archive.errors import DiskFull
from media_archive.models import Download, Role

logger = logging.getLogger(__name__)

RUN_SECONDS = 50.0
OLDEST_EVERY = 4
SHORTLIST = 16
"""Rows that a runner looks at at once: others may take the first ones from it."""

HELP_EVERY = 1.0
"""Seconds between two calls for help of one runner."""

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
    return Download.objects.due().exists()


def _keep(row: Download) -> None:
    try:
        with held(row):
            keep(row)
    except (DiskFull, DatabaseError, InterfaceError):
        # Not the download's fault; the next one would fare no better.
        raise
    except Exception as error:  # a bug costs one picture, not its neighbours
        logger.exception("Download %s failed.", row.pk)
        failed_here(row, error)


def _claim_next(*, oldest: bool) -> tuple[Download | None, bool]:
    """A row that is ours now, and whether there are more."""
    due = Download.objects.due()
    pictures = due.exclude(role=Role.FILM).newest_first()
    choices = [due.order_by("pk")] if oldest else [pictures, due.newest_first()]
    seen = False
    for rows in choices:
        shortlist = list(rows.values_list("pk", flat=True)[:SHORTLIST])
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
