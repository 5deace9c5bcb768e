"""A PostgreSQL of a benchmark's own that really writes: fsync as in production.

The tests' server is faster than any real one, since losing its rows costs nothing.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.server_postgres import _installed, _make_cluster
from tests.server_process import (
    CannotStart,
    ServerProcess,
    free_port,
    new_folder,
    runs_as_root,
)

PASSWORD = "benchmark-on-the-loopback"  # noqa: S105  a server of some minutes


@contextlib.contextmanager
def durable_postgres() -> Iterator[tuple[str, str]]:
    """The URL of an empty database, and the server's version. Raises
    ``CannotStart`` where no server is installed."""
    installed = next(iter(_installed()), None)
    if installed is None:
        raise CannotStart("PostgreSQL is not installed")
    folder = new_folder("benchmark-postgres", for_nobody=runs_as_root())
    try:
        _make_cluster(installed, folder, PASSWORD, runs_as_root())
        server, port = _started(installed, folder)
        try:
            place = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port}"
            with psycopg.connect(f"{place}/postgres", autocommit=True) as own:
                own.execute("CREATE DATABASE photowall")
                version = own.info.server_version // 10000
            yield f"{place}/photowall", f"PostgreSQL {version}, fsync on"
        finally:
            server.stop(signal.SIGINT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _started(installed: Path, folder: Path) -> tuple[ServerProcess, int]:
    port = free_port()
    command = [str(installed / "postgres"), "-D", str(folder / "data"), "-p", str(port)]
    for setting in ("listen_addresses=127.0.0.1", "unix_socket_directories="):
        command += ["-c", setting]
    server = ServerProcess(command, folder, as_nobody=runs_as_root())
    place = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port}/postgres"

    def answers() -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(place, connect_timeout=2).close()
            return True
        return False

    server.wait_until(answers)
    return server, port
