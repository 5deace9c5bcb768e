"""A day of an event in a few minutes: does memory stay flat?

Starts `manage.py up` in a folder of its own. Then the hours of a day pass, each as long
as `--minutes` allows: posts at the pace of a day (a quiet night, a full evening), and
people who open the wall and pages of the archive. At the end of each hour the memory of
the web, the worker and the broker is read.

    python3 -m benchmarks.compressed_day [--minutes 10] [--posts 4000]

Goal: from the sixth hour (all code is warm then) to the last, neither the web nor the
worker grows by more than 15 %. And nothing is lost: all posts are in the archive.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

import requests

from benchmarks.first_photo import descendants
from tests.end_to_end.running import Running, running
from tests.server_process import free_port

CURVE = (1, 1, 0, 0, 0, 0, 1, 1, 2, 3, 3, 4, 5, 4, 4, 5, 6, 8, 12, 16, 14, 10, 5, 2)
"""Shares of a day's posts in its 24 hours."""
WARM = 6
"""The hour from which growth is judged."""
GROWTH = 0.15
VISITS = 25
"""Walls, snapshots and pages of the archive asked for each hour."""
AT_ONCE = 200
"""Posts of one call to the sandbox."""
PARTS = {
    "web": "photowall.serving",
    "worker": "photowall.up.worker",
    "broker": "-server ",
}
"""What to recognise a process by, in its command line."""


def main() -> int:
    """Run it and print the table; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--posts", type=int, default=4000)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="photowall-benchmark-"))
    environment = {"PHOTOWALL_SANDBOX_EVERY": "3600"}
    try:
        with running(folder, environment, f"--port={free_port()}") as instance:
            print(f"{platform.platform()}, Python {platform.python_version()}")
            return live(instance, asked.minutes * 60 / len(CURVE), asked.posts)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def live(instance: Running, hour_seconds: float, posts: int) -> int:
    """Let the day pass; the exit code."""
    tag = instance.demo["wall"].rstrip("/").rsplit("/", 1)[-1]
    published: set[str] = set(instance.media(tag))
    memory: list[dict[str, float]] = []
    print("\n| hour | posts | " + " | ".join(f"{name} MB" for name in PARTS) + " |")
    print("|---|---|" + "---|" * len(PARTS))
    for hour, share in enumerate(CURVE, start=1):
        ends = time.monotonic() + hour_seconds
        count = round(posts * share / sum(CURVE))
        while count > 0:
            published |= publish(instance, tag, min(count, AT_ONCE))
            count -= AT_ONCE
        for _ in range(VISITS):
            visit(instance, tag)
        time.sleep(max(0.0, ends - time.monotonic()))
        memory.append(read_memory(instance))
        figures = " | ".join(f"{memory[-1][name]:.0f}" for name in PARTS)
        print(f"| {hour} | {len(published)} | {figures} |", flush=True)
    instance.until(lambda: published <= set(instance.media(tag)), 120)
    return judge(memory, len(published))


def publish(instance: Running, tag: str, count: int) -> set[str]:
    """Post ``count`` pictures at the sandbox; their native ids."""
    secrets = json.loads((instance.var / "secrets.json").read_text())
    answer = requests.post(
        f"{instance.demo['sandbox'].rstrip('/')}/sandbox/publish/",
        json={"tag": tag, "count": count, "every": 0},
        headers={"Authorization": f"Bearer {secrets['sandbox_client_secret']}"},
        timeout=240,
    )
    answer.raise_for_status()
    return {post["native_id"] for post in answer.json()["posts"]}


def visit(instance: Running, tag: str) -> None:
    """One person: the wall, its snapshot, a page of the archive."""
    wall = instance.demo["wall"]
    for url in (wall, f"{wall}snapshot.json"):
        requests.get(url, timeout=20).raise_for_status()
    instance.get("media/", tag=tag, page_size=100).raise_for_status()


def read_memory(instance: Running) -> dict[str, float]:
    """RSS in MB of each part."""
    assert instance.process is not None
    found = dict.fromkeys(PARTS, 0.0)
    for pid in descendants(instance.process.pid):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            status = Path(f"/proc/{pid}/status").read_text()
        except FileNotFoundError:
            continue
        words = command.decode(errors="replace")
        name = next((name for name, sign in PARTS.items() if sign in words), None)
        line = next((x for x in status.splitlines() if x.startswith("VmRSS:")), "")
        if name and line:
            found[name] += int(line.split()[1]) / 1024
    return found


def judge(memory: list[dict[str, float]], posts: int) -> int:
    """Say how much each part grew; 1 when the web or the worker grew too much."""
    missed = 0
    print()
    for name in PARTS:
        before, after = memory[WARM - 1][name], memory[-1][name]
        growth = after / before - 1 if before else 0.0
        goal = "" if name == "broker" else f" (goal ≤ {GROWTH:.0%})"
        print(f"{name}: {before:.0f} → {after:.0f} MB since hour {WARM}, ", end="")
        print(f"{growth:+.0%}{goal}; highest {max(m[name] for m in memory):.0f} MB")
        missed |= name != "broker" and growth > GROWTH
    print(f"All {posts} posts are in the archive.")
    return missed


if __name__ == "__main__":
    sys.exit(main())
