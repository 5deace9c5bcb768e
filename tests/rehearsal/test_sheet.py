"""The sheet: what makes it fail, and that it says why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from photowall.rehearsal.sheet import Sheet


def sheet(**said: Any) -> Sheet:
    """One of a rehearsal in which all went well."""
    fine: dict[str, Any] = {
        "published": 20,
        "archived": 20,
        "notifications_answered": 5,
        "receipts_kept": 5,
        "seconds_to_converge": 3.25,
        "calls": 9,
        "most_calls_in_an_hour": 120,
        "calls_allowed": 5000,
    }
    return Sheet("storm", "rehearsal1", 7, 60.0, **fine | said)


def test_all_well_is_a_pass() -> None:
    text = sheet(injected={"storm": 4}, megabytes={"worker": (100.4, 103.0)}).text()
    of_all = "of all tags 120 of 5,000 in an hour"
    assert text.splitlines() == [
        "storm (#rehearsal1, seed 7)",
        "  ok   published = archived   20 → 20",
        "                              0 lost",
        "  ok   none doubled           0 doubled",
        "  ok   journal once each      0 wrong",
        "  ok   receipts kept          5 kept, 5 answered",
        "  ok   converged in time      3.2 s, limit 60 s",
        f"  ok   calls within budget    9 for this tag; {of_all}",
        "       faults                 storm 4",
        "       memory of the worker   100 → 103 MB",
        "  PASS",
    ]
    assert sheet().passed


@pytest.mark.parametrize(
    ("said", "check", "words"),
    [
        ({"lost": ["17"]}, "published = archived", "1 lost: 17"),
        ({"seconds_to_converge": None}, "converged in time", "not within 60 s"),
        ({"doubled": ["17"]}, "none doubled", "1 doubled: 17"),
        ({"journal_wrong": ["17"]}, "journal once each", "1 wrong: 17"),
        ({"receipts_kept": 4}, "receipts kept", "4 kept, 5 answered"),
        ({"calls_allowed": 100}, "calls within budget", "120 of 100"),
        (
            {"edited": 2, "edits_missing": ["17"]},
            "edits arrived once",
            "2 edited, 1 missing or told twice: 17",
        ),
        (
            {"deleted": 2, "deleted_not_kept": ["17"]},
            "deleted ones kept",
            "2 deleted upstream, 1 missing here: 17",
        ),
        (
            {"injected": {"forged": 3}, "forgeries_accepted": 1},
            "forgeries refused",
            "1 accepted",
        ),
        ({"troubles": ["The tag is not followed."]}, "all steps done", "not followed"),
    ],
)
def test_each_check_can_fail_and_says_what(
    said: dict[str, Any], check: str, words: str
) -> None:
    broken = sheet(**said)
    assert broken.checks[check] is False
    assert not broken.passed
    assert broken.text().endswith("  FAIL")
    assert words in broken.text()
    assert json.loads(json.dumps(broken.document()))["passed"] is False


def test_a_person_gets_ten_names_and_a_program_all() -> None:
    lost = [str(number) for number in range(100, 112)]
    assert "109 and 2 more" in sheet(lost=lost).text()
    assert sheet(lost=lost).document()["lost"] == lost
