"""The first thing every command does: have the packages, then run.

Uses the running Python when it has what is needed (a prepared image or environment:
no network is touched); else `.venv` in the checkout, made and filled from the lock
file on first use. Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from photowall.up import beside, installer
from photowall.up.console import Refusal, say
from photowall.up.places import Places
from photowall.up.requirements import missing

CHECKOUT = Path(__file__).resolve().parents[2]
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
TESTING = ("test", "torture")
"""The commands that need the tests' packages."""


def main(argv: list[str]) -> int:
    """Run one command; returns the exit code. Says one sentence when it cannot."""
    command = argv[1] if len(argv) > 1 else ""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "photowall.settings")
    # Without its byte code every process of ours would start two seconds later.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    try:
        have_packages(
            "requirements-test" if command in TESTING else "requirements", argv
        )
        return _run(command, argv)
    except Refusal as refusal:
        sys.stderr.write(f"{refusal}\n")
        return refusal.code


def _run(command: str, argv: list[str]) -> int:
    # Only now may anything be imported that needs the packages.
    if command == "up":
        return int(importlib.import_module("photowall.up.supervisor").main(argv[2:]))
    if command == "test":
        return int(importlib.import_module("photowall.up.suite").main(argv[2:]))
    if command in beside.COMMANDS:
        places = Places.from_environment()
        if not beside.join(places) and command in beside.AT_REST:
            beside.take_keys(places)
    if command == "torture":
        return int(importlib.import_module("tests.faults.torture").main(argv[2:]))
    os.environ.setdefault("PHOTOWALL_ROLE", "command")
    importlib.import_module("django.core.management").execute_from_command_line(argv)
    return 0


def have_packages(wanted: str, argv: list[str]) -> None:
    """Return in a Python that has them; otherwise this process becomes another.

    `wanted` is the stem of a requirements file: `requirements` or `requirements-test`.
    """
    inside = Path(sys.prefix).resolve() == VENV.resolve()
    if not missing(CHECKOUT / f"{wanted}.in") and not (
        inside and installer.is_outdated(VENV, CHECKOUT / f"{wanted}.txt")
    ):
        return
    if not inside and installer.works(PYTHON):
        _become(PYTHON, argv)
    with _only_one():
        installer.fill(VENV, CHECKOUT / f"{wanted}.txt", CHECKOUT / f"{wanted}.in")
    _become(PYTHON, argv)


def _become(python: Path, argv: list[str]) -> None:
    # Guards against a loop: an environment that never gets complete.
    turns = int(os.environ.get("PHOTOWALL_TURNS", "0"))
    if turns > 2:
        raise Refusal(f"{VENV} stays incomplete; remove this folder and try again.")
    os.environ["PHOTOWALL_TURNS"] = str(turns + 1)
    sys.stdout.flush()
    os.execv(python, [str(python), str(CHECKOUT / "manage.py"), *argv[1:]])


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    """Two starts at once do not install into the same folder."""
    with (CHECKOUT / "requirements.txt").open() as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Another start of Photowall is installing packages; waiting for it.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
