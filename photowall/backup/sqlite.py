"""SQLite: one file copied while others write to it, and put in the place of another."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection

from photowall.backup.errors import BackupFailed, BackupRefused
from photowall.backup.facts import NOT_KEPT, Ask
from photowall.backup.folder import settle

PAGES = 1_000
"""Copied at once, between two looks at the progress."""
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
)


def here() -> Path:
    """The file of our database. Raises ``BackupRefused`` if it is in memory only."""
    name = str(connection.settings_dict["NAME"])
    if name == ":memory:" or "mode=memory" in name:
        raise BackupRefused("The database lives in memory: there is nothing to keep.")
    return Path(name).absolute()


def dump(source: Path, into: Path, told: Callable[[int, int], None]) -> None:
    """Copy ``source``, as it is at this moment, to the new file ``into``, without
    sessions. Others may read and write meanwhile. ``told`` hears (pages, of pages).

    Raises ``BackupFailed`` if what was copied is broken.
    """
    try:
        with closing(_open(source)) as theirs, closing(_open(into, "rwc")) as ours:
            # An open reading transaction: every page is of one moment, and a writer
            # does not make the copying begin again.
            theirs.execute("BEGIN")
            theirs.execute("SELECT count(*) FROM sqlite_master").fetchone()
            theirs.backup(
                ours, pages=PAGES, progress=lambda _, left, of: told(of - left, of)
            )
            theirs.execute("ROLLBACK")
            ours.execute("PRAGMA journal_mode = DELETE")
            ours.execute("PRAGMA secure_delete = ON")
            if NOT_KEPT in tables(ours.execute):
                ours.execute(f'DELETE FROM "{NOT_KEPT}"')
            found = ours.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupFailed(f"{source} could not be copied: {error}.") from error
    if found != "ok":
        raise BackupFailed(f"{source} is damaged ({found}): mend it first.")
    settle(into)


def tables(ask: Ask) -> list[str]:
    """Names of all tables."""
    return [name for (name,) in ask(_TABLES)]


@contextmanager
def opened(path: Path) -> Iterator[Ask]:
    """Ask a file that nobody else uses."""
    with closing(_open(path)) as own:
        yield own.execute


def refuse_in_use(path: Path) -> None:
    """Raises ``BackupRefused`` while another process has ``path`` open. What it wrote
    is all in the file afterwards, and not beside it."""
    if not path.exists():
        return
    with closing(_open(path)) as own:
        own.execute("PRAGMA busy_timeout = 500")
        try:
            mode = own.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
            own.execute("BEGIN EXCLUSIVE")
            own.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            raise BackupRefused(
                f"Another process uses {path}: end Photowall first."
            ) from error
        except sqlite3.DatabaseError:
            # It is broken, which may be why it is replaced.
            return
    if mode != "delete":
        raise BackupRefused(f"Another process uses {path}: end Photowall first.")


def put_in_place(made: Path, target: Path) -> None:
    """``made`` becomes ``target``, in one step. Nobody uses either."""
    refuse_in_use(made)
    settle(made)
    for leftover in ("-wal", "-shm", "-journal"):
        target.with_name(target.name + leftover).unlink(missing_ok=True)
    made.replace(target)
    settle(target.parent)


def _open(path: Path, mode: str = "rw") -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}", uri=True, timeout=20, isolation_level=None
    )
