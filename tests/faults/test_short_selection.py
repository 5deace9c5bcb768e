"""The most telling faults, once each, with whole instances as real processes.

`manage.py torture` runs all of them, many times.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults.checking import check, converge
from tests.faults.databases import SqliteFile
from tests.faults.injections import Injector
from tests.faults.kinds import KINDS

ON_POSTGRESQL = (
    "web_kill9_after_200",
    "postgres_immediate_stop",
    "redis_restarted_empty",
)
ON_SQLITE = (
    "web_kill9_under_load",
    "worker_sigterm",
    "redis_flushed_at_random",
    "sqlite_locked_at_random",
)
pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("kind", ON_POSTGRESQL)
def test_nothing_is_lost_on_postgresql(
    kind: str, on_postgresql: Injector, seed: str
) -> None:
    injected_without_a_loss(on_postgresql, kind, seed)


@pytest.mark.parametrize("kind", ON_SQLITE)
def test_nothing_is_lost_on_sqlite(kind: str, on_sqlite: Injector, seed: str) -> None:
    injected_without_a_loss(on_sqlite, kind, seed)


def injected_without_a_loss(injector: Injector, kind: str, seed: str) -> None:
    injector.settle()
    outcome = injector.inject(KINDS[kind], f"{seed}:{kind}")
    assert outcome.good, outcome
    # What was done at all: else nothing could have been lost.
    assert outcome.posts >= 5, outcome
    assert injector.notifier.acknowledged.total() > 0


SABOTAGE = {
    "lost": "DELETE FROM media_archive_mediaitem WHERE id ="
    " (SELECT max(id) FROM media_archive_mediaitem)",
    "receipts": "DELETE FROM subscriptions_receipt",
    "others": "DELETE FROM media_archive_journalentry WHERE seq = 2",
}


@pytest.mark.parametrize("wrong", SABOTAGE)
def test_a_sabotaged_archive_is_found_out(
    wrong: str, on_sqlite: Injector, tmp_path: Path
) -> None:
    injector = on_sqlite
    injector.settle()
    injector.notifier.send()
    injector.instance.publish(3)
    assert converge(injector.instance, 60) is not None
    copy = copied(injector, tmp_path / "copy.sqlite3")
    assert not check(copy, injector.notifier)

    copy.database.change(SABOTAGE[wrong])

    found = check(copy, injector.notifier)
    assert getattr(found, wrong), found
    if wrong == "lost":
        assert converge(copy, 0.5) is None
        assert converge(copy, 0.5, known=found.lost) is not None


def test_a_second_entry_of_an_item_is_found_out(
    on_sqlite: Injector, tmp_path: Path
) -> None:
    copy = copied(on_sqlite, tmp_path / "copy.sqlite3")
    assert not check(copy, on_sqlite.notifier).doubled

    copy.database.change(
        "UPDATE media_archive_journalentry SET revision = 2, item_id ="
        " (SELECT min(item_id) FROM media_archive_journalentry) WHERE seq = 3"
    )

    assert check(copy, on_sqlite.notifier).doubled


def copied(injector: Injector, path: Path) -> Any:
    """The instance with a copy of its database, which may be spoiled."""
    database = injector.instance.database
    assert isinstance(database, SqliteFile)
    with (
        closing(sqlite3.connect(database.path)) as source,
        closing(sqlite3.connect(path)) as target,
    ):
        source.backup(target)
    return SimpleNamespace(
        database=SqliteFile(path), upstream=injector.instance.upstream
    )
