"""The pace: each tag its own, new ones at once, all together bounded and fair."""

from __future__ import annotations

from collections import Counter

import pytest

from photowall.sandbox.pace import Pace


def turns(pace: Pace, tags: list[str], start: float, seconds: float) -> list[str]:
    """Who was posted for while the publisher asked once a gap."""
    asked = [start + index * pace.gap for index in range(int(seconds / pace.gap))]
    return [tag for now in asked if (tag := pace.turn(tags, now)) is not None]


def test_each_tag_keeps_the_pace_whatever_others_there_are() -> None:
    counted = Counter(turns(Pace(4.0), ["a", "b", "c"], 100.0, 40.0))
    assert counted == {"a": 10, "b": 10, "c": 10}


def test_a_new_tag_has_its_first_turn_within_a_second() -> None:
    pace = Pace(4.0)
    assert turns(pace, ["a"], 100.0, 1.0) == ["a"]
    assert turns(pace, ["a", "b"], 101.0, 1.0) == ["b"]


def test_many_tags_share_the_bound_in_turn() -> None:
    tags = [f"tag{number}" for number in range(30)]
    told = turns(Pace(4.0), tags, 100.0, 60.0)
    assert len(told) == 120
    assert set(Counter(told).values()) == {4}
    assert sorted(told[:30]) == sorted(tags)


def test_a_quiet_pace_is_quiet_from_the_start() -> None:
    pace = Pace(3600.0)
    assert turns(pace, ["a"], 0.0, 3599.0) == []
    assert turns(pace, ["a"], 3600.0, 1.0) == ["a"]


@pytest.mark.parametrize(("every", "gap"), [(0.05, 0.05), (0.5, 0.5), (4.0, 0.5)])
def test_only_a_faster_pace_is_above_the_bound(every: float, gap: float) -> None:
    assert Pace(every).gap == gap


def test_who_is_followed_again_is_new_and_nobody_is_nobody() -> None:
    pace = Pace(4.0)
    assert pace.turn([], 100.0) is None
    assert pace.turn(["a"], 100.0) == "a"
    assert pace.turn(["a"], 100.5) is None
    assert pace.turn([], 101.0) is None
    assert pace.turn(["a"], 101.5) == "a"
