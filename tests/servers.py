"""Gives every test run a real PostgreSQL and a real Redis-protocol server.

An early plugin (`-p tests.servers`): pytest-django reads the settings before any
conftest, and the settings read `DATABASE_URL` and `REDIS_URL`. Which server is taken
is said in `server_redis` and `server_postgres`, and in the first line of the run.

`PHOTOWALL_TEST_DATABASE=sqlite` runs on a SQLite file instead, on purpose.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server_postgres import (
    create_database,
    drop_database,
    find_postgres,
    remove_copies,
)
from tests.server_process import CannotStart, Found, new_folder
from tests.server_redis import find_redis, start_own

# Set for processes started by this run: they share our servers.
SHARED = "PHOTOWALL_TEST_SERVERS"
# Set by xdist in each process of a parallel run.
PARALLEL = "PYTEST_XDIST_WORKER"


class Servers:
    """What this run has taken; given back once, in reverse order."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.folder: Path | None = None

    def take(self) -> str:
        """Find both servers, export their addresses, return one line about them."""
        self.folder = new_folder("tests")
        os.environ.setdefault("PHOTOWALL_VAR", str(self.folder / "var"))
        redis = self._keep(find_redis())
        if wants_sqlite():
            database = Found(
                f"sqlite:///{self.folder}/db.sqlite3", "SQLite, on purpose"
            )
        else:
            database = self._keep(find_postgres())
        os.environ["REDIS_URL"] = redis.url
        os.environ["DATABASE_URL"] = database.url
        os.environ[SHARED] = f"{database.title} · {redis.title}"
        return os.environ[SHARED]

    def take_apart(self) -> None:
        """What a process of a parallel run does not share with the others: its files,
        and its Redis, where messages reach all databases of a server alike.
        PostgreSQL's test database has the process's name already."""
        self.folder = new_folder("tests")
        os.environ["PHOTOWALL_VAR"] = str(self.folder / "var")
        os.environ["REDIS_URL"] = self._keep(start_own()).url
        if wants_sqlite():
            os.environ["DATABASE_URL"] = f"sqlite:///{self.folder}/db.sqlite3"

    def postgres_url(self) -> str:
        """This run's PostgreSQL; a run on SQLite starts one when first asked."""
        if wants_sqlite():
            return self._keep(find_postgres()).url
        return os.environ["DATABASE_URL"]

    def _keep(self, found: Found) -> Found:
        self.found.append(found)
        return found

    def give_back(self) -> None:
        while self.found:
            self.found.pop().close()
        remove_copies()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def wants_sqlite() -> bool:
    """Whether this run is meant for SQLite. Any other word means PostgreSQL."""
    return os.environ.get("PHOTOWALL_TEST_DATABASE", "").lower() == "sqlite"


_servers = Servers()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(args: list[str]) -> Iterator[None]:
    """Before everybody else's: capture has not begun, settings are not yet read."""
    if PARALLEL in os.environ:
        atexit.register(_servers.give_back)
        _servers.take_apart()
    elif SHARED not in os.environ and not {"-h", "--help", "-V", "--version"} & {*args}:
        atexit.register(_servers.give_back)
        signal.signal(signal.SIGTERM, _end)
        try:
            title = _servers.take()
        except CannotStart as error:
            _servers.give_back()
            raise pytest.UsageError(str(error)) from error
        sys.stdout.write(f"Tests run on {title}\n")
        sys.stdout.flush()
    return (yield)


def _end(*_: object) -> None:
    """TERM ends a run as Ctrl-C does: with the servers stopped."""
    raise KeyboardInterrupt


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Django would keep SQLite's test database in memory, where threads share one."""
    if wants_sqlite():
        from django.conf import settings

        test = settings.DATABASES["default"].setdefault("TEST", {})
        test["NAME"] = os.environ["DATABASE_URL"].removeprefix("sqlite:///") + ".test"


def pytest_unconfigure() -> None:
    _servers.give_back()


@pytest.fixture(scope="session")
def new_postgres_database() -> Iterator[Callable[[], str]]:
    """Makes empty databases for tests that start Photowall as processes.

    Returns the new database's URL; all are dropped at the end of the run.
    """
    made: list[str] = []
    server = _servers.postgres_url()

    def make() -> str:
        made.append(create_database(server, len(made)))
        return made[-1]

    yield make
    for url in made:
        drop_database(url)
