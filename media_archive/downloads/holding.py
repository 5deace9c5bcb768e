"""A download is its worker's for as long as the worker lives, and not much longer.

A claim is short, so that what a lost worker had is taken over soon. While the work
lasts (a slow source, others before us at the decoder) it is prolonged.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now

from media_archive.downloads.schedule import HOLD, LONGEST, RENEW_EVERY
from media_archive.models import Download

logger = logging.getLogger(__name__)


@contextmanager
def held(row: Download) -> Iterator[None]:
    """Prolong the claim on ``row`` until the block ends, for ``LONGEST`` at most: a
    worker that hangs for ever must not keep it."""
    over = threading.Event()
    beat = threading.Thread(
        target=_prolong,
        args=(row.pk, row.claim_epoch, over),
        name=f"hold-{row.pk}",
        daemon=True,
    )
    beat.start()
    try:
        yield
    finally:
        over.set()


def _prolong(pk: int, epoch: int, over: threading.Event) -> None:
    until = time.monotonic() + LONGEST
    while not over.wait(RENEW_EVERY) and time.monotonic() < until:
        try:
            prolong(pk, epoch)
        except (DatabaseError, InterfaceError) as error:
            # The claim outlasts two of these; the next beat may do better.
            logger.warning("Download %s: %s", pk, type(error).__name__)
        finally:
            connection.close()


def prolong(pk: int, epoch: int) -> bool:
    """Hold the row for ``HOLD`` seconds from now, unless it was given back or taken
    over; whether it is held."""
    mine = Download.objects.filter(pk=pk, claim_epoch=epoch, claim_until__isnull=False)
    return bool(mine.update(claim_until=Now() + timedelta(seconds=HOLD)))
