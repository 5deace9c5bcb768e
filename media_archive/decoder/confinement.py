"""What the decoding process may not: limits of the system, set before any input."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import sys
import threading
from pathlib import Path

from media_archive.decoder import landlock

FILES = 64
"""Files open at once."""
LARGEST_FILE = 64 * 1024 * 1024
"""Bytes of a file it writes."""
LIFE_SECONDS = 3600
"""Seconds of processor time in all; it is replaced long before."""
OUT_OF_MEMORY = 77
"""How it ends where the system does not hold it to its memory (macOS)."""
_LOOK_EVERY = 0.05


def confine(memory: int) -> None:
    """No more than ``memory`` bytes, a few files, no core dumps, some hours; no look
    into other processes where the system can forbid it (``landlock``)."""
    landlock.give_up()  # before there is a second thread
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, FILES)
    _limit(resource.RLIMIT_FSIZE, LARGEST_FILE)
    _limit(resource.RLIMIT_CPU, LIFE_SECONDS)
    _limit(resource.RLIMIT_AS, memory)
    watch = threading.Thread(target=_watch, args=(memory,), daemon=True)
    watch.start()


def allow_seconds(seconds: int) -> None:
    """From now on, ``seconds`` of processor time; then the system ends the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + seconds + 1
    with contextlib.suppress(ValueError, OSError):
        soft = min(until, LIFE_SECONDS)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, LIFE_SECONDS))


def peak() -> int:
    """The most memory this process ever held, in bytes."""
    with contextlib.suppress(OSError, StopIteration, ValueError):
        # Linux hands getrusage's figure down from who started us.
        with Path("/proc/self/status").open() as lines:
            line = next(line for line in lines if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _limit(which: int, most: int) -> None:
    # macOS refuses some; there the watch below stands in.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(which, (most, most))


def _watch(memory: int) -> None:
    """End with the parent, also in the middle of a picture: then nobody holds the
    other end of our input. Decoding lets other threads run."""
    poll = select.poll()
    poll.register(0, 0)  # POLLHUP is always told
    on_linux = sys.platform == "linux"
    while not poll.poll(None if on_linux else _LOOK_EVERY * 1000):
        if not on_linux and peak() > memory:
            os._exit(OUT_OF_MEMORY)
    os._exit(0)
