"""The database that a restore would replace: what is in it, and who uses it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection

from photowall.backup import erasures, facts, postgres, sqlite
from photowall.backup.erasures import Erasures
from photowall.backup.errors import BackupRefused
from photowall.up import beside
from photowall.up.places import Places


@dataclass(frozen=True)
class Present:
    """``name`` is what a person types to have it replaced. ``erased`` are its
    tombstones, ``journal`` and ``newest_item`` the highest numbers that it gave.
    ``readable`` is False when it is so broken that none of that is known."""

    name: str
    is_empty: bool
    erased: Erasures = field(default_factory=Erasures)
    journal: int = 0
    newest_item: int = 0
    readable: bool = True

    def refuse_in_use(self) -> None:
        """Raises ``BackupRefused`` while somebody else uses the database."""
        if beside.is_running(Places.from_environment()):
            raise BackupRefused(
                "`manage.py up` is running here: end it first, with Ctrl-C in its "
                "window. Nobody may write while the database is replaced."
            )
        if connection.vendor == "sqlite":
            connection.close()
            sqlite.refuse_in_use(sqlite.here())
        elif others := postgres.others():
            raise BackupRefused(
                f"{others} other connections use the database {self.name}: end the "
                "web, the workers and whoever else is connected first."
            )


def look() -> Present:
    """At the database of our settings, whatever its version. Changes nothing."""
    if connection.vendor == "sqlite":
        return _look_at_sqlite(sqlite.here())
    name, ask = str(connection.settings_dict["NAME"]), postgres.ask_at_length
    there = postgres.tables()
    found = facts.learn(postgres.ask, there)
    waiting = erasures.of_database(ask, postgres.aside(), postgres.ASIDE)
    erased = Erasures().add(erasures.of_database(ask, there)).add(waiting)
    newest = facts.newest_item(postgres.ask, found.counts)
    # Beside an unfinished restore lie the rows that it was to replace.
    is_empty = found.is_empty and not postgres.aside()
    return Present(name, is_empty, erased, found.journal, newest)


def _look_at_sqlite(path: Path) -> Present:
    if not path.exists() or path.stat().st_size == 0:
        return Present(path.name, is_empty=True)
    try:
        with sqlite.opened(path) as ask:
            there = sqlite.tables(ask)
            found = facts.learn(ask, there)
            return Present(
                path.name,
                found.is_empty,
                Erasures().add(erasures.of_database(ask, there)),
                found.journal,
                facts.newest_item(ask, found.counts),
            )
    except sqlite3.DatabaseError:
        return Present(path.name, is_empty=False, readable=False)
