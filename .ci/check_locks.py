"""Whether the lock files say what the `.in` files ask for.

Each is compiled again, with the present lock as preference, so that a newer release
somewhere does not make it stale. Names, versions and markers are compared; the hashes
are for pip to check.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STEMS = ("requirements", "requirements-test", "requirements-dev")
OPTIONS = [
    "--quiet",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
]
_PIN = re.compile(r"^[A-Za-z0-9._-]+(?:\[[^]]*\])?==.*?(?= \\|$)", re.MULTILINE)
_ADDRESS = re.compile(r"\b[a-z+]+://\S+")


def main() -> int:
    """Print every difference; 1 when there is one."""
    differences = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for stem in STEMS:
            for kind in (".in", ".txt"):
                shutil.copy(ROOT / (stem + kind), folder)
        for stem in STEMS:
            differences += _difference(folder, stem)
    for line in differences:
        print(line)
    if not differences:
        print("The lock files are fresh.")
    return 1 if differences else 0


def _difference(folder: Path, stem: str) -> list[str]:
    lock = (ROOT / f"{stem}.txt").read_text(encoding="utf-8")
    named = [f"{stem}.txt names an address: line {n}" for n in _addresses(lock)]
    words = [sys.executable, "-m", "uv", "pip", "compile", *OPTIONS]
    done = subprocess.run(
        [*words, f"{stem}.in", "-o", f"{stem}.txt"],
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        # An index of one's own is nobody else's business.
        return [*named, f"{stem}.in: {_ADDRESS.sub('…', done.stderr).strip()}"]
    have = set(_PIN.findall(lock))
    want = set(_PIN.findall((folder / f"{stem}.txt").read_text(encoding="utf-8")))
    gone = [f"{stem}.txt: nothing asks for {pin}" for pin in sorted(have - want)]
    return named + gone + [f"{stem}.txt: lacks {pin}" for pin in sorted(want - have)]


def _addresses(lock: str) -> list[int]:
    lines = enumerate(lock.splitlines(), start=1)
    return [number for number, line in lines if _ADDRESS.search(line)]


def _environment() -> dict[str, str]:
    """uv does not read pip's configuration: pass on the index that pip uses."""
    words = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    index = os.environ.get("PIP_INDEX_URL") or done.stdout.strip()
    return {**os.environ, "UV_DEFAULT_INDEX": index} if index else {**os.environ}


if __name__ == "__main__":
    sys.exit(main())
