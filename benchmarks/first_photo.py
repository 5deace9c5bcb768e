"""Publish in the sandbox → photo painted in the browser; and the memory of it all.

Starts `manage.py up` in a folder of its own on the embedded default, waits until it
is idle, adds up the memory of every process it started, then posts pictures one by
one at the sandbox while a headless Chromium shows the wall.

    python3 -m benchmarks.first_photo [--posts 12]

Goals: median under 1 s; all processes together under 700 MB.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.end_to_end.conftest import QUIET, chromium
from tests.end_to_end.running import WATCH, Running, running
from tests.server_process import free_port

IDLE_SECONDS = 15
PAUSE_MS = 5000
"""Longer than a photo stays at least: each new one then has the stage to itself."""


def main() -> int:
    """Run it and print the figures; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=12)
    posts: int = parser.parse_args().posts
    folder = Path(tempfile.mkdtemp(prefix="photowall-benchmark-"))
    environment = {"PHOTOWALL_SANDBOX_EVERY": "3600"}
    began = time.monotonic()
    try:
        with running(folder, environment, f"--port={free_port()}") as instance:
            print(f"{platform.platform()}, Python {platform.python_version()}")
            print(f"up answers after {time.monotonic() - began:.1f} s")
            time.sleep(IDLE_SECONDS)
            memory = report_memory(instance)
            median = report_delays(instance, posts)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if median < 1 and memory < 700 else 1


def report_delays(instance: Running, posts: int) -> float:
    """Post, wait for the paint, print the delays; their median in seconds."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.add_init_script(WATCH)
        page.goto(instance.demo["wall"] + "?dwell=3")
        page.wait_for_timeout(PAUSE_MS)
        delays = sorted(_one(instance, page) for _ in range(posts))
        browser.close()
    median = statistics.median(delays)
    print(
        f"publish → painted, {posts} posts: median {median:.2f} s, "
        f"fastest {delays[0]:.2f} s, slowest {delays[-1]:.2f} s"
    )
    return median


def _one(instance: Running, page: Page) -> float:
    tag = instance.demo["wall"].rstrip("/").rsplit("/", 1)[-1]
    post = instance.publish(tag)[0]
    _, at = instance.painted(page, tag, post["native_id"])
    page.wait_for_timeout(PAUSE_MS)
    return at - float(post["time"])


def report_memory(instance: Running) -> float:
    """Print each process's memory; the sum in MB.

    RSS counts pages that processes share once for each of them, so the sum is an
    upper bound; PSS shares them out.
    """
    assert instance.process is not None
    total = 0.0
    print("process                                            RSS MB   PSS MB")
    for pid in [instance.process.pid, *descendants(instance.process.pid)]:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        except FileNotFoundError:
            continue
        rss, pss = _field(rollup, "Rss:"), _field(rollup, "Pss:")
        total += rss
        print(f"{command.decode()[-48:]:50} {rss:6.0f}   {pss:6.0f}")
    print(f"together: {total:.0f} MB (goal < 700)")
    return total


def descendants(pid: int) -> list[int]:
    """Every process below ``pid``."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(") ", 1)[1].split()
        except FileNotFoundError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, waiting = [], [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _field(rollup: str, name: str) -> float:
    line = next(line for line in rollup.splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    sys.exit(main())
