"""One process of an instance, which we start, harm and start again by its handle."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.server_process import _LIBC, NOBODY, CannotStart, _die_with_parent

START_SECONDS = 90.0


class Process:
    """A command with its log and its own process group.

    Killing takes the whole group, as the loss of a machine would. Started from the
    main thread only: it ends with the thread that started it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        ready: Callable[[], bool] = lambda: True,
        *,
        as_nobody: bool = False,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = list(command)
        self._environment = dict(environment)
        self._folder = folder
        self._ready = ready
        self._as_nobody = as_nobody
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start it, if it does not run."""
        if self.alive:
            return
        identity = (
            {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            if self._as_nobody
            else {}
        )
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # type: ignore[call-overload]
                self._command,
                cwd=self._folder if self._as_nobody else None,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent if _LIBC else None,  # noqa: PLW1509
                **identity,
            )

    def start(self, seconds: float = START_SECONDS) -> None:
        """Start it and wait until it serves. Raises ``CannotStart``."""
        self.begin()
        self.wait_ready(seconds)

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Return when it serves. Raises ``CannotStart`` when it has ended."""
        deadline = time.monotonic() + seconds
        while not self._ready():
            if not self.alive or time.monotonic() > deadline:
                raise CannotStart(f"{self.name} does not serve: {self.last_words()}")
            time.sleep(0.05)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Raises ``RuntimeError`` when it was never started."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._process.pid

    def kill9(self) -> None:
        """SIGKILL to the whole group, and wait for its end."""
        self.signal(signal.SIGKILL)
        self.wait(20)

    def stop(self, patience: float = 30, number: int = signal.SIGTERM) -> bool:
        """Ask it to end; by force after ``patience`` seconds. Whether it obeyed."""
        if self._process is not None and self.alive:
            self._process.send_signal(number)
        obeyed = self.wait(patience)
        self.kill9()
        return obeyed

    def signal(self, number: int) -> None:
        """To every process of the group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def hang(self) -> None:
        """It keeps its sockets and its memory, and does nothing."""
        for pid in (self.pid, *self.children()):
            _signal(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """The end of ``hang``."""
        for pid in (self.pid, *self.children()):
            _signal(pid, signal.SIGCONT)

    def children(self) -> list[int]:
        """The processes that it started, wherever their groups are."""
        words = ["ps", "-Ao", "pid=,ppid="]
        listed = subprocess.run(words, check=True, capture_output=True, text=True)
        pairs = [line.split() for line in listed.stdout.splitlines()]
        return [int(pid) for pid, parent in pairs if int(parent) == self.pid]

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so long."""
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self) -> None:
        """Whatever state it is in: gone."""
        if self._process is not None and self.alive:
            self.go_on()
        self.kill9()

    def last_words(self) -> str:
        """The end of its log, on one line."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").strip().splitlines()
            return " / ".join(lines[-3:])
        return ""


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
