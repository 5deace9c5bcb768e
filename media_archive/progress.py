"""``Progress(total, stream)``: how far long work has come, for people at a terminal.

    with Progress(total, self.stdout, "items") as progress:
        for page in pages:
            store(page)
            progress.advance(len(page), f"back to {page.date:%Y-%m-%d}")

On a terminal it is one line that is drawn again, at most ten times a second: bar,
count, share, rate, estimate, detail. Elsewhere (a log, a pipe) it is one plain line
every ten seconds and one at the end. ``say()`` writes a line of its own in between.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

from django.core.management.base import OutputWrapper

WIDTH = 24
REDRAW = 0.1
"""Seconds between two drawings on a terminal."""
EVERY = 10.0
"""Seconds between two plain lines."""
SETTLED = 1.0
"""Seconds before a rate is worth showing."""


class Progress:
    """Counts from ``already`` to ``total``; ``total`` None = nobody knows.

    ``already`` is what an earlier run has done: part of the share, not of the rate.
    ``stream`` is a text stream or a command's ``self.stdout``. ``clock`` gives
    seconds. Leaving the ``with`` block, also by an error, ends the line.
    """

    def __init__(
        self,
        total: int | None,
        stream: TextIO | OutputWrapper,
        unit: str = "items",
        *,
        already: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self.count = already
        self._already = already
        self._unit = unit
        self._stream = stream
        self._clock = clock
        self._moves = stream.isatty()
        self._began = self._shown = clock()
        self._detail = ""
        self._width = 0

    def __enter__(self) -> Progress:
        if self._moves:
            self._draw()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._moves:
            self._draw()
            self._write("\n")
        else:
            self._write(self.line() + "\n")

    def advance(self, count: int = 1, detail: str = "") -> None:
        """``count`` more are done; ``detail`` is shown until the next one."""
        self.count += count
        self._detail = detail
        if self._clock() - self._shown < (REDRAW if self._moves else EVERY):
            return
        self._shown = self._clock()
        if self._moves:
            self._draw()
        else:
            self._write(self.line() + "\n")

    def say(self, line: str) -> None:
        """A line of its own, above the bar."""
        self._write(("\r" + line.ljust(self._width) if self._moves else line) + "\n")
        if self._moves:
            self._draw()

    def line(self) -> str:
        """``1,200 of 10,000 items · 12 % · 340/s · about 26 s left``."""
        parts = [f"{self.count:,} {self._unit}"]
        if self.total is not None:
            parts = [f"{self.count:,} of {self.total:,} {self._unit}"]
            parts.append(f"{int(100 * self._share())} %")
        seconds = self._clock() - self._began
        rate = (self.count - self._already) / seconds if seconds >= SETTLED else 0.0
        if rate:
            parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
            if self.total is not None and self.count < self.total:
                parts.append(f"about {span((self.total - self.count) / rate)} left")
        if self._detail:
            parts.append(self._detail)
        return " · ".join(parts)

    def _share(self) -> float:
        return min(self.count / self.total, 1.0) if self.total else 1.0

    def _draw(self) -> None:
        line = self.line()
        if self.total is not None:
            full = int(WIDTH * self._share())
            line = "█" * full + "░" * (WIDTH - full) + " " + line
        # A line that wraps could not be drawn again.
        line = line[: shutil.get_terminal_size().columns - 1]
        self._write("\r" + line.ljust(self._width))
        self._width = len(line)

    def _write(self, text: str) -> None:
        if isinstance(self._stream, OutputWrapper):
            # It would end every piece of text with a line break of its own.
            self._stream.write(text, ending="")
        else:
            self._stream.write(text)
        self._stream.flush()


def span(seconds: float) -> str:
    """A stretch of time in words for people: ``26 s``, ``4 min``, ``3 h 20 min``."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
