"""The doorbell: how a door starts a task.

The row is the work and the message only a hint, so ringing may fail: it is
logged, and the sweep finds the row. It must not cost a visitor more than a second
either, hence the short time-outs in the settings and the pause after a failure.
"""

from __future__ import annotations

import functools
import logging
import time
from typing import Any

from celery.contrib.django.task import DjangoTask
from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)
PAUSE = 2.0
"""Seconds without ringing after the broker did not answer."""

_silent_until = 0.0


class BellTask(DjangoTask):
    """A Celery task whose ``delay_on_commit`` never raises."""

    def delay_on_commit(  # type: ignore[override]  # what is typed there, is None too
        self, *args: Any, **kwargs: Any
    ) -> None:
        """Ring after the commit; a broker that is away is logged, not raised."""
        transaction.on_commit(functools.partial(self.ring, *args, **kwargs))

    def ring(self, *args: Any, **kwargs: Any) -> bool:
        """Ring now. False if nobody could be told (the sweep will find the row)."""
        global _silent_until  # noqa: PLW0603  one broker a process, one silence
        if not settings.PHOTOWALL_RING_TASKS or time.monotonic() < _silent_until:
            return False
        try:
            self.apply_async(args, kwargs, retry=False)
        except Exception as error:  # noqa: BLE001  any broker failure: the row is the work
            _silent_until = time.monotonic() + PAUSE
            logger.warning("Could not ring %s: %s", self.name, type(error).__name__)
            return False
        return True
