"""Scenarios are sound data, and every one of them, and every fault, is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from photowall.rehearsal.scenarios import SCENARIOS
from photowall.rehearsal.steps import Fault, Heal, Publish, Scenario, SetFaults
from photowall.sandbox.control import orders
from photowall.sandbox.faults.kinds import ALWAYS, KINDS

ROOT = Path(__file__).resolve().parents[2]
EACH = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=str)


def code_words(page: str) -> set[str]:
    text = (ROOT / "docs" / page).read_text("utf-8")
    return set(re.findall(r"`([^`\n]+)`", text))


def faults_of(scenario: Scenario) -> list[Fault]:
    return [
        fault
        for step in scenario.steps
        if isinstance(step, SetFaults)
        for fault in step.faults
    ]


def test_every_kind_of_fault_and_every_option_is_documented() -> None:
    options = {name for kind in KINDS.values() for name in kind.options}
    assert len(KINDS) >= 25
    assert {*KINDS, *options, *ALWAYS} - code_words("reference/faults.md") == set()


def test_every_scenario_is_documented() -> None:
    page = "howto/rehearse-with-the-sandbox.md"
    assert set(SCENARIOS) - code_words(page) == set()


@EACH
def test_the_sandbox_understands_its_faults(scenario: Scenario) -> None:
    said = [
        {
            "kind": fault.kind,
            "share": fault.share,
            "seconds": fault.seconds,
            **fault.options,
        }
        for fault in faults_of(scenario)
    ]
    made, _ = orders.faults({"faults": said})
    assert len(made) == len(said)


@EACH
def test_all_posts_are_published_and_all_faults_healed(scenario: Scenario) -> None:
    shares = [step.share for step in scenario.steps if isinstance(step, Publish)]
    assert sum(shares) == pytest.approx(1)
    if faults_of(scenario):
        assert any(isinstance(step, Heal) for step in scenario.steps)
        assert all(fault.seconds <= 60 for fault in faults_of(scenario))


def test_the_scenarios_use_every_kind_of_fault() -> None:
    used = {fault.kind for each in SCENARIOS.values() for fault in faults_of(each)}
    assert set(KINDS) - used == set()
