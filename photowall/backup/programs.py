"""PostgreSQL's own programs: found, of the right version, and run.

``pg_dump`` refuses a server that is newer than itself, ``pg_restore`` a dump that a
newer ``pg_dump`` wrote, and a server what a newer program says. So the oldest that is
new enough is taken.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from photowall.backup.errors import BackupFailed, BackupRefused
from photowall.up.child import end_with_parent

_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/libpq/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/libpq/bin",
    "/usr/local/opt/postgresql@*/bin",
)
_OF_PYTHON = {"context", "cursor_factory", "prepare_threshold", "row_factory", "pool"}
"""What Django gives to psycopg, not to PostgreSQL's library."""


@dataclass(frozen=True)
class Program:
    """One that runs here. ``version`` is its major one."""

    path: str
    version: int


def find(name: str, oldest: int, why: str) -> Program:
    """The oldest ``name`` of version ``oldest`` or newer. Raises ``BackupRefused``,
    which says ``why`` that version and what to install."""
    found = [program for path in _paths(name) if (program := _asked(path))]
    fitting = sorted(
        (program for program in found if program.version >= oldest),
        key=lambda program: program.version,
    )
    if fitting:
        return fitting[0]
    have = ", ".join(f"{p.path} is version {p.version}" for p in found)
    raise BackupRefused(
        f"{why}, and no {name} of version {oldest} or newer was found"
        f"{f' ({have})' if have else ''}. Install it (Debian: apt install "
        f"postgresql-client-{oldest}, macOS: brew install libpq), or name its folder "
        "in PHOTOWALL_POSTGRES_PROGRAMS."
    )


def run(
    program: Program, words: Sequence[str], told: Callable[[], None] = lambda: None
) -> None:
    """Run it on our database to its end; ``told`` is called about twice a second.
    The password goes by the environment: everybody may read a process's words.

    Raises ``BackupFailed`` with what it said.
    """
    params = {
        key: value
        for key, value in connection.get_connection_params().items()
        if key not in _OF_PYTHON
    }
    environment = dict(os.environ)
    if password := params.pop("password", None):
        environment["PGPASSWORD"] = str(password)
    # Dumps take their time, and the web's patience is not theirs.
    params.pop("options", None)
    command = [program.path, *words, "--no-password", "--dbname", _address(params)]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            preexec_fn=end_with_parent,  # noqa: PLW1509
        )
        try:
            while process.poll() is None:
                told()
                _wait(process)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if process.returncode:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            last = " / ".join(lines[-2:]) or f"code {process.returncode}"
            raise BackupFailed(f"{Path(program.path).name} failed: {last}")


def _wait(process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 0.5
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)


def _address(params: dict[str, Any]) -> str:
    return make_conninfo("", **params)


def _paths(name: str) -> list[str]:
    given = settings.PHOTOWALL_POSTGRES_PROGRAMS
    if given:
        return [str(Path(given) / name)]
    found = [shutil.which(name)]
    for pattern in _FOLDERS:
        found += map(str, sorted(Path("/").glob(f"{pattern.lstrip('/')}/{name}")))
    return list(dict.fromkeys(path for path in found if path))


def _asked(path: str) -> Program | None:
    try:
        said = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"\) (\d+)", said)
    return Program(path, int(number[1])) if number else None
