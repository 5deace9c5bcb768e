"""One process that `up` looks after: started, watched, started again, ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from photowall.up.console import Refusal
from photowall.up.places import CHECKOUT, Places

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_LONGEST_LOG = 5 * 1024 * 1024
_STEADY = 60.0  # seconds after which earlier deaths are forgotten


class Child:
    """A named process with its log, its process group and its pid file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        places: Places,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self.log = places.log / f"{name}.log"
        self._command = list(command)
        self._environment = dict(environment)
        self._ready = ready
        self._pid_file = places.run / f"{name}.pid"
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._deaths = 0
        self.start_again_at = 0.0

    def start(self) -> None:
        """Start it, its words going to the end of its log."""
        if self.log.exists() and self.log.stat().st_size > _LONGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=CHECKOUT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # The terminal's Ctrl-C reaches us alone; we end them in order.
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509
            )
        self._started_at = time.monotonic()
        pid = self._process.pid
        self._pid_file.write_text(f"{pid} {born(pid)}\n")

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def is_ready(self) -> bool:
        """Whether it serves; Refusal when it has ended instead."""
        ended = self.how_it_ended()
        if ended:
            raise Refusal(f"{self.name} {ended} while starting; see {self.log}")
        return self._ready()

    def how_it_ended(self) -> str:
        """Empty while it runs."""
        code = self._process.poll() if self._process else None
        if code is None:
            return ""
        if code < 0:
            return f"was ended by signal {-code}"
        return f"ended with code {code}"

    def plan_restart(self) -> float:
        """Note a death; the seconds until the next start, longer each time."""
        self._end_group()
        self._process = None
        if time.monotonic() - self._started_at > _STEADY:
            self._deaths = 0
        wait = min(30.0, 0.5 * 2.0**self._deaths)
        self._deaths += 1
        self.start_again_at = time.monotonic() + wait
        return wait

    @property
    def waits_for_restart(self) -> bool:
        return self._process is None

    def ask_to_end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def end(self, patience: float) -> None:
        """Wait for it to end, then end it, with whatever it started, by force."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
            self._end_group()
            self._process.wait()
        self._pid_file.unlink(missing_ok=True)

    def _end_group(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


def end_with_parent() -> None:
    """Linux: who is killed takes its children along (runs after the fork)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))


def born(pid: int) -> str:
    """When a process began, so that a reused number is not taken for it. Or empty."""
    stat = Path(f"/proc/{pid}/stat")
    with contextlib.suppress(OSError, IndexError):
        fields = stat.read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]  # a zombie has ended
    if Path("/proc/self").exists():
        return ""  # a /proc, and the process is not in it
    with contextlib.suppress(OSError):
        words = ["ps", "-o", "lstart=", "-p", str(pid)]
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        return done.stdout.strip().replace(" ", "_")
    return ""


def end_stale(places: Places) -> list[str]:
    """End what an earlier `up` was killed too fast to end. Returns the names."""
    ended = []
    for path in sorted(places.run.glob("*.pid")):
        number, _, began = path.read_text().strip().partition(" ")
        if number.isdigit() and began and born(int(number)) == began:
            _end_by_number(int(number), began)
            ended.append(path.stem)
        path.unlink(missing_ok=True)
    return ended


def _end_by_number(pid: int, began: str) -> None:
    for request, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 2.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, request)
        deadline = time.monotonic() + patience
        while born(pid) == began:
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        else:
            return
