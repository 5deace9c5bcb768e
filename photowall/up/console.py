"""What `manage.py up` and the installer say on the terminal."""

from __future__ import annotations

import contextlib
import sys
import time


class Refusal(Exception):
    """We cannot go on. The text is one sentence for a person; `code` ends us."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def say(text: str = "") -> None:
    """One line. A terminal that has gone away is no reason to stop half-way."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


class Progress:
    """A bar that moves on a terminal, and a line every tenth elsewhere."""

    WIDTH = 30

    def __init__(self, title: str) -> None:
        self.title = title
        self._moves = sys.stdout.isatty()
        self._told = -1
        self._began = time.monotonic()

    def show(self, share: float, detail: str = "") -> None:
        """`share` from 0 to 1; `detail` is cut to fit."""
        percent = min(100, max(0, int(share * 100)))
        seconds = time.monotonic() - self._began
        with contextlib.suppress(OSError, ValueError):
            if self._moves:
                bar = ("#" * (percent * self.WIDTH // 100)).ljust(self.WIDTH, ".")
                line = f"{self.title} [{bar}] {percent:3d}% {seconds:3.0f} s {detail}"
                sys.stdout.write("\r" + line[:100].ljust(100))
                sys.stdout.flush()
            elif percent // 10 > self._told:
                self._told = percent // 10
                say(f"{self.title} {percent:3d}% {seconds:3.0f} s {detail}".rstrip())

    def done(self) -> None:
        self.show(1)
        if self._moves:
            say()
