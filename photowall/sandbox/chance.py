"""Chance that can be repeated: the same words give the same numbers."""

from __future__ import annotations

from random import Random


def seeded(*words: object) -> Random:
    """A source of chance that depends on ``words`` alone, in every process."""
    return Random(" ".join(map(str, words)))  # noqa: S311  pictures, not secrets
