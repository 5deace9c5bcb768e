"""Whose turn it is: every followed tag keeps a pace of its own, up to a bound."""

from __future__ import annotations

from collections.abc import Collection

LEAST_GAP = 0.5
"""Seconds between two posts of all tags together, unless the pace itself is faster."""

QUIET = 60.0
"""A pace from this many seconds on is meant to be quiet: no first post at once."""


class Pace:
    """Each tag's next turn, in seconds of any clock that runs evenly.

    A tag that is new gets its first turn at once. Where there are more turns than the
    bound allows, who has waited longest is next.
    """

    def __init__(self, every: float) -> None:
        self.every = every
        self.gap = min(every, LEAST_GAP)
        """How often to ask whose turn it is: once for each post."""
        self._due: dict[str, float] = {}

    def turn(self, tags: Collection[str], now: float) -> str | None:
        """The tag of ``tags`` whose turn it is, which thereby has had it."""
        first = now + (self.every if self.every >= QUIET else 0.0)
        self._due = {tag: self._due.get(tag, first) for tag in tags}
        tag = min(self._due, key=lambda each: self._due[each], default=None)
        if tag is None or self._due[tag] > now:
            return None
        # Late by less than a gap is due to the asking: it does not add up.
        late = now - self._due[tag]
        self._due[tag] = now + self.every - (late if late <= self.gap else 0.0)
        return tag
