"""Makes `.venv` and fills it from a lock file, with pip, showing how far it is.

pip does all the fetching, so its configuration and environment variables count as
always. Standard library only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from photowall.up import pip_wheel
from photowall.up.console import Progress, Refusal, say
from photowall.up.requirements import missing, pinned

_UNREACHABLE = (
    "NewConnectionError",
    "ConnectTimeout",
    "Failed to establish",
    "SSLError",
)


def works(python: Path) -> bool:
    """Whether this interpreter is there and starts (its base may have been removed)."""
    if not python.exists():
        return False
    check = [str(python), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    try:
        return subprocess.run(check, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def is_outdated(venv: Path, lock: Path) -> bool:
    """Whether we filled it, and from another lock. One made by hand never is."""
    stamp = _stamp(venv, lock)
    return stamp.exists() and stamp.read_text() != _fingerprint(lock)


def fill(venv: Path, lock: Path, wanted: Path) -> None:
    """Make the environment if need be and install the lock. Raises Refusal."""
    python = venv / "bin" / "python"
    try:
        _fill(venv, python, lock)
    except OSError as error:
        raise Refusal(
            f"Photowall cannot write to {venv} ({error.strerror or error}); "
            "copy the whole folder to a place of your own and start it there."
        ) from error
    if Path(sys.prefix).resolve() == venv.resolve() and (absent := missing(wanted)):
        raise Refusal(f"Packages are still missing after installing: {absent[0]}.")


def _fill(venv: Path, python: Path, lock: Path) -> None:
    if not works(python):
        say(f"Making {venv} with Python {sys.version.split()[0]}.")
        shutil.rmtree(venv, ignore_errors=True)
        venv.mkdir()  # first, for a clear error where we may not write
        _call([sys.executable, "-m", "venv", "--without-pip", str(venv)])
    pip = _pip_for(venv, python)
    log = venv / "install.log"
    words = [*pip, "install", "--require-hashes", "--no-input", "--progress-bar=off"]
    words += ["--disable-pip-version-check", "-r", str(lock)]
    with log.open("w", encoding="utf-8") as record:
        code = _watched(words, venv, pinned(lock), record)
    if code:
        raise Refusal(_reason(log))
    _stamp(venv, lock).write_text(_fingerprint(lock))


def _pip_for(venv: Path, python: Path) -> list[str]:
    """The words that call a pip which installs into this environment."""
    own = [str(python), "-m", "pip"]
    if _succeeds([*own, "--version"]) or _succeeds([str(python), "-m", "ensurepip"]):
        return own
    # Debian and Ubuntu keep ensurepip in a package of its own.
    outer = [sys.executable, "-m", "pip", "--python", str(python)]
    if _succeeds([*outer, "--version"]):
        return outer
    return [str(python), str(pip_wheel.fetch(venv))]


def _succeeds(words: list[str]) -> bool:
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


def _call(words: list[str]) -> None:
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise Refusal(f"{' '.join(words)} failed: {lines[-1] if lines else ''}")


def _watched(words: list[str], venv: Path, count: int, record: IO[str]) -> int:
    """Run pip, its words to `record`, its progress to the terminal."""
    progress = Progress(f"Installing {count} packages")
    before = _installed(venv)
    lines: queue.Queue[str | None] = queue.Queue()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
    )
    threading.Thread(target=_pass_on, args=(process, lines), daemon=True).start()
    fetched, detail = 0, ""
    line: str | None = ""
    try:
        while line is not None:
            # Collecting is two thirds of the time, unpacking and compiling the rest.
            share = min(1, fetched / count) * 0.66
            share += min(1, (_installed(venv) - before) / count) * 0.33
            progress.show(share, detail)
            with contextlib.suppress(queue.Empty):
                line = lines.get(timeout=0.5)
                if line is not None:
                    record.write(line)
                    if line.startswith(("Collecting ", "Requirement already")):
                        fetched += 1
                        detail = line.split()[1 if line[0] == "C" else 3].split("=")[0]
                    elif line.startswith("Installing "):
                        fetched, detail = count, "unpacking"
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait(10)
        raise
    if code == 0:
        progress.done()
    return code


def _pass_on(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    for line in process.stdout or ():
        lines.put(line)
    lines.put(None)


def _installed(venv: Path) -> int:
    return sum(1 for _ in venv.glob("lib/python*/site-packages/*.dist-info"))


def _reason(log: Path) -> str:
    """One sentence from pip's many."""
    text = log.read_text(encoding="utf-8", errors="replace")
    errors = [line for line in text.splitlines() if line.startswith("ERROR:")]
    if any(word in text for word in _UNREACHABLE):
        return (
            "The packages cannot be fetched: no connection to the package index; "
            f"check the network, or set PIP_INDEX_URL or PIP_FIND_LINKS (see {log})."
        )
    last = errors[-1].removeprefix("ERROR:").strip() if errors else "pip failed"
    return f"The packages cannot be installed: {last} (see {log})."


def _stamp(venv: Path, lock: Path) -> Path:
    return venv / f".{lock.stem}.stamp"


def _fingerprint(lock: Path) -> str:
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    return f"{digest} {sys.version_info[0]}.{sys.version_info[1]}"
