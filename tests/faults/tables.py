"""What came of many injections, as a table of Markdown."""

from __future__ import annotations

import json
import os
import platform
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.faults.injections import Outcome
from tests.faults.instance import POLL_SECONDS

HEAD = (
    "| kind | database | injections | posts | acknowledged | lost | doubled "
    "| receipts lost | other mistakes | converged in s, median | worst |\n"
    "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def append(path: Path, outcome: Outcome) -> None:
    """One line; what is written stays, however the run ends."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(outcome)) + "\n")


def read(paths: Iterable[Path]) -> list[Outcome]:
    """All outcomes of some files. A last line that is cut off does not count."""
    found = []
    for path in paths:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = [json.loads(line) for line in lines if line.endswith("\n")]
        found += [Outcome(**each) for each in whole]
    return found


def table(outcomes: Sequence[Outcome]) -> str:
    """A row for each kind and database, and one for all."""
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[(outcome.kind, outcome.database)].append(outcome)
    rows = [_row(*key, groups[key]) for key in sorted(groups)]
    kinds = len({outcome.kind for outcome in outcomes})
    return "\n".join([HEAD, *rows, _row(f"**all {kinds} kinds**", "", outcomes)])


def report(outcomes: Sequence[Outcome]) -> str:
    """A page about a run: where it ran, the goals, what went wrong, the table."""
    wrong = [each for each in outcomes if not each.good]
    return "\n".join(
        [
            f"# Torture, {datetime.now(UTC):%-d %B %Y}",
            "",
            "    python3 manage.py torture --rounds N",
            "",
            f"{platform.system()} {platform.release()}, {os.cpu_count()} cores;",
            f"Python {platform.python_version()}. Two instances side by side, one on",
            "PostgreSQL and one on SQLite. Reading unasked after",
            f"{POLL_SECONDS} s instead of 300 s. What the columns mean:",
            "[howto](../../docs/howto/torture.md); what this does not show:",
            "[explanation](../../docs/explanation/nothing-lost.md).",
            "",
            *_goals(outcomes),
            "",
            *(["## What went wrong", "", *map(_told, wrong), ""] if wrong else []),
            "## By kind",
            "",
            table(outcomes),
            "",
        ]
    )


def _goals(outcomes: Sequence[Outcome]) -> list[str]:
    rows = [
        ("kinds of faults", "≥ 25", len({each.kind for each in outcomes})),
        ("injections", "≥ 300", len(outcomes)),
        ("posts lost", "0", sum(each.lost for each in outcomes)),
        ("rows doubled", "0", sum(each.doubled for each in outcomes)),
        ("receipts lost", "0", sum(each.receipts_lost for each in outcomes)),
        ("other mistakes", "0", sum(len(each.others) for each in outcomes)),
        ("converged, median in s", "≤ 20", _median(outcomes)),
        ("converged, worst in s", "≤ 120", _worst(outcomes)),
    ]
    cells = [f"| {name} | {goal} | {measured} |" for name, goal, measured in rows]
    return ["| | goal | measured |", "|---|--:|--:|", *cells]


def _told(outcome: Outcome) -> str:
    others = "; ".join(outcome.others[:3]) or "nothing else"
    return (
        f"- {outcome.kind} on {outcome.database}, seed `{outcome.seed}`: "
        f"{outcome.lost} lost, {outcome.doubled} doubled, "
        f"{outcome.receipts_lost} receipts lost, {others}"
    )


def _row(kind: str, database: str, outcomes: Sequence[Outcome]) -> str:
    cells = [
        kind,
        database,
        len(outcomes),
        sum(each.posts for each in outcomes),
        sum(each.acknowledged for each in outcomes),
        sum(each.lost for each in outcomes),
        sum(each.doubled for each in outcomes),
        sum(each.receipts_lost for each in outcomes),
        sum(len(each.others) for each in outcomes),
        _median(outcomes),
        _worst(outcomes),
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _median(outcomes: Sequence[Outcome]) -> str:
    seconds = [each.seconds for each in outcomes if each.seconds is not None]
    return f"{median(seconds):.1f}" if seconds else "never"


def _worst(outcomes: Sequence[Outcome]) -> str:
    seconds = [each.seconds for each in outcomes if each.seconds is not None]
    return (
        f"{max(seconds):.1f}" if seconds and len(seconds) == len(outcomes) else "never"
    )
