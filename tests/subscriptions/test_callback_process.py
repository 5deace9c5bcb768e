"""The callback of a running web server: over a socket, and when it is killed."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.server_process import free_port
from tests.subscriptions.upstream import SECRET, notification, signed

ROOT = Path(__file__).resolve().parents[2]
MIB = 1024 * 1024
PATIENCE = 6.0
"""Seconds: twice what is promised, for a machine that runs other tests beside."""


@dataclass
class Web:
    """A web server with one followed tag, and its database."""

    process: subprocess.Popen[bytes]
    port: int
    path: str
    database: str

    def post(self, body: bytes) -> int:
        """The status of one signed notification on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", self.path, body, signed(body))
            return connection.getresponse().status
        finally:
            connection.close()

    def say(self, said: bytes, *, then_leave: bool = False) -> bytes:
        """All that is answered to these bytes; must come within ``PATIENCE``."""
        began = time.monotonic()
        heard = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as line:
            line.sendall(said)
            if then_leave:
                line.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                while piece := line.recv(65_536):
                    heard += piece
        assert time.monotonic() - began < PATIENCE
        return heard

    def kept(self) -> set[str]:
        """The hashes of the bodies that are in the database."""
        question = "SELECT body_sha256 FROM subscriptions_receipt"
        if self.database.startswith("sqlite"):
            with contextlib.closing(
                sqlite3.connect(self.database.removeprefix("sqlite:///"))
            ) as lite:
                return {row[0] for row in lite.execute(question)}
        with psycopg.connect(self.database) as postgres:
            return {row[0] for row in postgres.execute(question)}


@contextlib.contextmanager
def web(folder: Path, database: str) -> Iterator[Web]:
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": database,
        "PHOTOWALL_VAR": str(folder),
        "PHOTOWALL_ROLE": "web",
        "SECRET_KEY": "of a web server that lives for some seconds",
        "DJANGO_SETTINGS_MODULE": "photowall.settings",
    }
    made = subprocess.run(
        [sys.executable, "-m", "benchmarks.followed_tag", SECRET, "nofilter"],
        env=environment,
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    command = [sys.executable, "-m", "photowall.serving", "-b", "127.0.0.1"]
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-p", str(port)],
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        try:
            deadline = time.monotonic() + 60
            while True:
                assert process.poll() is None, (folder / "web.log").read_text()
                with contextlib.suppress(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                assert time.monotonic() < deadline, "not up in time"
                time.sleep(0.05)
            yield Web(process, port, made.stdout.split()[-1], database)
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    with web(folder, f"sqlite:///{folder / 'db.sqlite3'}") as each:
        yield each


def head(running: Web, *lines: bytes, method: bytes = b"POST") -> bytes:
    first = b"%s %s HTTP/1.1" % (method, running.path.encode())
    return b"\r\n".join(
        [first, b"Host: 127.0.0.1", b"Connection: close", *lines, b"", b""]
    )


def signature(body: bytes) -> bytes:
    return b"X-Hub-Signature: " + signed(body)["x-hub-signature"].encode()


def status_of(answer: bytes) -> int:
    match = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    assert match, answer[:200]
    return int(match[1])


def test_a_notification_over_a_socket_is_kept(running: Web) -> None:
    body = notification(time=1)
    whole = head(running, signature(body), b"Content-Length: %d" % len(body)) + body
    answer = running.say(whole)
    assert status_of(answer) == 200
    assert b"nosniff" in answer
    assert b"no-store" in answer
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    asked = head(running, signature(body), b"Transfer-Encoding: chunked") + chunks
    assert status_of(running.say(asked)) == 200
    assert hashlib.sha256(body).hexdigest() in running.kept()


def test_over_a_socket_too_much_is_refused(running: Web) -> None:
    before = running.kept()
    body = b" " * (MIB + 1)
    length = b"Content-Length: %d" % len(body)
    assert status_of(running.say(head(running, signature(body), length) + body)) == 413
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    asked = head(running, signature(body), b"Transfer-Encoding: chunked")
    assert status_of(running.say(asked + chunks)) == 413
    announced = head(running, signature(b"[]"), b"Content-Length: 99999999999") + b"[]"
    assert status_of(running.say(announced)) == 413
    assert running.kept() == before


def test_a_length_that_is_a_lie_keeps_nothing(running: Web) -> None:
    before = running.kept()
    body = notification(time=2)
    more = (
        head(running, signature(body), b"Content-Length: %d" % (len(body) + 9)) + body
    )
    assert running.say(more, then_leave=True) in {
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    }
    less = (
        head(running, signature(body), b"Content-Length: %d" % (len(body) - 9)) + body
    )
    assert status_of(running.say(less)) == 403
    two = b"Content-Length: 5\r\nContent-Length: %d" % len(body)
    assert status_of(running.say(head(running, signature(body), two) + body)) == 400
    minus = head(running, signature(body), b"Content-Length: -5") + body
    assert status_of(running.say(minus)) == 400
    assert running.kept() == before
    assert running.post(body) == 200
    assert running.kept() != before


@pytest.mark.parametrize(
    ("method", "line", "status"),
    [
        (b"PUT", b"X-A: b", 405),
        (b"HEAD", b"X-A: b", 405),
        (b"GET", b"X-HTTP-Method-Override: POST", 404),
        (b"POST", b"X-Hub-Signature: \xff\xfe", 403),
        (b"POST", b"X-Hub-Signature: \x01", 403),
        (b"POST", b"X-Hub-Signature:", 403),
        (b"POST", b"Content-Type: multipart/form-data; boundary=x", 403),
        (b"POST", b"Content-Type: application/x-www-form-urlencoded", 403),
    ],
)
def test_odd_requests_over_a_socket_are_refused(
    running: Web, method: bytes, line: bytes, status: int
) -> None:
    before = running.kept()
    body = b"" if method in {b"GET", b"HEAD"} else b"--x\r\n\x00%00&&==\r\n"
    length = b"Content-Length: %d" % len(body)
    asked = head(running, line, length, method=method) + body
    assert status_of(running.say(asked)) == status
    assert running.kept() == before
    assert running.post(notification(time=time.time_ns())) == 200


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_what_was_answered_200_outlives_a_kill(
    tmp_path: Path, new_postgres_database: Callable[[], str], kind: str
) -> None:
    here = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    database = here if kind == "sqlite" else new_postgres_database()
    answered: set[str] = set()
    enough = threading.Event()
    with web(tmp_path, database) as running:

        def send(start: int) -> None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                for number in range(start, start + 10_000):
                    body = notification(time=number)
                    if running.post(body) == 200:
                        answered.add(hashlib.sha256(body).hexdigest())
                    if len(answered) >= 100:
                        enough.set()

        threads = [threading.Thread(target=send, args=(10_000 * i,)) for i in range(16)]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait()
        for thread in threads:
            thread.join()
        kept = running.kept()
    assert len(answered) >= 100
    assert answered <= kept
