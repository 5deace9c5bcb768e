"""All viewers of one tag in this process, and how news reach them in few messages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from media_archive.live.frames import MOST_FRAMES, Frame, batch_of, how_many_fit
from media_archive.live.viewers import Viewer

GATHER = 0.05
"""Seconds: the first news go out at once, what comes meanwhile travels together."""

MOST_PENDING = 500
"""Frames; more, and the journal is not read further for a moment."""

A_STRETCH = 50
"""Viewers served before the loop may write to sockets and hear others."""


class Audience:
    """The viewers of ``tag``. Frames are pushed in the order of the journal."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.viewers: dict[Viewer, None] = {}
        self.pending: list[Frame] = []
        self._task: asyncio.Task[None] | None = None
        self._sending = False
        self._served = asyncio.Event()

    @property
    def has_all(self) -> bool:
        """Whether everything pushed so far has been handed to the viewers."""
        return not self.pending and not self._sending

    def push(self, frames: Sequence[Frame]) -> None:
        """Deliver soon. What is removed is not shown first."""
        for frame in frames:
            if frame.removes:
                left = (waiting.without(frame.item_id) for waiting in self.pending)
                self.pending = [waiting for waiting in left if waiting is not None]
            self.pending.append(frame)
        if self.pending and self._task is None:
            self._task = asyncio.ensure_future(self._deliver())

    async def room(self) -> None:
        """Wait until not too much is pending."""
        while len(self.pending) > MOST_PENDING:
            self._served.clear()
            await self._served.wait()

    def stop(self) -> None:
        """Nobody is left to tell."""
        self.pending.clear()
        self._served.set()
        if self._task is not None:
            self._task.cancel()

    async def _deliver(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self.pending:
                began = loop.time()
                await self._deliver_one()
                if len(self.pending) < MOST_FRAMES:
                    await asyncio.sleep(max(0.0, GATHER - (loop.time() - began)))
        finally:
            self._task = None

    async def _deliver_one(self) -> None:
        count = how_many_fit(self.pending)
        batch = batch_of(tuple(self.pending[:count]))
        self.pending = self.pending[count:]
        self._sending = True
        try:
            for served, viewer in enumerate(list(self.viewers), start=1):
                viewer.take(batch)
                if served % A_STRETCH == 0:
                    await asyncio.sleep(0)
        finally:
            self._sending = False
            self._served.set()
