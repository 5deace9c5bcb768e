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
    """A page about a run: where, how often, what went wrong, the table."""
    seconds = [each.seconds for each in outcomes if each.seconds is not None]
    kinds = len({each.kind for each in outcomes})
    lines = [
        f"# Torture, {datetime.now(UTC):%d %B %Y}",
        "",
        "    python3 manage.py torture --rounds N",
        "",
        f"{platform.system()} {platform.release()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}. Two instances side by side, one on "
        "PostgreSQL and one on SQLite.",
        f"Reading unasked after {POLL_SECONDS} s instead of 300 s; everything else as "
        "in production. What each column means: docs/howto/torture.md; what it does "
        "not show: docs/explanation/nothing-lost.md.",
        "",
        "| | goal | measured |",
        "|---|--:|--:|",
        f"| kinds of faults | ≥ 25 | {kinds} |",
        f"| injections | ≥ 300 | {len(outcomes)} |",
        f"| posts lost | 0 | {sum(each.lost for each in outcomes)} |",
        f"| rows doubled | 0 | {sum(each.doubled for each in outcomes)} |",
        f"| acknowledged receipts lost | 0 | "
        f"{sum(each.receipts_lost for each in outcomes)} |",
        f"| other mistakes | 0 | {sum(len(each.others) for each in outcomes)} |",
        f"| converged, median | ≤ 20 s | {median(seconds or [0]):.1f} s |",
        f"| converged, worst | ≤ 120 s | {max(seconds, default=0):.1f} s |",
        "",
        table(outcomes),
        "",
    ]
    wrong = [each for each in outcomes if not each.good]
    if wrong:
        lines += ["## What went wrong", ""]
        lines += [
            f"- {each.kind} on {each.database}, seed `{each.seed}`: {each.lost} lost, "
            f"{each.doubled} doubled, {each.receipts_lost} receipts lost, "
            f"{'; '.join(each.others[:3]) or 'nothing else'}"
            for each in wrong
        ]
        lines.append("")
    return "\n".join(lines)


def _row(kind: str, database: str, outcomes: Sequence[Outcome]) -> str:
    seconds = [each.seconds for each in outcomes if each.seconds is not None]
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
        f"{median(seconds):.1f}" if seconds else "never",
        f"{max(seconds):.1f}" if len(seconds) == len(outcomes) else "never",
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
