"""Ids like the old API's: the time of posting and a little more in one number."""

from __future__ import annotations

import secrets
from threading import Lock

EPOCH_MS = 1_314_220_021_721
"""When the old API's clock began (24 August 2011), in ms since 1970."""
SHIFT = 23
"""Bits below the time: 13 of a shard, 10 of a counter."""


class NativeIds:
    """Increasing ids of one publisher.

    Two publishers draw different shards nearly always; whoever stores a post makes
    sure that its id is new, and asks for another one else.
    """

    def __init__(self, shard: int | None = None) -> None:
        self.shard = secrets.randbits(13) if shard is None else shard
        self._last = 0
        self._lock = Lock()

    def next(self, moment: float) -> int:
        """An id for a post of ``moment`` (seconds since 1970), greater than all
        before it."""
        begun = (int(moment * 1000) - EPOCH_MS) << SHIFT | self.shard << 10
        with self._lock:
            self._last = max(begun, self._last + 1)
            return self._last


def posted_ms(native_id: int) -> int:
    """The time in an id, in ms since 1970."""
    return (native_id >> SHIFT) + EPOCH_MS
