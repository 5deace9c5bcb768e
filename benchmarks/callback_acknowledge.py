"""Acknowledging a notification: signed, checked and committed before the answer,
against an Express endpoint that only logs.

Starts daphne and uvicorn (`pip install` into a throw-away folder: it is no dependency
of ours), each on SQLite and on PostgreSQL, and the peer (`npm install` likewise); then
one load generator speaks to each in turn, several rounds interleaved, so that whatever
else the machine does hits all alike. No worker runs: what is measured is the
acknowledgement, the bell for the worker included.

    python3 -m benchmarks.callback_acknowledge [--seconds 5] [--rounds 3]
                                               [--servers daphne,uvicorn]

Goals at 64 connections: 0.3 of the peer's requests on daphne, 0.75 on uvicorn.

A PostgreSQL given in DATABASE_URL or TEST_DATABASE_URL is used (its database must be
empty); else an installed one is started with fsync on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.durable_postgres import durable_postgres
from tests.server_process import CannotStart, free_port
from tests.server_redis import start_own

HERE = Path(__file__).parent
CHECKOUT = HERE.parent
CONNECTIONS = (8, 64)
PACKAGES = "packages"
WARM_UP = 1.0
"""Seconds of load before the first measured round."""
PEER = "Express that only logs"
SERVERS = {
    "daphne": "photowall.serving -v 0 -b 127.0.0.1 -p {port}",
    "uvicorn": "uvicorn --host 127.0.0.1 --port {port} --lifespan off --no-access-log"
    " --log-level warning photowall.asgi:application",
}


@dataclass(frozen=True)
class Measured:
    """One run of the load generator; latencies in milliseconds."""

    requests: int
    errors: int
    seconds: float
    p50: float
    p99: float

    @property
    def rps(self) -> float:
        """Good answers a second."""
        return (self.requests - self.errors) / self.seconds


def main() -> None:
    """Run it and print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--servers", default="daphne,uvicorn")
    asked = parser.parse_args()
    secret = secrets.token_hex(16)
    folder = Path(tempfile.mkdtemp(prefix="photowall-benchmark-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        broker = start_own()
        stack.callback(broker.close)
        urls = {PEER: stack.enter_context(express(folder))}
        for server in asked.servers.split(","):
            if server == "uvicorn" and not uvicorn(folder):
                print("uvicorn cannot be installed here, and is not measured.")
                continue
            at = folder / server
            sqlite = f"sqlite:///{at / 'sqlite' / 'db.sqlite3'}"
            urls[f"{server}, SQLite"] = stack.enter_context(
                photowall(at / "sqlite", sqlite, broker.url, secret, server)
            )
            with contextlib.suppress(CannotStart):
                database, title = stack.enter_context(postgres())
                urls[f"{server}, {title}"] = stack.enter_context(
                    photowall(at / "postgres", database, broker.url, secret, server)
                )
        for url in urls.values():
            load(url, 8, WARM_UP, secret)
        runs: dict[tuple[str, int], list[Measured]] = {}
        for _ in range(asked.rounds):
            for connections in CONNECTIONS:
                for name, url in urls.items():
                    run = load(url, connections, asked.seconds, secret)
                    runs.setdefault((name, connections), []).append(run)
    report(runs, asked.rounds, asked.seconds, broker.title)


def report(
    runs: dict[tuple[str, int], list[Measured]],
    rounds: int,
    seconds: float,
    broker: str,
) -> None:
    """Medians of the rounds; the ratio is of medians of rps."""
    print(f"{platform.platform()}, {os.cpu_count()} cores, {broker},")
    print(f"Python {platform.python_version()}, Node {_version('node')};")
    print(f"medians of {rounds} interleaved rounds of {seconds:g} s.\n")
    print("| | connections | rps | p50 ms | p99 ms | errors | ratio of rps |")
    print("|---|---|---|---|---|---|---|")
    for (name, connections), own in sorted(runs.items(), key=lambda run: run[0][1]):
        peer = statistics.median(run.rps for run in runs[PEER, connections])
        rps = statistics.median(run.rps for run in own)
        p50 = statistics.median(run.p50 for run in own)
        p99 = statistics.median(run.p99 for run in own)
        errors = sum(run.errors for run in own)
        print(
            f"| {name} | {connections} | {rps:,.0f} | {p50:.1f} | {p99:.1f} "
            f"| {errors} | {rps / peer:.2f} |"
        )


def load(url: str, connections: int, seconds: float, secret: str) -> Measured:
    """One run against ``url``."""
    command = ["node", str(HERE / "signed_posts.js"), url]
    command += [str(connections), str(seconds), secret]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Measured(**json.loads(done.stdout))


@contextlib.contextmanager
def express(folder: Path) -> Iterator[str]:
    """The peer's callback."""
    home = folder / "express"
    shutil.copytree(HERE / "peers" / "express_log", home)
    install = ["npm", "install", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(install, cwd=home, check=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}/callback"
    with process(["node", "server.js", str(port)], dict(os.environ), home, home, url):
        yield url


def uvicorn(folder: Path) -> bool:
    """Install it beside the other throw-away things; whether that worked."""
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--target"]
    words += [str(folder / PACKAGES), "uvicorn", "httptools", "uvloop"]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    return done.returncode == 0


@contextlib.contextmanager
def photowall(
    folder: Path, database: str, broker: str, secret: str, server: str = "daphne"
) -> Iterator[str]:
    """The callback of a followed tag, on one server process."""
    (folder / "var").mkdir(parents=True)
    environment = {
        **os.environ,
        "DATABASE_URL": database,
        "REDIS_URL": broker,
        "SECRET_KEY": secrets.token_hex(32),
        "PHOTOWALL_VAR": str(folder / "var"),
        "PHOTOWALL_ROLE": "web",
        "DJANGO_SETTINGS_MODULE": "photowall.settings",
        "PYTHONPATH": str(folder.parent.parent / PACKAGES),
    }
    made = subprocess.run(
        [sys.executable, "-m", "benchmarks.followed_tag", secret],
        env=environment,
        cwd=CHECKOUT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    port = free_port()
    command = [sys.executable, "-m", *SERVERS[server].format(port=port).split()]
    base = f"http://127.0.0.1:{port}"
    with process(command, environment, CHECKOUT, folder, f"{base}/healthz"):
        yield base + made.stdout.split()[-1]


@contextlib.contextmanager
def process(
    command: Sequence[str],
    environment: dict[str, str],
    where: Path,
    logs: Path,
    url: str,
) -> Iterator[int]:
    """The pid of a server that answers ``url``; its output goes to a file, as a log
    does."""
    with (logs / "server.log").open("wb") as log:
        running = subprocess.Popen(
            command, env=environment, cwd=where, stdout=log, stderr=log
        )
        try:
            deadline = time.monotonic() + 60
            while not _answers(url):
                if running.poll() is not None or time.monotonic() > deadline:
                    words = (logs / "server.log").read_text(errors="replace")
                    raise CannotStart(f"{command[0]} does not answer: {words[-500:]}")
                time.sleep(0.1)
            yield running.pid
        finally:
            running.terminate()
            running.wait(10)


@contextlib.contextmanager
def postgres() -> Iterator[tuple[str, str]]:
    """A database, and what it is: the one that was given, or one of our own."""
    given = os.environ.get("TEST_DATABASE_URL") or os.environ.get("DATABASE_URL", "")
    if given.startswith(("postgres:", "postgresql:")):
        yield given, "PostgreSQL as given"
        return
    with durable_postgres() as own:
        yield own


def _answers(url: str) -> bool:
    try:
        # Our own servers on the loopback only.
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _version(program: str) -> str:
    said = subprocess.run(
        [program, "--version"], check=True, capture_output=True, text=True
    )
    return said.stdout.strip()


if __name__ == "__main__":
    main()
