"""PostgreSQL: dumped by its own program, from the very snapshot that we ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from photowall.backup import programs
from photowall.backup.errors import BackupRefused
from photowall.backup.facts import NOT_KEPT

ASIDE = "photowall_replaced"
"""The schema in which the tables wait that a restore replaces."""
_PLAIN = ["--no-owner", "--no-privileges"]


@contextmanager
def snapshot() -> Iterator[str]:
    """A reading transaction of one moment; its name, for ``dump``."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        yield str(cursor.fetchone()[0])


def dumping() -> programs.Program:
    """The program that can dump our server. Raises ``BackupRefused``."""
    version = server()
    return programs.find("pg_dump", version, f"The server is PostgreSQL {version}")


def dump(
    program: programs.Program, name: str, into: Path, told: Callable[[], None]
) -> None:
    """Dump the snapshot ``name`` into a new file, without sessions."""
    words = [
        "--format=custom",
        *_PLAIN,
        f"--snapshot={name}",
        f"--exclude-table-data=*.{NOT_KEPT}",
        f"--exclude-schema={ASIDE}",
        f"--file={into}",
    ]
    programs.run(program, words, told)


def restoring(written_by: int, of_server: int) -> programs.Program:
    """The program that reads what ``pg_dump`` of version ``written_by`` wrote about a
    server of version ``of_server``. Raises ``BackupRefused``."""
    version = server()
    if of_server > version:
        raise BackupRefused(
            f"The backup is of PostgreSQL {of_server}, and this server is {version}: "
            f"restore it on a server of version {of_server} or newer."
        )
    why = f"The dump was written by pg_dump of version {written_by}"
    return programs.find("pg_restore", written_by, why)


def load(program: programs.Program, dump_file: Path, told: Callable[[], None]) -> None:
    """Put a dump into our database, which has no tables: all or nothing."""
    words = ["--exit-on-error", "--single-transaction", *_PLAIN, str(dump_file)]
    programs.run(program, words, told)


def server() -> int:
    """The major version of our server."""
    connection.ensure_connection()
    return int(connection.pg_version) // 10_000  # type: ignore[attr-defined]


def ask(statement: str) -> Iterator[tuple[Any, ...]]:
    """Rows of one statement on our connection."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(10_000):
            yield from rows


def ask_at_length(statement: str) -> Iterator[tuple[Any, ...]]:
    """Rows of a long list, of which the server keeps those that were not read yet."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(10_000):
            yield from rows


def tables() -> list[str]:
    """Names of our tables."""
    return [
        name
        for (name,) in ask(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        )
    ]


def aside() -> list[str]:
    """Names of the tables that an unfinished restore has moved aside."""
    return [
        name
        for (name,) in ask(
            f"SELECT tablename FROM pg_tables WHERE schemaname = '{ASIDE}'"
        )
    ]


def others() -> int:
    """How many other connections use our database."""
    return int(
        next(
            ask(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                "current_database() AND pid <> pg_backend_pid() "
                "AND backend_type = 'client backend'"
            )
        )[0]
    )


def move_aside() -> None:
    """Our tables go out of the way, with their rows."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        there = tables()
        cursor.execute(f'CREATE SCHEMA "{ASIDE}"')
        for name in there:
            cursor.execute(f'ALTER TABLE "{name}" SET SCHEMA "{ASIDE}"')


def put_back() -> bool:
    """Undo a restore that did not come to its end: what is in our place goes, what was
    moved aside returns. False if nothing was."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [ASIDE])
        if cursor.fetchone() is None:
            return False
        waiting = aside()
        for name in tables():
            cursor.execute(f'DROP TABLE "{name}" CASCADE')
        cursor.execute("SELECT current_schema()")
        ours = cursor.fetchone()[0]
        for name in waiting:
            cursor.execute(f'ALTER TABLE "{ASIDE}"."{name}" SET SCHEMA "{ours}"')
        cursor.execute(f'DROP SCHEMA "{ASIDE}"')
    return True


def forget_aside() -> None:
    """What was replaced is gone for good."""
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA IF EXISTS "{ASIDE}" CASCADE')
