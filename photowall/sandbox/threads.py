"""What runs beside the web server in the sandbox's one process."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

from django.db import DatabaseError, connection

from media_archive import journal
from media_archive.signals import journal_grew
from photowall.facades.deliveries import deliver_due

logger = logging.getLogger(__name__)
TICK = 0.15
"""Seconds between two looks at the journal: other processes publish into it too."""
SWEEP = 1.0
"""Seconds between two looks for deliveries that wait for another attempt."""


class Threads:
    """Started together, ended together."""

    def __init__(self) -> None:
        self.stop = Event()
        self._running: list[Thread] = []

    def start(self, work: Callable[[Event], None], name: str) -> None:
        """Runs ``work(stop)``, which must return soon after ``stop`` is set."""
        # Daemons: a delivery that hangs must not keep the process from ending.
        thread = Thread(target=work, args=[self.stop], name=name, daemon=True)
        thread.start()
        self._running.append(thread)

    def end(self, seconds: float) -> list[str]:
        """Sets ``stop`` and waits, at most ``seconds`` in all. The names of those
        that have not ended by then."""
        self.stop.set()
        deadline = time.monotonic() + seconds
        for thread in self._running:
            thread.join(max(0.0, deadline - time.monotonic()))
        return [thread.name for thread in self._running if thread.is_alive()]


def deliver(stop: Event) -> None:
    """Sends what is due: at once when this process has published, after a tick
    when another one has, and what must be tried again each second."""
    grown = Event()

    def hear(sender: object, **said: Any) -> None:
        grown.set()

    journal_grew.connect(hear, weak=False, dispatch_uid=f"sandbox-{id(grown)}")
    delivered, swept = -1, 0.0
    try:
        while not stop.is_set():
            grown.wait(TICK)
            grown.clear()
            try:
                head = journal.head()
                if head != delivered or time.monotonic() - swept >= SWEEP:
                    deliver_due()
                    delivered, swept = head, time.monotonic()
            except DatabaseError:
                # SQLite can be busy for long on a slow disk: the next tick tries.
                logger.exception("Deliveries wait: the database did not answer")
    finally:
        journal_grew.disconnect(dispatch_uid=f"sandbox-{id(grown)}")
        connection.close()
