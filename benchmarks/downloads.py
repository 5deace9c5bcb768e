"""A thousand pictures from the sandbox, of which 5 % are cut off, 5 % slow and 5 % 500:
our downloads against a loop of ``requests.get`` that writes down what it gets.

    python3 -m benchmarks.downloads [--rounds 5] [--posts 200] [--different 24]

The sandbox is a process of its own and is met over HTTP only; it draws ``--different``
pictures, and each post shows one of them. Both ways fetch the same posts with four
threads, in rounds that go one way, the other way, one way …. Ours runs on a PostgreSQL
with fsync on and does all that a worker does: claims, looking at the file, the store,
rows, all sizes of each different picture, the journal. The waits of its schedule (30 s,
5 min, …) are made short here, or a round would take hours; nothing else is changed.

Each file is compared with what the sandbox says to be the true one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.durable_postgres import durable_postgres
from tests.sandbox.started import ROOT, Started, _answers
from tests.server_redis import start_own

SHARE = 0.05
AT_ONCE = 5
"""Posts of one call: a picture that is new has to be drawn first."""
FAULTS = ("picture_cut_off", "picture_slow", "picture_500")


def main() -> None:
    """Run it and print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--posts", type=int, default=200)
    parser.add_argument("--different", type=int, default=24)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="photowall-benchmark-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        broker = start_own()
        stack.callback(broker.close)
        database, title = stack.enter_context(durable_postgres())
        sandbox = stack.enter_context(_sandbox(folder, asked.different))
        tags = [f"round{number}" for number in range(asked.rounds)]
        for tag in tags:
            _publish(sandbox, tag, asked.posts)
        faults = [{"kind": kind, "share": SHARE, "seconds": 3_600} for kind in FAULTS]
        sandbox.tell("PUT", "faults/", {"faults": faults, "seed": 7})
        environment = {
            **os.environ,
            "DATABASE_URL": database,
            "REDIS_URL": broker.url,
            "SECRET_KEY": "benchmark-" * 5,
            "PHOTOWALL_VAR": str(folder / "var"),
            "PHOTOWALL_ROLE": "worker",
            "PHOTOWALL_PRIVATE_HOSTS": urlsplit(sandbox.url).netloc,
            "DJANGO_SETTINGS_MODULE": "photowall.settings",
            "LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, "-m", "benchmarks.downloads_rounds"]
        done = subprocess.run(
            [*command, sandbox.url, *tags],
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        met = sandbox.tell("GET", "faults/")
    report(json.loads(done.stdout), title, met)


@contextlib.contextmanager
def _sandbox(folder: Path, different: int) -> Iterator[Started]:
    sandbox = Started(folder / "upstream")
    (folder / "upstream").mkdir()
    sandbox.environment["PHOTOWALL_SANDBOX_PICTURES"] = str(different)
    with sandbox.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "sandbox", "--no-publish"],
            cwd=ROOT,
            env=sandbox.environment,
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + 90
        while not _answers(sandbox.url):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(sandbox.log.read_text("utf-8")[-2_000:])
            time.sleep(0.1)
        yield sandbox
    finally:
        process.kill()
        process.wait()


def _publish(sandbox: Started, tag: str, count: int) -> None:
    left = count
    while left:
        left -= len(sandbox.publish(tag, min(left, AT_ONCE)))


def report(rounds: list[dict[str, Any]], title: str, met: dict[str, Any]) -> None:
    """Medians of the rounds; lost and wrong are sums."""
    ours, naive = ([one[way] for one in rounds] for way in ("ours", "naive"))
    print(f"{platform.platform()}, {os.cpu_count()} cores,")
    print(f"Python {platform.python_version()}; {title}; medians of {len(rounds)}")
    print(f"interleaved rounds of {rounds[0]['posts']} posts.\n")
    print("| | downloads/s | lost | wrong bytes | retries |")
    print("|---|---|---|---|---|")
    for name, runs in (("Photowall", ours), ("requests.get", naive)):
        rate = statistics.median(run["rate"] for run in runs)
        lost, wrong, retries = (
            sum(run[what] for run in runs) for what in ("lost", "wrong", "retries")
        )
        print(f"| {name} | {rate:.1f} | {lost} | {wrong} | {retries} |")
    pairs = zip(ours, naive, strict=True)
    ratio = statistics.median(one["rate"] / other["rate"] for one, other in pairs)
    cpu = [statistics.median(run["cpu"] for run in way) * 1000 for way in (ours, naive)]
    print(f"\nDownloads/s, ours to theirs: {ratio:.2f}. Processor time of a download,")
    print(f"without the decoding process: {cpu[0]:.0f} ms to {cpu[1]:.0f} ms.")
    print("The waits before a retry were made short: 0.2 s, 0.4 s, 0.8 s … .")
    print(f"The sandbox did: {json.dumps(met['injected'])}.")


if __name__ == "__main__":
    main()
