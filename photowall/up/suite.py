"""`manage.py test [pytest's words]`: all tests, in as many processes as they need.

First everything on PostgreSQL; then the tests that start whole instances: end to end,
whose browser loop would not mix with the others', and faults. They wait more than they
compute, so what is marked `also_on_sqlite` runs once more on SQLite beside them, with
what they leave of the machine.
The servers are found or started by `tests.servers`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from photowall.up.console import say
from photowall.up.places import CHECKOUT

END_TO_END = CHECKOUT / "tests" / "end_to_end"
FAULTS = CHECKOUT / "tests" / "faults"
MARK = "also_on_sqlite"
NOTHING_COLLECTED = 5
INTERRUPTED = 2
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin")
"""Where servers are, and PATH often does not lead."""


@dataclass
class Part:
    """One pytest process of the whole run, and how it went."""

    title: str
    words: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    beside: bool = False
    """It may run beside the part before it, yielding to that."""
    code: int = NOTHING_COLLECTED
    counts: dict[str, int] = field(default_factory=dict)


def find_browser() -> str | None:
    """The Chromium or Chrome of this machine, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def find_nginx() -> str | None:
    """The nginx of this machine, or None."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *SYSTEM_FOLDERS])
    return shutil.which("nginx", path=path)


def marked_files() -> list[str]:
    """The files whose tests run on SQLite too: they name the mark. `tests/conftest.py`
    refuses a marked test of a file that does not."""
    tests = CHECKOUT / "tests"
    return [
        str(path)
        for path in sorted(tests.rglob("test_*.py"))
        if not any(path.is_relative_to(whole) for whole in (END_TO_END, FAULTS))
        and MARK in path.read_text(encoding="utf-8")
    ]


def main(argv: Sequence[str]) -> int:
    """Run them all; returns 0 when every part passed."""
    browser = find_browser()
    parts = plan(argv, browser)
    for some in together(parts):
        _run(some)
        if any(part.code == INTERRUPTED for part in some):
            break
    return _sum_up(parts, browser)


def together(parts: Sequence[Part]) -> list[list[Part]]:
    """Which parts run at the same time, in their order."""
    rounds: list[list[Part]] = []
    for part in parts:
        if part.beside and rounds:
            rounds[-1].append(part)
        else:
            rounds.append([part])
    return rounds


def plan(argv: Sequence[str], browser: str | None) -> list[Part]:
    """Which processes these words ask for. Words that are paths are sorted among
    them; all other words go to each."""
    options = [word for word in argv if not _is_path(word)]
    paths = [word for word in argv if _is_path(word)]
    theirs = [
        word
        for word in paths
        if any(_path(word).is_relative_to(whole) for whole in (END_TO_END, FAULTS))
    ]
    ours = [word for word in paths if word not in theirs]
    parts = []
    without = {} if find_nginx() else {"PHOTOWALL_NO_NGINX": "1"}
    if ours or not paths:
        # A few files are through before more processes have started.
        side_by_side = [] if paths or "-n" in options else _processes()
        words = [*options, *side_by_side, *ours]
        parts.append(Part("on PostgreSQL", words, without))
    if theirs or not paths:
        environment = {"DJANGO_ALLOW_ASYNC_UNSAFE": "1"}
        if browser is None:
            environment["PHOTOWALL_NO_BROWSER"] = "1"
        else:
            environment["PHOTOWALL_CHROMIUM"] = browser
        together: list[str] = []
        if browser is not None and not paths and "-n" not in options:
            # Two whole instances side by side, and no more: they are watched by the
            # clock. What a file shares stays in one process.
            together = ["-n", str(min(os.cpu_count() or 1, 2)), "--dist", "loadfile"]
        words = [*options, *together, *(theirs or [str(END_TO_END), str(FAULTS)])]
        parts.append(Part("end to end", words, environment))
    if (ours or not paths) and "-m" not in options:
        sqlite = {"PHOTOWALL_TEST_DATABASE": "sqlite"} | without
        # Every process would read all files only to leave most of them out.
        words = [*options, *(ours or marked_files()), "-m", MARK]
        parts.append(Part("once more on SQLite", words, sqlite, beside=not paths))
    return parts


def _processes() -> list[str]:
    """Words for pytest: as many processes as there are cores, four at most."""
    return ["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "worksteal"]


def _path(word: str) -> Path:
    return Path(word.partition("::")[0]).resolve()


def _is_path(word: str) -> bool:
    return not word.startswith("-") and _path(word).exists()


def _run(parts: Sequence[Part]) -> None:
    """The first one speaks at once, the others when they are through."""
    with tempfile.TemporaryDirectory(prefix="photowall-tally-") as name:
        folder = Path(name)
        say(f"\n=== Tests {' and '.join(part.title for part in parts)} ===")
        started = [_start(part, folder, place) for place, part in enumerate(parts)]
        # TERM and HUP are passed on; Ctrl-C reaches each pytest by itself.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: _tell(started, number))
        signal.signal(signal.SIGINT, lambda *_: None)
        for place, (part, process) in enumerate(zip(parts, started, strict=True)):
            part.code = process.wait()
            if place:
                say(f"\n=== Tests {part.title} ===")
                say((folder / f"said-{place}").read_text("utf-8", "replace"))
            tally = folder / f"tally-{place}.json"
            if tally.exists():
                part.counts = json.loads(tally.read_text(encoding="utf-8"))


def _start(part: Part, folder: Path, place: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "pytest", "-p", "tests.tally", *part.words]
    tally = folder / f"tally-{place}.json"
    environment = {**os.environ, **part.environment, "PHOTOWALL_TALLY": str(tally)}
    if not place:
        return subprocess.Popen(words, cwd=CHECKOUT, env=environment)
    with (folder / f"said-{place}").open("wb") as said:
        return subprocess.Popen(
            ["nice", "-n", "10", *words],
            cwd=CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )


def _tell(processes: Sequence[subprocess.Popen[bytes]], number: int) -> None:
    for process in processes:
        process.send_signal(number)


def _sum_up(parts: Sequence[Part], browser: str | None) -> int:
    say("\n=== Summary ===")
    for part in parts:
        if part.code != NOTHING_COLLECTED:
            counts = ", ".join(f"{n} {name}" for name, n in part.counts.items() if n)
            verdict = "passed" if part.code == 0 else f"FAILED (code {part.code})"
            say(f"{part.title}: {verdict}: {counts or 'no counts'}")
    codes = [part.code for part in parts if part.code != NOTHING_COLLECTED]
    code = next((code for code in codes if code), 0) if codes else NOTHING_COLLECTED
    left_out = []
    if browser is None and any(part.title == "end to end" for part in parts):
        left_out.append("NO CHROMIUM OR CHROME WAS FOUND: THE BROWSER TESTS")
    if any("PHOTOWALL_NO_NGINX" in part.environment for part in parts):
        left_out.append("NO NGINX WAS FOUND: THE TESTS WITH IT")
    for words in left_out:
        say(f"{words} WERE NOT RUN.")
    in_gate = os.environ.get("CI", "").lower() in ("1", "true")
    if left_out and in_gate and code == 0:
        code = 1
    say("ALL TESTS PASSED" if code == 0 else f"NOT PASSED (code {code})")
    return code if code >= 0 else 1
