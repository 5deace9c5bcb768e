"""Giving claimed work back when the database fails: a failure of no tag."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from django.db import Error as DatabaseTrouble
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from media_archive import claims

logger = logging.getLogger(__name__)

DATABASE_AWAY = timedelta(seconds=5)
"""So long work waits when the database failed."""

WRITE_AGAIN = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0)
"""Seconds between tries to give a row back while the database is away. A worker has
nothing better to do then, and its claim would keep the row unread for longer."""


def hold_off(rows: QuerySet[Any], pk: int, epoch: int, **said: Any) -> None:
    """As soon as it can be written, give the row back with what is ``said``, to be
    read again after ``DATABASE_AWAY``; if that takes longer than all of
    ``WRITE_AGAIN``, when its claim has run out."""
    for wait in (*WRITE_AGAIN, None):
        connection.close_if_unusable_or_obsolete()
        try:
            claims.release(
                rows, pk, epoch, next_attempt_at=Now() + DATABASE_AWAY, **said
            )
        except DatabaseTrouble as error:
            if wait is None:
                logger.warning(
                    "%s %s stays claimed: %s", rows.model.__name__, pk, error
                )
                return
            time.sleep(wait)
        else:
            return
