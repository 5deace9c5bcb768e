"""Tags that somebody posts to by hand: the sandbox posts nothing there by itself.

Whoever counts what was posted must be the only one who posts.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

MOST = 1_000
"""Tags that are remembered; then the first is forgotten."""

_lock = Lock()
_tags: dict[str, None] = {}


def lead(tag: str) -> None:
    """``tag`` (in its normal form) is posted to by hand from now on, as long as this
    process runs."""
    with _lock:
        _tags.pop(tag, None)
        _tags[tag] = None
        if len(_tags) > MOST:
            del _tags[next(iter(_tags))]


def forget() -> None:
    """All tags are left to us again."""
    with _lock:
        _tags.clear()


def left_to_us(tags: Iterable[str]) -> list[str]:
    """Those of ``tags`` that nobody posts to by hand."""
    with _lock:
        return [tag for tag in tags if tag not in _tags]
