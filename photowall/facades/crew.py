"""A few daemon threads for work that may hang: a process can end without waiting
for them, since the rows are the work and a claim runs out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)


class Crew:
    """At most ``size`` threads that call ``work(key)``; a key that waits or is being
    worked on is not taken a second time. Threads live only while there is work."""

    def __init__(self, work: Callable[[int], None], size: int, name: str) -> None:
        self._work = work
        self._size = size
        self._name = name
        self._changed = threading.Condition()
        self._waiting: dict[int, None] = {}
        self._busy: set[int] = set()
        self._threads = 0

    def put(self, keys: Iterable[int]) -> list[int]:
        """Begin; the keys that were taken."""
        with self._changed:
            taken = [
                key
                for key in keys
                if key not in self._waiting and key not in self._busy
            ]
            self._waiting.update(dict.fromkeys(taken))
            while self._threads < min(self._size, len(self._waiting) + len(self._busy)):
                self._threads += 1
                threading.Thread(target=self._run, name=self._name, daemon=True).start()
        return taken

    def wait(self, keys: Iterable[int], seconds: float) -> bool:
        """Until all of ``keys`` are done; False if that takes longer."""
        wanted = set(keys)
        with self._changed:
            return self._changed.wait_for(
                lambda: not wanted & (self._busy | self._waiting.keys()), seconds
            )

    def idle(self, seconds: float) -> bool:
        """Until nothing waits and nobody works; False if that takes longer."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not (self._busy or self._waiting), seconds
            )

    def _run(self) -> None:
        try:
            while (key := self._next()) is not None:
                try:
                    self._work(key)
                except DatabaseError:
                    logger.exception("%s: the database did not answer.", self._name)
                finally:
                    with self._changed:
                        self._busy.discard(key)
                        self._changed.notify_all()
        except BaseException:
            with self._changed:
                self._threads -= 1
            raise
        finally:
            connection.close()

    def _next(self) -> int | None:
        with self._changed:
            if not self._waiting:
                self._threads -= 1
                return None
            key = next(iter(self._waiting))
            del self._waiting[key]
            self._busy.add(key)
            return key
