"""When a download is tried again. Seconds."""

from __future__ import annotations

WAITS = (0.0, 30.0, 300.0, 1_800.0, 7_200.0, 43_200.0)
"""Before the first attempt, the second …; after the last one it is given up."""

GONE_AGAIN = 300.0
"""A source that says "gone" is asked once more so much later."""

DISK = 60.0
"""Until a download that met a full disk tries whether there is room."""

MOST_LOST = 5
"""So many workers may be lost over a download, in a row: then it is set aside."""

AFTER_A_BUG = 30.0
"""Until what failed for a reason that is ours is tried again."""

HOLD = 45
"""So soon another worker takes over what a lost one had."""

RENEW_EVERY = 15.0
"""A living worker prolongs its claim so often."""

LONGEST = 300.0
"""And not longer than this in all: a film that comes slowly, and its turn to wait."""


def next_wait(attempts: int, retry_after: float | None = None) -> float | None:
    """How long to wait after ``attempts`` (≥ 1) have failed, at least as long as the
    source asked for; ``None``: it is given up."""
    if attempts >= len(WAITS):
        return None
    return max(WAITS[attempts], retry_after or 0.0)
