"""The page of limits is true: every row names a constant, with its figure."""

from __future__ import annotations

import importlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "limits.md"
ROW = re.compile(r"^\| ([^|]+) \| ([\d.]+)[^|]* \| `([\w.]+)` \| ([^|]+) \|$")
ROWS = [
    found.groups()
    for line in PAGE.read_text("utf-8").splitlines()
    if (found := ROW.match(line))
]


def the_thing_named(path: str) -> Any:
    """A constant of a module, or a field of one."""
    words = path.split(".")
    for count in range(len(words) - 1, 0, -1):
        try:
            thing: Any = importlib.import_module(".".join(words[:count]))
        except ModuleNotFoundError:
            continue
        for word in words[count:]:
            thing = getattr(thing, word)
        return thing
    raise AssertionError(f"there is no {path}")


def test_every_row_of_the_page_is_read() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and "| what |" not in line]
    assert len(rows) == len(ROWS) > 30


@pytest.mark.parametrize(("what", "figure", "name", "_"), ROWS, ids=lambda x: x)
def test_the_figure_is_the_code_s(what: str, figure: str, name: str, _: str) -> None:
    value = the_thing_named(name)
    if isinstance(value, timedelta):
        value = value.total_seconds()
    assert float(figure) == float(value), what


def test_a_wrong_name_is_found() -> None:
    with pytest.raises((AssertionError, AttributeError)):
        the_thing_named("subscriptions.inbox.NO_SUCH_LIMIT")
