"""Processes that `up` looks after, with real ones."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from photowall.up.child import Child, born, end_stale
from photowall.up.console import Refusal
from photowall.up.places import Places

SLEEP = "import time; print('here', flush=True); time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP
PARENT = (
    "import subprocess, sys, time;"
    f"p = subprocess.Popen([sys.executable, '-c', {SLEEP!r}]);"
    "print(p.pid, flush=True); time.sleep(60)"
)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    found = Places(tmp_path / "var")
    found.make()
    return found


def until(ready: Callable[[], object], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def made(places: Places, program: str) -> Child:
    command = [sys.executable, "-c", program]
    child = Child("it", command, os.environ, places)
    child.start()
    until(lambda: child.log.read_text() or child.how_it_ended())
    return child


def test_one_that_ends_while_starting_is_refused_by_name(places: Places) -> None:
    child = made(places, "print('no'); raise SystemExit(3)")
    until(child.how_it_ended)
    with pytest.raises(Refusal, match="it ended with code 3 while starting"):
        child.is_ready()
    child.end(1)


def test_one_that_dies_waits_longer_each_time_and_starts_again(places: Places) -> None:
    child = made(places, SLEEP)
    assert child.how_it_ended() == ""
    waits = []
    for _ in range(3):
        assert child.pid is not None
        os.kill(child.pid, 9)
        until(child.how_it_ended)
        assert child.how_it_ended() == "was ended by signal 9"
        waits.append(child.plan_restart())
        assert child.waits_for_restart
        child.start()
        assert not child.waits_for_restart
    assert waits == [0.5, 1.0, 2.0]
    child.end(0)


def test_one_that_ignores_term_is_ended_all_the_same(places: Places) -> None:
    child = made(places, DEAF)
    began = time.monotonic()
    child.ask_to_end()
    child.end(0.3)
    assert child.how_it_ended() == "was ended by signal 9"
    assert 0.3 <= time.monotonic() - began < 3
    assert list(places.run.glob("*.pid")) == []


def test_one_that_obeys_is_not_waited_for_longer_than_it_takes(places: Places) -> None:
    child = made(places, SLEEP)
    began = time.monotonic()
    child.ask_to_end()
    child.end(30)
    assert time.monotonic() - began < 5
    assert child.how_it_ended() == "was ended by signal 15"


def test_what_a_child_started_ends_with_it(places: Places) -> None:
    child = made(places, PARENT)
    grandchild = int(child.log.read_text().split()[0])
    assert born(grandchild)
    child.ask_to_end()
    child.end(1)
    until(lambda: not born(grandchild))


def test_a_left_over_is_ended_and_a_stranger_with_its_number_is_not(
    places: Places,
) -> None:
    words = [sys.executable, "-c", SLEEP]
    stranger, leftover = (
        subprocess.Popen(words, stdout=subprocess.DEVNULL) for _ in range(2)
    )
    (places.run / "web.pid").write_text(f"{stranger.pid} 1\n")
    (places.run / "broker.pid").write_text(f"{leftover.pid} {born(leftover.pid)}\n")
    (places.run / "worker.pid").write_text("nonsense")
    assert end_stale(places) == ["broker"]
    assert leftover.wait(1) == -15
    assert stranger.poll() is None
    assert list(places.run.glob("*.pid")) == []
    stranger.kill()
    stranger.wait()


def test_a_log_that_has_grown_long_is_put_aside(places: Places) -> None:
    log = places.log / "it.log"
    log.write_bytes(b"x" * (6 * 1024 * 1024))
    child = made(places, SLEEP)
    assert log.stat().st_size < 100
    assert (places.log / "it.log.1").stat().st_size == 6 * 1024 * 1024
    child.end(0)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux ends children by itself")
def test_a_killed_supervisor_takes_its_children_along(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys, time\n"
        "from photowall.up.child import Child\n"
        "from photowall.up.places import Places\n"
        "places = Places(pathlib.Path(sys.argv[1])); places.make()\n"
        "child = Child('it', [sys.executable, '-c', sys.argv[2]], os.environ, places)\n"
        "child.start(); print(child.pid, flush=True); time.sleep(60)\n"
    )
    supervisor = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path), SLEEP],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert supervisor.stdout is not None
    child = int(supervisor.stdout.readline())
    until((tmp_path / "log" / "it.log").read_text)
    assert born(child)
    supervisor.kill()
    supervisor.wait()
    until(lambda: not born(child))
    supervisor.stdout.close()
