"""Stretches of a line, against sets of points."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from subscriptions.intervals import joined, layered, within, without

Stretches = list[tuple[int, int]]
stretches = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8)


def points(of: Stretches) -> set[int]:
    return {point for begin, end in of for point in range(begin, end)}


def is_joined(found: Stretches) -> bool:
    ends = [point for each in found for point in each]
    return all(a < b for a, b in itertools.pairwise(ends))


def test_touching_stretches_become_one_and_empty_ones_none() -> None:
    assert joined([(4, 6), (0, 2), (2, 4), (9, 9), (8, 7)]) == [(0, 6)]
    assert joined([(0, 2), (3, 4)]) == [(0, 2), (3, 4)]


@given(stretches)
def test_joined_keeps_the_points(some: Stretches) -> None:
    assert points(joined(some)) == points(some)
    assert is_joined(joined(some))


@given(stretches, stretches)
def test_without_and_within_are_those_of_sets(one: Stretches, two: Stretches) -> None:
    a, b = joined(one), joined(two)
    assert points(without(a, b)) == points(a) - points(b)
    assert points(within(a, b)) == points(a) & points(b)
    assert is_joined(without(a, b)) and is_joined(within(a, b))


@given(st.lists(stretches, max_size=4))
def test_the_first_layer_is_on_top(layers: list[Stretches]) -> None:
    found = layered(enumerate(layers))
    told = {p: label for begin, end, label in found for p in range(begin, end)}
    wanted: dict[int, int] = {}
    for label, layer in reversed(list(enumerate(layers))):
        wanted |= dict.fromkeys(points(layer), label)
    assert told == wanted
    assert sum(end - begin for begin, end, _ in found) == len(told)
    assert found == sorted(found)
