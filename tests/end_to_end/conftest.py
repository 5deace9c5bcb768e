"""A real browser, and whole instances on both kinds of stores.

The browser is a Chromium found on this machine. Where none is, these tests say so;
with `CI=true` that is a failure (`manage.py test` sees to both).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.end_to_end.running import Running, running
from tests.server_process import free_port
from tests.server_redis import start_own

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """The browser `manage.py test` has found, else one on PATH."""
    found = os.environ.get("PHOTOWALL_CHROMIUM") or next(
        (path for name in CHROMIUM if (path := shutil.which(name))), None
    )
    assert found, "no Chromium on this machine"
    return found


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any],
) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": chromium(), "args": QUIET}


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """What the browser's console complains of; the test fails if anything is left."""
    heard: list[str] = []
    page.on(
        "console",
        lambda message: heard.append(message.text) if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: heard.append(str(error)))
    yield heard
    assert heard == []


@pytest.fixture(scope="module", params=["embedded", "postgresql"])
def instance(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    new_postgres_database: Callable[[], str],
) -> Iterator[Running]:
    """`up` on the embedded default, and on a real PostgreSQL and Redis."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    environment = {"PHOTOWALL_SANDBOX_EVERY": "3600"}
    redis = None
    if request.param == "postgresql":
        redis = start_own()
        environment |= {
            "DATABASE_URL": new_postgres_database(),
            "REDIS_URL": redis.url,
        }
    with running(folder, environment, f"--port={free_port()}") as started:
        yield started
    if redis is not None:
        redis.close()
