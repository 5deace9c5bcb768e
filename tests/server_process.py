"""One server process for a test run: started on a free port, stopped by its handle.

Its output goes to a file in its own folder: a pipe that a server inherits keeps
continuous integration waiting long after the tests are over.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NOBODY = 65534
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class CannotStart(Exception):
    """This way of getting a server does not work here; the text says why."""


@dataclass(frozen=True)
class Found:
    """A server the tests may use. `close` gives back exactly what was taken."""

    url: str
    title: str
    close: Callable[[], None] = field(default=lambda: None, repr=False)


PORTS = range(12_000, 32_000)
"""Below those that systems take for outgoing connections (RFC 6056, section 3.2): one
of these may be gone before the server that we start has bound it."""


def free_port() -> int:
    """A TCP port of the loopback that was free a moment ago."""
    for port in random.SystemRandom().sample(PORTS, 50):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            return port
    raise CannotStart("no free port")


def runs_as_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def new_folder(name: str, *, for_nobody: bool = False) -> Path:
    """A temporary folder; with `for_nobody` owned, and reachable, by uid 65534."""
    parent = Path(tempfile.gettempdir())
    if for_nobody:
        choices = [parent, Path("/tmp"), Path("/var/tmp")]
        parent = next((path for path in choices if _open_to_all(path)), parent)
    folder = Path(tempfile.mkdtemp(prefix=f"photowall-{name}-", dir=parent))
    if for_nobody:
        os.chown(folder, NOBODY, NOBODY)
    return folder


def _open_to_all(folder: Path) -> bool:
    """Whether a stranger can walk into this folder."""
    with contextlib.suppress(OSError):
        return all(
            path.stat().st_mode & 0o001
            for path in (folder.resolve(), *folder.resolve().parents)
        )
    return False


class ServerProcess:
    """A started server, its folder and its log. Ends with `stop`, or with us."""

    def __init__(
        self, command: Sequence[str], folder: Path, *, as_nobody: bool = False
    ) -> None:
        self.folder = folder
        self.log = folder / "server.log"
        identity = (
            {"user": NOBODY, "group": NOBODY, "extra_groups": []} if as_nobody else {}
        )
        with self.log.open("ab") as output:
            try:
                self._process = subprocess.Popen(  # type: ignore[call-overload]
                    command,
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    # The terminal's Ctrl-C is for pytest, which then stops us.
                    start_new_session=True,
                    preexec_fn=_die_with_parent if _LIBC else None,  # noqa: PLW1509
                    **identity,
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise CannotStart(f"{command[0]}: {error}") from error

    def wait_until(self, ready: Callable[[], bool], seconds: float = 20) -> None:
        """Return once `ready()`; CannotStart when it exits first or takes longer."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                code = self._process.returncode
                raise CannotStart(f"ended with {code}: {self._last_words()}")
            if ready():
                return
            time.sleep(0.02)
        self.stop()
        raise CannotStart(f"not ready after {seconds:g} s: {self._last_words()}")

    def stop(self, stop_signal: int = signal.SIGTERM) -> None:
        """End the server, by force after 10 s, and remove its folder."""
        if self._process.poll() is None:
            self._process.send_signal(stop_signal)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").strip().splitlines()
            return " / ".join(lines[-3:]) or "no output"
        return "no output"


def _die_with_parent() -> None:
    """Linux: a killed test run takes its servers with it (runs after the fork)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT))
