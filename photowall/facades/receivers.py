"""What the facades do when the journal has grown: ring the deliveries.

A burst of entries is a few rings: the first at once, then one every ``SPACING``
seconds, the last one after the last entry. A lost ring is made good by the timetable.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.dispatch import receiver

from media_archive.signals import journal_grew
from photowall.bell import BellTask
from photowall.facades import tasks
from photowall.facades.models import Endpoint

SPACING = 0.25


class Coalescer:
    """Calls ``ring`` at most once in ``spacing`` seconds, and always after the last
    ``hit``."""

    def __init__(self, ring: Callable[[], object], spacing: float) -> None:
        self._ring = ring
        self._spacing = spacing
        self._lock = threading.Lock()
        self._rung_at = float("-inf")
        self._waiting = False

    def is_waiting(self) -> bool:
        """Whether a ring is still to come."""
        with self._lock:
            return self._waiting

    def hit(self) -> None:
        """Ring now, or soon; returns at once."""
        with self._lock:
            if self._waiting:
                return
            left = self._rung_at + self._spacing - time.monotonic()
            if left > 0:
                self._waiting = True
                later = threading.Timer(left, self._fire)
                later.daemon = True
                later.start()
                return
            self._rung_at = time.monotonic()
        self._ring()

    def _fire(self) -> None:
        with self._lock:
            self._waiting = False
            self._rung_at = time.monotonic()
        self._ring()


bell = Coalescer(cast(BellTask, tasks.deliver_all).ring, SPACING)


@receiver(journal_grew, dispatch_uid="facades-deliver")
def ring_deliveries(sender: Any, **kwargs: Any) -> None:
    """Ring if anybody follows us at all: most installations have no endpoint."""
    if settings.PHOTOWALL_RING_TASKS and Endpoint.objects.hearing().exists():
        bell.hit()
