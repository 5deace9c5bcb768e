"""One decoding process: started, asked, timed, ended. Not for several threads."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from media_archive.decoder import messages
from media_archive.decoder.confinement import OUT_OF_MEMORY

_CHECKOUT = Path(__file__).resolve().parent.parent.parent
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from media_archive.decoder.program import main; main(int(sys.argv[1]))"
)
_START = ("-I", "-S", "-c", _PROGRAM)
# Where libraries are found on this machine, and nothing that is secret.
_PASSED_ON = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_MANNERS = {
    "LC_ALL": "C.UTF-8",
    # One heap for all threads: arenas of 64 MB each would count as memory in use.
    "MALLOC_ARENA_MAX": "1",
    # Pictures' memory goes back to the system when they are done.
    "MALLOC_MMAP_THRESHOLD_": "1048576",
    "MALLOC_TRIM_THRESHOLD_": "1048576",
}


class TookTooLong(Exception):
    """The answer did not come in time; the process was ended."""


class Died(Exception):
    """The process ended instead of answering. ``status`` as ``Popen.returncode``."""

    def __init__(self, status: int | None) -> None:
        super().__init__(f"the decoding process ended with {status}")
        self.status = status

    @property
    def by_time(self) -> bool:
        """Its processor time was used up."""
        return self.status == -signal.SIGXCPU

    @property
    def by_memory(self) -> bool:
        return self.status == OUT_OF_MEMORY


class DecodingProcess:
    """Runs from its making to ``end()``; ``memory`` in bytes."""

    def __init__(self, memory: int) -> None:
        self.pictures = 0
        self.busy = False
        """It was asked and has not answered: nobody else may ask it."""
        self.peak = 0
        """The most memory it ever used, in bytes, as it says."""
        requests, self._to = os.pipe()
        self._from, answers = os.pipe()
        try:
            self._process = subprocess.Popen(
                # -I -S: nothing of the environment, no site; that is quicker, too.
                [sys.executable, *_START, str(memory), *_module_places()],
                stdin=requests,
                stdout=answers,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                cwd="/",
                # The terminal's Ctrl-C reaches us alone; we end it.
                start_new_session=True,
            )
        except BaseException:
            self._close()
            raise
        finally:
            os.close(requests)
            os.close(answers)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """The answer, within ``seconds``. Raises ``TookTooLong`` or ``Died``; the
        process has ended then."""
        until = time.monotonic() + seconds
        self.pictures += 1
        self.busy = True
        try:
            self._write(messages.pack(request))
            answer = messages.unpack(lambda size: self._read(size, until))
        except TookTooLong:
            self.end(gently=False)
            raise
        except (OSError, ValueError) as error:
            raise Died(self.end(gently=False)) from error
        if answer is None:
            # It has closed its end, so it is about to end by itself: how, says why.
            raise Died(self.end(gently=True))
        self.busy = False
        peak = answer.pop("peak", 0)
        self.peak = peak if isinstance(peak, int) else 0
        return answer

    def end(self, *, gently: bool) -> int | None:
        """End it, by its number; the status it ended with."""
        self._close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            if gently:
                return self._process.wait(1.0)
        self._process.kill()
        return self._process.wait()

    def forget(self) -> None:
        """After a fork, in the copy of the process that started it: it is not ours."""
        self._close()
        # Not ours to wait for: Popen would complain when it is forgotten.
        self._process.returncode = 0

    def _close(self) -> None:
        """The child sees that, and ends."""
        for number in {self._to, self._from} - {-1}:
            os.close(number)
        self._to = self._from = -1

    def _write(self, content: bytes) -> None:
        # Far less than a pipe holds: this never waits.
        while content:
            content = content[os.write(self._to, content) :]

    def _read(self, size: int, until: float) -> bytes:
        poll = select.poll()
        poll.register(self._from, select.POLLIN)
        content = b""
        while len(content) < size:
            left = until - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise TookTooLong
            more = os.read(self._from, size - len(content))
            if not more:
                break
            content += more
        return content


def _environment() -> dict[str, str]:
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**_MANNERS, **passed}


def _module_places() -> list[str]:
    """Where the child finds modules: where we find them, our checkout first."""
    places = [str(_CHECKOUT), *(place for place in sys.path if place)]
    return list(dict.fromkeys(places))
