"""What came of many injections, as a table of Markdown."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from tests.faults.injections import Outcome

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
