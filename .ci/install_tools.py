"""Puts what developers need into `.venv`, unless it is there already."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from photowall.up import installer  # noqa: E402
from photowall.up.console import Refusal, say  # noqa: E402
from photowall.up.environment import PYTHON, VENV  # noqa: E402

LOCK = ROOT / "requirements-dev.txt"
WANTED = ROOT / "requirements-dev.in"
ABSENT = (
    "import pathlib; from photowall.up.requirements import missing;"
    f"raise SystemExit('; '.join(missing(pathlib.Path({str(WANTED)!r}))) or 0)"
)


def main() -> int:
    try:
        if not _complete() or installer.is_outdated(VENV, LOCK):
            installer.fill(VENV, LOCK, WANTED)
    except Refusal as refusal:
        say(str(refusal))
        return refusal.code
    say("The tools are there.")
    return 0


def _complete() -> bool:
    words = [str(PYTHON), "-c", ABSENT]
    return (
        installer.works(PYTHON)
        and subprocess.run(words, cwd=ROOT, check=False).returncode == 0
    )


if __name__ == "__main__":
    sys.exit(main())
