"""The parts of an instance that harm is done to."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.databases import DatabaseAway, SqliteFile
from tests.faults.front import Front
from tests.faults.kinds_databases import UNLIMITED, limit_files
from tests.faults.processes import Process
from tests.server_process import CannotStart

WRITER = """
import sys
for line in sys.stdin:
    try:
        open(line.strip(), "wb", buffering=0).write(b"x" * 65536)
        print("written", flush=True)
    except OSError:
        print("full", flush=True)
"""


def test_a_process_that_ends_at_once_is_said_to_with_its_last_words(
    tmp_path: Path,
) -> None:
    words = [sys.executable, "-c", "raise SystemExit('no luck')"]
    process = Process("unlucky", words, os.environ, tmp_path, lambda: False)
    with pytest.raises(CannotStart, match="no luck"):
        process.start(20)
    process.end()


def test_a_hanging_process_is_ended_too(tmp_path: Path) -> None:
    words = [sys.executable, "-c", "import time; time.sleep(60)"]
    process = Process("sleeper", words, os.environ, tmp_path)
    process.start()
    process.hang()
    assert process.alive
    process.end()
    assert not process.alive


def test_a_front_without_a_backend_hangs_up_and_with_one_passes_on() -> None:
    front = Front()
    with socket.create_server(("127.0.0.1", 0)) as backend:
        try:
            assert asked(front.port) == b""
            threading.Thread(target=echo, args=(backend,), daemon=True).start()
            front.send_to(backend.getsockname()[1])
            assert asked(front.port) == b"hello"
        finally:
            front.end()


def asked(port: int) -> bytes:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=5)) as client:
        try:
            client.sendall(b"hello")
            return client.recv(100)
        except ConnectionError:
            return b""


def echo(backend: socket.socket) -> None:
    connection, _ = backend.accept()
    with connection:
        connection.sendall(connection.recv(100))


def test_a_locked_file_is_away_for_writers_only(tmp_path: Path) -> None:
    database = SqliteFile(tmp_path / "db.sqlite3")
    database.change("CREATE TABLE t (a)")
    database.change("PRAGMA journal_mode=WAL")
    impatient = SqliteFile(database.path, patience=0.1)
    with database.locked():
        with pytest.raises(DatabaseAway):
            impatient.change("INSERT INTO t VALUES (1)")
        assert impatient.ask("SELECT count(*) FROM t") == [(0,)]
    impatient.change("INSERT INTO t VALUES (1)")
    assert database.ask("SELECT count(*) FROM t") == [(1,)]


@pytest.fixture
def writer() -> Iterator[subprocess.Popen[str]]:
    """A process that writes to the file whose name it reads, and says how it went."""
    words = [sys.executable, "-c", WRITER]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.kill()


def test_a_disk_is_full_for_a_process_that_runs_until_it_is_not(
    writer: subprocess.Popen[str], tmp_path: Path
) -> None:
    def write() -> str:
        assert writer.stdin and writer.stdout
        writer.stdin.write(f"{tmp_path / 'file'}\n")
        writer.stdin.flush()
        return writer.stdout.readline().strip()

    assert write() == "written"
    limit_files(writer.pid, "0")
    assert write() == "full"
    limit_files(writer.pid, UNLIMITED)
    assert write() == "written"
