"""When a download is tried again. Seconds."""

from __future__ import annotations

from media_archive.models import Role

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

HOLD = {Role.PICTURE: 150, Role.AVATAR: 150, Role.FILM: 300}
"""A download is its worker's for so long from each of its steps on: longer than the
step may take."""


def next_wait(attempts: int, retry_after: float | None = None) -> float | None:
    """How long to wait after ``attempts`` (≥ 1) have failed, at least as long as the
    source asked for; ``None``: it is given up."""
    if attempts >= len(WAITS):
        return None
    return max(WAITS[attempts], retry_after or 0.0)
