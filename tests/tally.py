"""Writes a run's counts to the file `PHOTOWALL_TALLY` names; without it, nothing.

`manage.py test` runs pytest several times and adds the counts up.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

COUNTED = ("passed", "failed", "error", "skipped", "xfailed", "xpassed", "deselected")
# A browser test asks for one of pytest-playwright's fixtures.
BROWSER = {"page", "context", "browser", "browser_type"}


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Where `manage.py test` found no browser, or no nginx, leave out, and count, what
    needs one."""
    if os.environ.get("PHOTOWALL_NO_BROWSER"):
        left_out = [item for item in items if BROWSER & set(_fixtures(item))]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]

    if os.environ.get("PHOTOWALL_NO_NGINX"):
        without = [item for item in items if "nginx" in _fixtures(item)]
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", []))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    path = os.environ.get("PHOTOWALL_TALLY")
    if path:
        stats = terminalreporter.stats
        counts = {name: len(stats.get(name, ())) for name in COUNTED}
        Path(path).write_text(json.dumps(counts), encoding="utf-8")
