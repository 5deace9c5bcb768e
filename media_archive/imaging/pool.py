"""The decoding processes of this process: started when needed, kept, replaced.

By default there is one: pictures are decoded one after the other, and the rest of
the machine is left to others. Who needs it waits for the one before.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from media_archive.imaging import limits
from media_archive.imaging.process import DecodingProcess

MOST_PICTURES = 500
"""A process is replaced after so many pictures: leaks of libraries end there."""
LARGE = 256 * 1024 * 1024
"""Or once it has needed so many bytes, which it may not have given back whole."""


class Pool:
    """Up to ``limits.decoders()`` processes for any number of threads."""

    def __init__(self) -> None:
        self._free: list[DecodingProcess] = []
        self._all: set[DecodingProcess] = set()
        self._lent = 0
        self._turn = threading.Condition()

    @contextmanager
    def borrowed(self) -> Iterator[DecodingProcess]:
        """A process that runs, for the time of the block. It is kept for the next one
        unless it has ended, is worn, or the block raised while it worked."""
        with self._turn:
            while self._lent >= limits.decoders():
                self._turn.wait()
            self._lent += 1
        process = None
        try:
            process = self._running()
            yield process
        finally:
            self._give_back(process)

    def all_of_them(self) -> list[DecodingProcess]:
        """Those that were started and not ended, free or at work."""
        with self._turn:
            return [*self._all]

    def end(self) -> None:
        """End all of them; what they were at is refused as broken."""
        with self._turn:
            processes, self._all, self._free = self._all, set(), []
        for process in processes:
            process.end(gently=True)

    def forget(self) -> None:
        """After a fork, in the copy: the processes belong to the original."""
        for process in self._all:
            process.forget()
        self._free, self._all, self._lent = [], set(), 0
        self._turn = threading.Condition()

    def _running(self) -> DecodingProcess:
        while True:
            with self._turn:
                process = self._free.pop() if self._free else None
            if process is None:
                break
            if process.runs:
                return process
            self._remove(process)
        process = DecodingProcess(limits.memory())
        with self._turn:
            self._all.add(process)
        return process

    def _give_back(self, process: DecodingProcess | None) -> None:
        if process is not None:
            worn = process.pictures >= MOST_PICTURES or process.peak > LARGE
            if worn or process.busy or not process.runs:
                self._remove(process)
            else:
                with self._turn:
                    self._free.append(process)
        with self._turn:
            self._lent -= 1
            self._turn.notify()

    def _remove(self, process: DecodingProcess) -> None:
        with self._turn:
            self._all.discard(process)
        process.end(gently=not process.busy)


POOL = Pool()
borrowed = POOL.borrowed

atexit.register(POOL.end)
os.register_at_fork(after_in_child=POOL.forget)
