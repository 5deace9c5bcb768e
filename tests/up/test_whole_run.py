"""`manage.py up` as a person runs it, without the sandbox: begun, hurt, ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import pytest

from photowall.up.child import born
from photowall.up.ports import answers_http, is_free
from tests.server_process import free_port

ROOT = Path(__file__).resolve().parents[2]


def until(ready: Callable[[], object], what: str, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


@contextmanager
def up(var: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A running `up` on the embedded stores; its words are in `var`.txt."""
    environment = {**os.environ, "PHOTOWALL_VAR": str(var)}
    for name in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"):
        environment.pop(name, None)
    with var.with_suffix(".txt").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--no-sandbox", *words],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(20)


def said(var: Path) -> str:
    return var.with_suffix(".txt").read_text()


def pids(var: Path) -> dict[str, int]:
    files = (var / "run").glob("*.pid")
    return {path.stem: int(path.read_text().split()[0]) for path in files}


def is_open(path: Path) -> bool:
    """Whether others than its owner may do anything with it."""
    try:
        return bool(path.lstat().st_mode & 0o077)
    except FileNotFoundError:
        return False  # a draft that has become a file meanwhile


def broker_of(pid: int) -> SplitResult:
    """The REDIS_URL that a process was given."""
    variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return urlsplit(dict(v.split("=", 1) for v in variables if v)["REDIS_URL"])


def told(port: int, *commands: str) -> bytes:
    """What the broker answers to commands sent by anybody."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as caller:
        caller.sendall("".join(f"{words}\r\n" for words in commands).encode())
        caller.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: caller.recv(4096), b""))


def check_the_broker(var: Path) -> None:
    """It obeys nobody without its password, which no process shows."""
    secret = json.loads((var / "secrets.json").read_text())["broker_password"]
    broker = broker_of(pids(var)["web"])
    assert broker.password == secret
    assert broker.port is not None
    assert told(broker.port, "FLUSHALL").startswith(b"-NOAUTH")
    assert told(broker.port, f"AUTH {secret}", "PING") == b"+OK\r\n+PONG\r\n"
    for pid in pids(var).values():
        assert secret.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    for log in (var / "log").glob("*.log"):
        assert secret not in log.read_text()


@pytest.mark.timeout(180)
def test_it_starts_restarts_what_dies_and_ends_whole(tmp_path: Path) -> None:
    var, port = tmp_path / "var", free_port()
    with up(var, f"--port={port}") as process:
        until(lambda: "Photowall runs" in said(var) or process.poll(), "the banner")
        assert process.poll() is None, said(var)
        demo = json.loads((var / "demo.json").read_text())
        assert (var / "demo.json").stat().st_mode & 0o777 == 0o600
        assert demo["wall"] == f"http://127.0.0.1:{port}/wall/photowall/"
        assert demo["sandbox"] is None
        assert demo["admin_password"] in said(var)

        assert [str(path) for path in var.rglob("*") if is_open(path)] == []
        assert (var / "db.sqlite3").exists()

        if sys.platform == "linux":
            check_the_broker(var)

        before = pids(var)
        assert set(before) == {"broker", "web", "worker"}
        os.kill(before["web"], signal.SIGKILL)
        until(lambda: "Started web again." in said(var), "a second web")
        until(lambda: answers_http(port), "an answer of it")
        after = pids(var)
        assert after["web"] != before["web"]
        assert after["worker"] == before["worker"]
        assert "web was ended by signal 9; starting it again in 0.5 s" in said(var)

        process.send_signal(signal.SIGHUP)
        assert process.wait(30) == 0, said(var)
    assert [name for name, pid in after.items() if born(pid)] == []
    assert pids(var) == {}


@pytest.mark.timeout(180)
def test_a_taken_port_is_passed_over_and_a_killed_run_is_cleared_away(
    tmp_path: Path,
) -> None:
    var = tmp_path / "var"
    with socket.socket() as listener:
        if is_free(8000):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", 8000))
            listener.listen()
        with up(var) as process:
            until((var / "run" / "broker.pid").exists, "a broker")
            until(lambda: "taken, so the web listens on" in said(var), "another port")
            broker = pids(var)["broker"]
            process.kill()
            process.wait(5)
    (var / "run" / "broker.pid").write_text(f"{broker} {born(broker) or 'gone'}\n")
    with up(var, f"--port={free_port()}") as process:
        until(lambda: "Photowall runs" in said(var) or process.poll(), "the banner")
        assert process.poll() is None, said(var)
        assert not born(broker)
        assert pids(var)["broker"] != broker
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, said(var)
