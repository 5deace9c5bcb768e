"""Stretches of a line, as sorted pairs (from, to), ``to`` not included. Pure.

The line is anything that can be compared: times, or whole minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

Point = TypeVar("Point", int, datetime)
Label = TypeVar("Label")


def joined(
    stretches: Iterable[tuple[Point, Point]],
) -> list[tuple[Point, Point]]:
    """The same points in as few stretches as can be: in order, none touching the
    next. Those without a length fall out."""
    result: list[tuple[Point, Point]] = []
    for begin, end in sorted(each for each in stretches if each[0] < each[1]):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((begin, end))
    return result


def without(
    stretches: Sequence[tuple[Point, Point]], taken: Sequence[tuple[Point, Point]]
) -> list[tuple[Point, Point]]:
    """What of ``stretches`` does not lie in ``taken``; both as ``joined`` gives."""
    result: list[tuple[Point, Point]] = []
    first = 0
    for begin, end in stretches:
        while first < len(taken) and taken[first][1] <= begin:
            first += 1
        at = first
        while at < len(taken) and taken[at][0] < end:
            if begin < taken[at][0]:
                result.append((begin, taken[at][0]))
            begin = max(begin, taken[at][1])
            at += 1
        if begin < end:
            result.append((begin, end))
    return result


def within(
    stretches: Sequence[tuple[Point, Point]], bounds: Sequence[tuple[Point, Point]]
) -> list[tuple[Point, Point]]:
    """What of ``stretches`` lies in ``bounds``; both as ``joined`` gives."""
    return without(stretches, without(stretches, bounds))


def layered(
    layers: Iterable[tuple[Label, Iterable[tuple[Point, Point]]]],
) -> list[tuple[Point, Point, Label]]:
    """Labels laid over each other, the first on top: each point has one, in order."""
    result: list[tuple[Point, Point, Label]] = []
    taken: list[tuple[Point, Point]] = []
    for label, stretches in layers:
        seen = without(joined(stretches), taken)
        result += [(begin, end, label) for begin, end in seen]
        taken = joined(taken + seen)
    return sorted(result, key=lambda each: each[0])
