"""Other processes that spend calls, as workers do.

Starts Django on the database of ``DATABASE_URL`` and calls as long as it may; prints
how many calls were let go.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence

import django
from django.db import connection


def start(count: int, account_pk: int, purpose: str, times: int) -> list[int]:
    """``count`` processes that spend up to ``times`` calls each, all at once; how
    many each was let."""
    command = [sys.executable, "-m", __name__, str(account_pk), purpose, str(times)]
    env = os.environ | {"DATABASE_URL": _url(), "PHOTOWALL_ROLE": "worker"}
    started = [
        subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0] * count
    return [int(text) for text in said]


def _url() -> str:
    """Where the tests' own database is."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    login = f"{at['USER']}:{at['PASSWORD']}" if at["PASSWORD"] else at["USER"]
    return f"postgresql://{login}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


def _main(said: Sequence[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "photowall.settings")
    django.setup()
    # Only now there are models.
    from subscriptions import budget
    from subscriptions.errors import BudgetSpent
    from subscriptions.models import Purpose

    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    done = 0
    with contextlib.suppress(BudgetSpent):
        for _ in range(int(said[2])):
            budget.spend(int(said[0]), Purpose(said[1]))
            done += 1
    print(done, flush=True)


if __name__ == "__main__":
    _main(sys.argv[1:])
