"""How far a backup has come, told to whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Bar(Protocol):
    """A progress bar."""

    def advance(self, count: int = 1, detail: str = "") -> None: ...


Bars = Callable[[int | None, str], AbstractContextManager[Bar]]
"""Total and unit → a bar."""


class PerCent:
    """Moves a bar of 100 by what is done of a whole."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._shown = 0

    def at(self, done: int, of: int) -> None:
        """``done`` of the whole are done."""
        share = min(100 * done // max(of, 1), 100)
        self._bar.advance(share - self._shown)
        self._shown = share
