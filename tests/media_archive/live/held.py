"""Waiting for what happens rather than for time to pass."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

LONG = 45
"""Seconds. Nothing takes so long, however busy the machine: only a failure does."""


async def happens(condition: Callable[[], object], timeout: float = LONG) -> None:
    """Wait until ``condition`` is true."""
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110  a condition tells nobody
            await asyncio.sleep(0.01)


class Held:
    """A function whose calls wait, once they have the answer, until let go."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self._function = function
        self._answered = threading.Event()
        self._free = threading.Event()

    def __call__(self, *args: Any) -> Any:
        self.calls.append(args)
        answer = self._function(*args)
        self._answered.set()
        assert self._free.wait(LONG)
        return answer

    async def called(self) -> None:
        """Wait until somebody waits here."""
        await happens(self._answered.is_set)

    def let_go(self) -> None:
        self._free.set()
