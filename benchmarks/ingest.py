"""Storing posts: ``ingest.store`` in pages of 100, its journal included, against
``update_or_create`` per post as a tutorial would do it.

On SQLite and on a PostgreSQL with fsync on. Both ways store the same kind of posts
into the same tables, in rounds that go one way, the other way, one way …, so that
whatever else the machine does hits both.

    python3 -m benchmarks.ingest [--rounds 5] [--pages 20] [--only sqlite]

The peer writes less: no raw document, no sizes of the pictures, no journal.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.durable_postgres import durable_postgres
from tests.server_process import CannotStart
from tests.server_redis import start_own

CHECKOUT = Path(__file__).parent.parent


def main() -> None:
    """Run it and print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="photowall-benchmark-"))
    found: dict[str, dict[str, Any]] = {}
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        broker = start_own()
        stack.callback(broker.close)

        def measure(title: str, database: str) -> None:
            environment = {
                **os.environ,
                "DATABASE_URL": database,
                "REDIS_URL": broker.url,
                "SECRET_KEY": "benchmark-" * 5,
                "PHOTOWALL_VAR": str(folder / "var"),
                "DJANGO_SETTINGS_MODULE": "photowall.settings",
            }
            command = [sys.executable, "-m", "benchmarks.ingest_rounds"]
            done = subprocess.run(
                [*command, str(asked.rounds), str(asked.pages)],
                cwd=CHECKOUT,
                env=environment,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            found[title] = json.loads(done.stdout)

        if asked.only != "postgresql":
            sqlite = f"sqlite:///{folder / 'db.sqlite3'}"
            measure(f"SQLite {sqlite3.sqlite_version}", sqlite)
        if asked.only != "sqlite":
            with contextlib.suppress(CannotStart):
                database, title = stack.enter_context(durable_postgres())
                measure(title, database)
    report(found, asked.rounds, asked.pages)


def report(found: dict[str, dict[str, Any]], rounds: int, pages: int) -> None:
    """Medians of the rounds; the ratio is the median of each round's ratio."""
    print(f"{platform.platform()}, {os.cpu_count()} cores,")
    print(f"Python {platform.python_version()}; medians of {rounds} interleaved rounds")
    print(f"of {pages} pages of 100 (the peer: 100 posts).\n")
    print("| | | items/s | update_or_create | ratio | lowest | statements: peer |")
    print("|---|---|---|---|---|---|---|")
    for title, told in found.items():
        cases: dict[str, list[dict[str, Any]]] = {}
        for one in told["measured"]:
            cases.setdefault(one["case"], []).append(one)
        for case, runs in cases.items():
            ours = statistics.median(run["ours"] for run in runs)
            peer = statistics.median(run["peer"] for run in runs)
            ratios = sorted(run["ours"] / run["peer"] for run in runs)
            sent = told["statements"][case]
            print(
                f"| {title} | {case} | {ours:,.0f} | {peer:,.0f} "
                f"| {statistics.median(ratios):,.0f} | {ratios[0]:,.0f} "
                f"| {sent['ours']} : {sent['peer']:,} |"
            )


if __name__ == "__main__":
    main()
