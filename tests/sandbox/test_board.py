"""The board of faults: chance by seed, and every fault ends by itself."""

from __future__ import annotations

import pytest

from photowall.sandbox.counting import HOUR, CallCount
from photowall.sandbox.faults.board import LONGEST, Board, Fault
from photowall.sandbox.faults.kinds import KINDS


class Clock:
    """Stands until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fault(kind: str, **said: object) -> Fault:
    return Fault(**{"kind": KINDS[kind], "seconds": 60.0} | said)  # type: ignore[arg-type]


def names(hit: list[Fault]) -> list[str]:
    return [each.kind.name for each in hit]


def test_a_fault_ends_after_its_seconds_and_after_its_count(clock: Clock) -> None:
    board = Board(clock)
    board.put([fault("html", seconds=5), fault("storm", count=2)], 0)
    assert names(board.drawn(KINDS, "fox")) == ["html", "storm"]
    clock.now += 5
    assert names(board.drawn(KINDS, "fox")) == ["storm"]
    assert names(board.drawn(KINDS, "fox")) == []
    assert board.report()["faults"] == []
    assert board.report()["injected"] == {"html": 1, "storm": 2}


def test_no_fault_outlives_the_longest_time(clock: Clock) -> None:
    board = Board(clock)
    board.put([fault("html", seconds=10 * LONGEST)], 0)
    clock.now += LONGEST - 1
    assert board.drawn(KINDS, "")
    clock.now += 1
    assert not board.drawn(KINDS, "")


def test_healing_keeps_the_counts_and_setting_begins_anew(clock: Clock) -> None:
    board = Board(clock)
    board.put([fault("html")], 0)
    board.drawn(KINDS, "")
    board.accepted_forgery()
    board.put([], 0)
    assert board.drawn(KINDS, "") == []
    assert board.report()["injected"] == {"html": 1}
    assert board.report()["forgeries_accepted"] == 1
    board.put([fault("storm")], 0)
    assert board.report()["injected"] == {}
    assert board.report()["forgeries_accepted"] == 0


def test_of_answers_there_is_one_and_the_others_add_up(clock: Clock) -> None:
    board = Board(clock)
    kinds = ["html", "cut_off", "duplicates", "reordered"]
    board.put([fault(kind) for kind in kinds], 0)
    assert names(board.drawn(KINDS, "")) == ["html", "duplicates", "reordered"]
    assert board.report()["injected"] == {"html": 1, "duplicates": 1, "reordered": 1}


def test_a_fault_of_one_tag_leaves_the_others_alone(clock: Clock) -> None:
    board = Board(clock)
    board.put([fault("html", tag="fox")], 0)
    assert not board.drawn(KINDS, "owl")
    assert board.drawn(KINDS, "fox")


def test_chance_is_the_seeds_and_each_faults_own(clock: Clock) -> None:
    def drawn(seed: int, *others: str) -> list[bool]:
        board = Board(clock)
        board.put([fault("duplicates", share=0.5), *map(fault, others)], seed)
        return ["duplicates" in names(board.drawn(KINDS, "")) for _ in range(40)]

    assert drawn(7) == drawn(7) == drawn(7, "reordered", "html")
    assert drawn(7) != drawn(8)
    assert 8 < sum(drawn(7)) < 32


def test_the_hour_slides_and_its_maximum_stays(clock: Clock) -> None:
    counts = CallCount(clock)
    for _ in range(5):
        counts.arrived("a", "media")
    clock.now += HOUR / 2
    counts.arrived("a", "subscriptions")
    counts.answered("a", 429)
    counts.answered("a", 500)
    assert counts.report("a") == {
        "total": 6,
        "last_hour": 6,
        "most_in_an_hour": 6,
        "by_kind": {"media": 5, "subscriptions": 1},
        "refused": 1,
    }
    clock.now += HOUR / 2
    assert counts.report("a")["last_hour"] == 1
    clock.now += HOUR / 2
    assert counts.report("a")["last_hour"] == 0
    assert counts.report("a")["most_in_an_hour"] == 6
    assert counts.report("b")["total"] == 0


def test_counting_has_bounds(clock: Clock) -> None:
    counts = CallCount(clock)
    for number in range(3000):
        counts.arrived(f"client {number}", "media", f"tag{number}")
    assert len(counts._clients) <= 101
    assert len(counts._by_tag) <= 1000
    of_tag = counts.report("client 0", "tag0")["of_tag"]
    assert of_tag == {"calls": 1, "answered": 0, "refused": 0, "unanswered": 0}
