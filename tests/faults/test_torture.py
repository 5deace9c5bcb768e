"""The command: its kinds, its plan, its books."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import tables, torture
from tests.faults.injections import Outcome
from tests.faults.kinds import BOTH, KINDS, chosen


def outcome(kind: str = "redis_down", **more: object) -> Outcome:
    usual: dict[str, object] = {
        "kind": kind,
        "database": "sqlite",
        "seed": "7",
        "posts": 9,
        "acknowledged": 20,
        "lost": 0,
        "doubled": 0,
        "receipts_lost": 0,
        "others": [],
        "seconds": 2.0,
        "took": 9.0,
    }
    return Outcome(**(usual | more))  # type: ignore[arg-type]


def test_an_unknown_kind_is_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert torture.main(["--kinds", "redis_down,earthquake"]) == 2
    said = capsys.readouterr().out
    assert "earthquake" in said
    assert "redis_down" in said


def test_there_are_25_kinds_on_each_database_and_each_says_what_it_does() -> None:
    for database in BOTH:
        assert len(chosen(database)) >= 25
    assert all(kind.databases for kind in KINDS.values())


def test_a_kind_is_chosen_only_for_its_database() -> None:
    assert chosen("sqlite", ["postgres_immediate_stop"]) == []
    assert len(chosen("postgresql", ["postgres_immediate_stop"])) == 1


def test_the_same_seed_makes_the_same_plan_and_another_another() -> None:
    kinds = chosen("sqlite")
    plan = torture._plan(kinds, 2, "7")
    assert plan == torture._plan(kinds, 2, "7")
    assert plan != torture._plan(kinds, 2, "8")
    assert len({seed for _, seed in plan}) == len(plan) == 2 * len(kinds)


@pytest.mark.parametrize(
    "mistake",
    [
        {"lost": 1},
        {"doubled": 1},
        {"receipts_lost": 1},
        {"others": ["journal"]},
        {"seconds": None},
    ],
)
def test_every_mistake_is_one(mistake: dict[str, object]) -> None:
    assert outcome().good
    assert not outcome(**mistake).good  # type: ignore[arg-type]


def test_the_table_is_made_of_what_was_written_and_forgives_a_cut_off_line(
    tmp_path: Path,
) -> None:
    path = tmp_path / "torture.jsonl"
    written = [
        outcome(seconds=2.0),
        outcome(seconds=4.0),
        outcome("beat_killed", lost=3, seconds=None),
    ]
    for each in written:
        tables.append(path, each)
    with path.open("a") as file:
        file.write('{"kind": "redis_d')

    read = tables.read([path])
    assert read == written
    rows = tables.table(read).splitlines()[2:]
    assert rows == [
        "| beat_killed | sqlite | 1 | 9 | 20 | 3 | 0 | 0 | 0 | never | never |",
        "| redis_down | sqlite | 2 | 18 | 40 | 0 | 0 | 0 | 0 | 3.0 | 4.0 |",
        "| **all 2 kinds** |  | 3 | 27 | 60 | 3 | 0 | 0 | 0 | 3.0 | never |",
    ]


def test_a_report_names_what_went_wrong_and_how_to_do_it_again() -> None:
    good = tables.report([outcome()])
    assert "What went wrong" not in good
    bad = tables.report([outcome(), outcome("beat_killed", lost=3, seconds=None)])
    assert "- beat_killed on sqlite, seed `7`: 3 lost" in bad
    assert "| posts lost | 0 | 3 |" in bad
