"""A storm: 10,000 signed notifications in 10 s about one tag, to a whole instance.

Starts web, worker with timetable, broker and an upstream that counts its calls and goes
on posting; once on SQLite, once on PostgreSQL with fsync on. Prints how the
notifications were answered, what the upstream was asked, how memory grew, and when all
was read.

    python3 -m benchmarks.storm [--count 10000] [--seconds 10]
                                [--databases sqlite,postgres]

Goals: all answered 200, p99 ≤ 1 s, ≤ 12 calls, memory + ≤ 100 MB, drained within 60 s.
The exit code is 1 if one is missed. A PostgreSQL as in ``callback_acknowledge``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.callback_acknowledge import CHECKOUT, HERE, postgres, process
from benchmarks.counting_upstream import Listing, serving
from tests.server_process import CannotStart, free_port
from tests.server_redis import start_own

TAG = "storm"
POSTS_A_SECOND = 10
"""So many are posted while the storm lasts: there is something to read."""
PATIENCE = 180
"""Seconds until a storm that does not drain is given up."""
COLUMNS = (
    *("database", "answered 200", "errors", "p50 ms", "p99 ms", "worst ms"),
    *("receipts", "calls", "web + MB", "worker + MB", "drained s", "archived"),
    "goals",
)
GOALS = {"p99_ms": 1000, "calls": 12, "memory_mb": 100, "drained_s": 60}
_LEFT = (
    "SELECT (SELECT count(*) FROM subscriptions_feed WHERE dirty_seq > done_seq)"
    " + (SELECT count(*) FROM subscriptions_gap WHERE closed_at IS NULL),"
    " (SELECT count(*) FROM media_archive_mediaitem),"
    " (SELECT count(*) FROM subscriptions_receipt)"
)


@dataclass
class Instance:
    """A running Photowall that follows ``TAG``."""

    url: str
    database: str
    listing: Listing
    pids: dict[str, int]
    most: dict[str, float] = field(default_factory=dict)

    def state(self) -> tuple[int, int, int]:
        """Work left, items archived, receipts kept."""
        if self.database.startswith("sqlite"):
            path = self.database.removeprefix("sqlite:///")
            with contextlib.closing(sqlite3.connect(path, timeout=20)) as lite:
                row = lite.execute(_LEFT).fetchone()
        else:
            with psycopg.connect(self.database) as connection:
                row = connection.execute(_LEFT).fetchone() or (0, 0, 0)
        return int(row[0]), int(row[1]), int(row[2])

    def calls(self) -> int:
        """How often the upstream was asked, for whatever."""
        return self.listing.calls.total()

    def drained(self) -> bool:
        """Whether all that was posted is archived and nothing is due."""
        left, items, _ = self.state()
        return left == 0 and items == len(self.listing.posts)

    def wait_until_drained(self) -> float:
        """Seconds it took."""
        began = time.monotonic()
        while not self.drained():
            if time.monotonic() - began > PATIENCE:
                raise CannotStart(f"not drained: {self.state()}")
            self.look()
            time.sleep(0.2)
        return time.monotonic() - began

    def memory(self) -> dict[str, float]:
        """Resident MB of each process."""
        return {name: _resident(pid) for name, pid in self.pids.items()}

    def look(self) -> None:
        """Remember the most memory seen."""
        for name, size in self.memory().items():
            self.most[name] = max(size, self.most.get(name, 0))


def main() -> int:
    """Run it and print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--databases", default="sqlite,postgres")
    asked = parser.parse_args()
    secret = secrets.token_hex(16)
    print(f"{platform.platform()}, {os.cpu_count()} cores; ", end="")
    print(f"{asked.count:,} notifications in {asked.seconds:g} s.\n")
    print("| " + " | ".join(COLUMNS) + " |")
    print("|" + "---|" * len(COLUMNS))
    missed = 0
    for kind in asked.databases.split(","):
        with contextlib.ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(prefix="photowall-storm-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            database, title = f"sqlite:///{folder / 'db.sqlite3'}", "SQLite"
            if kind == "postgres":
                database, title = stack.enter_context(postgres())
            running = stack.enter_context(instance(folder, database, secret))
            found = storm(running, asked.count, asked.seconds, secret)
        missed += not report(title, found, asked.count)
    return 1 if missed else 0


def storm(running: Instance, count: int, seconds: float, secret: str) -> dict[str, Any]:
    """One storm after a small one that warms everything up."""
    for _ in range(5):
        running.listing.post()
    paced(running.url, 200, 1, secret)
    running.wait_until_drained()
    before, calls, kept = running.memory(), running.calls(), running.state()[2]
    running.most = dict(before)
    over = threading.Event()

    def go_on_posting() -> None:
        while not over.wait(1 / POSTS_A_SECOND):
            running.listing.post()
            running.look()

    poster = threading.Thread(target=go_on_posting)
    poster.start()
    try:
        said = paced(running.url, count, seconds, secret)
    finally:
        over.set()
        poster.join()
    drained = running.wait_until_drained()
    _, items, receipts = running.state()
    return {
        **said,
        "receipts": receipts - kept,
        "calls": running.calls() - calls,
        "grown": {name: running.most[name] - before[name] for name in before},
        "drained": drained,
        "items": items,
        "posts": len(running.listing.posts),
    }


def report(title: str, found: dict[str, Any], count: int) -> bool:
    """One row of the table; whether all goals are reached."""
    errors = sum(found["errors"].values())
    good = found["requests"] - sum(
        number for why, number in found["errors"].items() if why.isdigit()
    )
    grown = found["grown"]
    reached = (
        good == count == found["receipts"]
        and found["p99"] <= GOALS["p99_ms"]
        and found["calls"] <= GOALS["calls"]
        and max(grown.values()) <= GOALS["memory_mb"]
        and found["drained"] <= GOALS["drained_s"]
    )
    print(
        f"| {title} | {good:,} | {errors} {found['errors'] or ''} "
        f"| {found['p50']:.0f} | {found['p99']:.0f} | {found['worst']:.0f} "
        f"| {found['receipts']:,} | {found['calls']} "
        f"| {grown['web']:.0f} | {grown['worker']:.0f} | {found['drained']:.1f} "
        f"| {found['items']} of {found['posts']} | {'ok' if reached else 'MISSED'} |"
    )
    return bool(reached)


def paced(url: str, count: int, seconds: float, secret: str) -> dict[str, Any]:
    """Send notifications at a pace; what the generator says."""
    command = ["node", str(HERE / "paced_posts.js"), url, str(count), str(seconds)]
    done = subprocess.run(
        [*command, secret, TAG], check=True, capture_output=True, text=True
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@contextlib.contextmanager
def instance(folder: Path, database: str, secret: str) -> Iterator[Instance]:
    """Web, worker with timetable, broker and upstream."""
    with contextlib.ExitStack() as stack:
        broker = start_own()
        stack.callback(broker.close)
        listing = Listing(TAG)
        upstream_port, port = free_port(), free_port()
        upstream = stack.enter_context(serving(listing, upstream_port))
        base = f"http://127.0.0.1:{port}"
        shared = {
            **os.environ,
            "DATABASE_URL": database,
            "REDIS_URL": broker.url,
            "SECRET_KEY": secrets.token_hex(32),
            "PHOTOWALL_VAR": str(folder),
            "PHOTOWALL_BASE_URL": base,
            "PHOTOWALL_PRIVATE_HOSTS": f"127.0.0.1:{upstream_port}",
            "DJANGO_SETTINGS_MODULE": "photowall.settings",
        }
        words = ["-m", "benchmarks.followed_tag", secret, TAG, upstream]
        made = subprocess.run(
            [sys.executable, *words],
            env={**shared, "PHOTOWALL_ROLE": "command"},
            cwd=CHECKOUT,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        url = base + made.stdout.split()[-1]
        listing.callback = url
        pids = {}
        for name, module, ready in (
            ("web", ["photowall.serving", "-b", "127.0.0.1", "-p", str(port)], base),
            ("worker", ["photowall.up.worker"], base),
        ):
            (folder / name).mkdir()
            pids[name] = stack.enter_context(
                process(
                    [sys.executable, "-m", *module],
                    {**shared, "PHOTOWALL_ROLE": name},
                    CHECKOUT,
                    folder / name,
                    f"{ready}/healthz",
                )
            )
        yield Instance(url, database, listing, pids)


def _resident(pid: int) -> float:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


if __name__ == "__main__":
    sys.exit(main())
