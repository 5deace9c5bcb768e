"""Commands beside a running `up`: its addresses, keys and stores, without asking.

`up` leaves them in a file for its owner alone; standard library only.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

from photowall.up.places import Places, read_json, write_private

COMMANDS = (
    "archive_sweep",
    "archive_verify",
    "backfill",
    "backup",
    "coverage",
    "rehearse",
    "remap",
    "renditions",
    "replay_receipt",
    "replay_samples",
    "restore",
    "subscribe",
    "takedown",
)
"""Those that must see what the running processes see: without the key, what is followed
would be suspended."""
AT_REST = ("backup", "restore")
"""Those of them that need the keys also while nothing runs."""
SHARED = ("ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL", "SECRET_KEY")
"""Besides everything that begins with PHOTOWALL_."""
OWN = ("PHOTOWALL_ROLE", "PHOTOWALL_TURNS")


def leave(places: Places, environment: Mapping[str, str]) -> None:
    """Write down what the processes of this `up` were given."""
    shared = {
        name: value
        for name, value in environment.items()
        if (name.startswith("PHOTOWALL_") or name in SHARED) and name not in OWN
    }
    write_private(_file(places), {"environment": shared})


def take_away(places: Places) -> None:
    """This `up` has ended."""
    _file(places).unlink(missing_ok=True)


def join(places: Places) -> bool:
    """Give this process what a running `up` gave its own, where nothing else was
    given; False when none is running."""
    if not is_running(places):
        return False
    shared = read_json(_file(places)).get("environment")
    if not isinstance(shared, dict):
        return False
    for name, value in shared.items():
        os.environ.setdefault(str(name), str(value))
    return True


def take_keys(places: Places) -> None:
    """Give this process the keys of an `up` that is not running now. Whoever gives
    keys or a database of their own has another installation."""
    if {"DATABASE_URL", "PHOTOWALL_ENCRYPTION_KEY", "SECRET_KEY"} & {*os.environ}:
        return
    secrets = read_json(places.secrets)
    for variable, name in (
        ("PHOTOWALL_ENCRYPTION_KEY", "encryption_key"),
        ("SECRET_KEY", "secret_key"),
    ):
        if name in secrets:
            os.environ[variable] = str(secrets[name])


def is_running(places: Places) -> bool:
    """Whether an `up` holds the lock. A killed one holds it no more."""
    try:
        with places.lock.open("r") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _file(places: Places) -> Path:
    return places.run / "environment.json"
