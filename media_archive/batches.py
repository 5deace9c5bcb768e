"""Batches: what many coroutines want of the database is done together by one thread.

Jobs that arrive while a batch is on its way share the next one, and each coroutine
goes on when its own batch is done. One thread is one connection, which is given back
after a second without work.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connection

from media_archive.errors import DoorBusy

logger = logging.getLogger(__name__)

Job = TypeVar("Job")
Done = TypeVar("Done")
Answer = tuple["asyncio.Future[Any]", Any]

IDLE = 1.0
"""Seconds without work after which the thread ends, and with it its connection."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many jobs, and bytes of them, may be waiting or under way in all, and how
    much of that goes into one batch."""

    jobs: int
    size: int
    jobs_at_once: int = 500
    size_at_once: int = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Errand(Generic[Job]):
    job: Job
    size: int
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class Batches(Generic[Job, Done]):
    """``work`` gets one batch, in the order of arrival, and returns for each job its
    result or the exception that its coroutine has to see."""

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[Job]], Sequence[Done | Exception]],
        limits: Limits,
    ) -> None:
        self.done = 0
        """Batches so far."""
        self._name = name
        self._work = work
        self._limits = limits
        self._changed = threading.Condition()
        self._waiting: deque[_Errand[Job]] = deque()
        self._jobs = 0
        self._size = 0
        self._patience = IDLE
        self._thread: threading.Thread | None = None

    async def do(self, job: Job, size: int = 0) -> Done:
        """The result for ``job``, of ``size`` bytes. Raises ``DoorBusy`` when too much
        is waiting. A coroutine that is cancelled takes back what is not begun."""
        loop = asyncio.get_running_loop()
        errand = _Errand(job, size, loop, loop.create_future())
        with self._changed:
            full = self._jobs >= self._limits.jobs
            if full or (self._jobs and self._size + size > self._limits.size):
                raise DoorBusy(f"Too much is waiting for {self._name}.")
            if self._thread is None:
                thread = threading.Thread(
                    target=self._run, name=self._name, daemon=True
                )
                # May fail where threads or memory are short: then nothing waits, and
                # the next one tries again.
                thread.start()
                self._thread = thread
            self._jobs += 1
            self._size += size
            self._waiting.append(errand)
            self._changed.notify_all()
        done: Done = await errand.future
        return done

    def __len__(self) -> int:
        """How many jobs are waiting or under way."""
        return self._jobs

    def rest(self, seconds: float = 10) -> None:
        """Let the thread end, once nothing is waiting, and wait for that."""
        with self._changed:
            thread = self._thread
            self._patience = 0
            self._changed.notify_all()
        if thread is not None:
            thread.join(seconds)
        with self._changed:
            self._patience = IDLE

    def _run(self) -> None:
        try:
            while batch := self._next():
                results = self._results(batch)
                self.done += 1
                self._settle(batch, results)
        finally:
            connection.close()

    def _next(self) -> list[_Errand[Job]]:
        """The next batch; an empty one ends the thread."""
        with self._changed:
            while True:
                batch = self._take()
                if batch:
                    return batch
                self._changed.wait_for(
                    lambda: self._waiting or not self._patience, self._patience
                )
                if not self._waiting:
                    # Under the lock: whoever comes next starts another thread.
                    self._thread = None
                    return []

    def _take(self) -> list[_Errand[Job]]:
        batch: list[_Errand[Job]] = []
        size = 0
        while self._waiting and len(batch) < self._limits.jobs_at_once:
            size += self._waiting[0].size
            if batch and size > self._limits.size_at_once:
                break
            errand = self._waiting.popleft()
            if errand.future.cancelled():
                self._jobs -= 1
                self._size -= errand.size
            else:
                batch.append(errand)
        return batch

    def _results(self, batch: list[_Errand[Job]]) -> Sequence[Done | Exception]:
        try:
            return self._work([errand.job for errand in batch])
        except Exception as error:  # noqa: BLE001  those who wait must hear of it
            return [error] * len(batch)

    def _settle(
        self, batch: list[_Errand[Job]], results: Sequence[Done | Exception]
    ) -> None:
        with self._changed:
            self._jobs -= len(batch)
            self._size -= sum(errand.size for errand in batch)
        by_loop: dict[asyncio.AbstractEventLoop, list[Answer]] = {}
        for errand, result in zip(batch, results, strict=True):
            by_loop.setdefault(errand.loop, []).append((errand.future, result))
        for loop, answers in by_loop.items():
            try:
                # Once for all of them: each call wakes the loop.
                loop.call_soon_threadsafe(_tell, answers)
            except RuntimeError:
                logger.debug("Who waited for %s is gone.", self._name)


def _tell(answers: list[Answer]) -> None:
    """In the loop: those who have given up meanwhile are passed over."""
    for future, result in answers:
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
