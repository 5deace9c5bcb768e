"""Bells beside the way: a broker that hangs must not hold up a commit."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Bells:
    """Rings from a thread of its own, which ends when there is nothing to ring for.

    What is asked for is a set of feeds, so a storm takes no more room than the tags
    that are followed.
    """

    def __init__(self, ring: Callable[[int], object]) -> None:
        self._ring = ring
        self._lock = threading.Lock()
        self._feeds: set[int] = set()
        self._thread: threading.Thread | None = None

    def ring(self, feeds: set[int]) -> None:
        """Ring for each of ``feeds`` soon; returns at once, and never raises: what is
        committed stays so, and the sweep finds the rows."""
        with self._lock:
            self._feeds |= feeds
            if self._thread is None:
                thread = threading.Thread(
                    target=self._run, name="callback-bells", daemon=True
                )
                try:
                    thread.start()
                except RuntimeError as error:  # no threads left: the next one tries
                    logger.warning("Nobody can be rung for: %s", error)
                else:
                    self._thread = thread

    def rest(self) -> None:
        """Wait, ten seconds at most, until all that was asked for is rung."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(10)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._feeds:
                    self._thread = None
                    return
                feed_pk = self._feeds.pop()
            try:
                self._ring(feed_pk)
            except Exception:  # whatever it is, the next bell must be rung
                logger.exception("Could not ring for the feed %s.", feed_pk)
