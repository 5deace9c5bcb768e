"""The two databases of the fault tests, each our own and ours to harm.

Our questions are constant SQL without parameters and go around Django: what is
asked here is what is on the disk.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.processes import Process
from tests.server_postgres import _installed, _make_cluster, _wheel
from tests.server_process import CannotStart, free_port, new_folder, runs_as_root

Rows = list[tuple[Any, ...]]


class Database(ABC):
    """A database that can be asked directly, and stopped."""

    name: str
    url: str

    @abstractmethod
    def start(self) -> None:
        """Start it, if it does not run, and wait until it answers."""

    @abstractmethod
    def ask(self, sql: str) -> Rows:
        """The rows of a question. Raises ``DatabaseAway``."""

    @abstractmethod
    def change(self, sql: str) -> None:
        """Run and commit. Raises ``DatabaseAway``."""

    @abstractmethod
    def end(self) -> None:
        """Stop it for good and remove its files."""


class DatabaseAway(Exception):
    """It did not answer."""


class SqliteFile(Database):
    """A file; its harm comes from other connections and from the file system."""

    name = "sqlite"

    def __init__(self, path: Path, patience: float = 10) -> None:
        self.path = path
        self._patience = patience
        self.url = f"sqlite:///{path}"

    def start(self) -> None:
        """A file is always there."""

    def end(self) -> None:
        """It goes with its folder."""

    def ask(self, sql: str) -> Rows:
        try:
            with contextlib.closing(self._connect()) as own:
                return own.execute(sql).fetchall()
        except sqlite3.Error as error:
            raise DatabaseAway(str(error)) from error

    def change(self, sql: str) -> None:
        try:
            with contextlib.closing(self._connect()) as own:
                own.execute(sql)
        except sqlite3.Error as error:
            raise DatabaseAway(str(error)) from error

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else can write."""
        with contextlib.closing(self._connect(30)) as own:
            own.execute("BEGIN EXCLUSIVE")
            try:
                yield
            finally:
                own.execute("ROLLBACK")

    def _connect(self, patience: float | None = None) -> sqlite3.Connection:
        patience = patience or self._patience
        return sqlite3.connect(self.path, timeout=patience, isolation_level=None)


class PostgresCluster(Database):
    """A server of our own: it may crash, hang and lose its connections.

    ``fsync`` is off, since the machine does not crash; commits are synchronous, so
    that nothing committed is lost with the processes. Segments of the log are small:
    a limit on the size of files then meets tables before it meets the log.
    """

    name = "postgresql"

    def __init__(self) -> None:
        as_root = runs_as_root()
        self.folder = new_folder("faults-postgres", for_nobody=as_root)
        self._programs = contextlib.ExitStack()
        folder = self._find_programs()
        password = secrets.token_urlsafe(12)
        _make_cluster(folder, self.folder, password, as_root, "--wal-segsize=1")
        port = free_port()
        self._maintenance = f"postgresql://postgres:{password}@127.0.0.1:{port}"
        self.url = f"{self._maintenance}/photowall"
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "100",
            "fsync": "off",
            "synchronous_commit": "on",
            "full_page_writes": "off",
            "max_wal_size": "64MB",
        }
        words = [str(folder / "postgres"), "-D", str(self.folder / "data")]
        words += ["-p", str(port)]
        for setting, value in settings.items():
            words += ["-c", f"{setting}={value}"]
        self.process = Process(
            "postgres",
            words,
            os.environ,
            self.folder,
            self._answers,
            as_nobody=as_root,
        )
        self.process.start()
        with psycopg.connect(f"{self._maintenance}/postgres", autocommit=True) as own:
            own.execute("CREATE DATABASE photowall")

    def _find_programs(self) -> Path:
        for folder in _installed():
            return folder
        return self._programs.enter_context(_wheel())

    def start(self) -> None:
        self.process.start()

    def ask(self, sql: str) -> Rows:
        try:
            with self.connect() as own:
                return own.execute(sql).fetchall()
        except psycopg.Error as error:
            raise DatabaseAway(str(error)) from error

    def change(self, sql: str) -> None:
        try:
            with self.connect() as own:
                own.execute(sql)
        except psycopg.Error as error:
            raise DatabaseAway(str(error)) from error

    def immediate_stop(self) -> None:
        """``pg_ctl stop -m immediate``: every backend dies where it is."""
        self.process.stop(20, signal.SIGQUIT)

    def terminate_backends(self) -> int:
        """Close every connection but the one that says so; how many."""
        rows = self.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = 'photowall' AND pid <> pg_backend_pid()"
        )
        return len(rows)

    def end(self) -> None:
        if self.process.alive:
            self.process.go_on()
            self.process.stop(15, signal.SIGINT)
        self.process.end()
        self._programs.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.Error):
            place = f"{self._maintenance}/postgres"
            with psycopg.connect(place, connect_timeout=2):
                return True
        return False

    def connect(self) -> psycopg.Connection:
        """One more connection. Raises ``psycopg.OperationalError``."""
        return psycopg.connect(self.url, connect_timeout=5, autocommit=True)


def wait_for(database: Database, seconds: float = 60) -> None:
    """Return when it answers again. Raises ``CannotStart``."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            database.ask("SELECT 1")
        except DatabaseAway as error:
            if time.monotonic() > deadline:
                raise CannotStart(f"the database stays away: {error}") from error
            time.sleep(0.1)
        else:
            return
