"""Faults of the database: crashed, cut off, hanging, locked, full."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.faults.databases import (
    DatabaseAway,
    PostgresCluster,
    SqliteFile,
    wait_for,
)
from tests.faults.kinds import POSTGRESQL, SQLITE, Scene, kind

SMALL = str(16 * 1024)
"""Bytes beyond which no file may grow where the disk of SQLite is "full"."""
LARGE = str(1024 * 1024)
"""The same for PostgreSQL: a segment of its log, of a fixed size, fits."""
UNLIMITED = "unlimited"
_PAD = (
    "INSERT INTO subscriptions_receipt (subscription_id, body, body_sha256, headers,"
    " state, reason, received_at, last_seen_at, seen)"
    " SELECT (SELECT min(id) FROM subscriptions_subscription), 'x',"
    " md5(random()::text) || md5(n::text), '{}', 'ignored', repeat('x', 250),"
    " now(), now(), 1 FROM generate_series(1, 3500) n"
)


def _cluster(scene: Scene) -> PostgresCluster:
    database = scene.instance.database
    assert isinstance(database, PostgresCluster)
    return database


def _file(scene: Scene) -> SqliteFile:
    database = scene.instance.database
    assert isinstance(database, SqliteFile)
    return database


@kind(databases=POSTGRESQL, lasts=(1.0, 5.0))
def postgres_immediate_stop(scene: Scene) -> Iterator[None]:
    """Crashed under load; it recovers from its log."""
    scene.instance.publish(scene.chance.randint(1, 40))
    scene.wait(0.0, 0.6)
    _cluster(scene).immediate_stop()
    yield
    scene.instance.heal()


@kind(databases=POSTGRESQL, lasts=(0.2, 1.0))
def postgres_backends_terminated(scene: Scene) -> Iterator[None]:
    """Every connection is ended, again and again, under load."""
    ends = time.monotonic() + scene.chance.uniform(2, 4)
    scene.instance.publish(scene.chance.randint(5, 60))
    while time.monotonic() < ends:
        _cluster(scene).terminate_backends()
        scene.wait(0.02, 0.3)
    yield


@kind(databases=POSTGRESQL, lasts=(2.0, 8.0))
def postgres_hanging(scene: Scene) -> Iterator[None]:
    """All its processes stand still, and every connection stays open."""
    scene.instance.publish(scene.chance.randint(1, 10))
    _cluster(scene).process.hang()
    yield
    _cluster(scene).process.go_on()
    wait_for(scene.instance.database)


@kind(databases=POSTGRESQL, lasts=(1.0, 4.0))
def postgres_connections_used_up(scene: Scene) -> Iterator[None]:
    """Others have taken every connection that there is."""
    cluster = _cluster(scene)
    taken: list[psycopg.Connection] = []
    # The one that is refused is the last.
    with contextlib.suppress(psycopg.OperationalError):
        while len(taken) < 200:
            taken.append(cluster.connect())
    yield
    for each in taken:
        each.close()


@kind(databases=POSTGRESQL, lasts=(2.0, 5.0), linux_only=True)
def postgres_disk_full(scene: Scene) -> Iterator[None]:
    """Tables may not grow any more: the limit on the size of files, which PostgreSQL
    treats as a full disk, stands in for one. Its log has room."""
    cluster = _cluster(scene)
    cluster.change(_PAD)
    cluster.terminate_backends()
    pids = [cluster.process.pid, *cluster.process.children()]
    for pid in pids:
        limit_files(pid, LARGE)
    yield
    # Backends inherit the limit, so that connections made meanwhile have it too.
    for pid in [cluster.process.pid, *cluster.process.children()]:
        limit_files(pid, UNLIMITED)
    wait_for(scene.instance.database)


@kind(databases=SQLITE, lasts=(15.0, 15.0))
def sqlite_locked_15s(scene: Scene) -> Iterator[None]:
    """Somebody else holds the file's write lock for 15 s."""
    with _file(scene).locked():
        yield


@kind(databases=SQLITE, lasts=(45.0, 45.0))
def sqlite_locked_45s(scene: Scene) -> Iterator[None]:
    """The same for 45 s: longer than anybody waits."""
    with _file(scene).locked():
        yield


@kind(databases=SQLITE, lasts=(0.1, 0.5))
def sqlite_locked_at_random(scene: Scene) -> Iterator[None]:
    """The write lock is taken away for short whiles."""
    for _ in range(scene.chance.randint(3, 6)):
        with contextlib.suppress(DatabaseAway), _file(scene).locked():
            scene.instance.publish(1)
            scene.wait(0.1, 1.5)
        scene.wait(0.0, 0.2)
    yield


@kind(databases=SQLITE, lasts=(2.0, 5.0), linux_only=True)
def sqlite_disk_full(scene: Scene) -> Iterator[None]:
    """Neither file nor log of the database may grow: the limit on the size of files
    of our own processes stands in for a full disk."""
    instance = scene.instance
    instance.publish(scene.chance.randint(1, 30))
    for process in (instance.web, instance.worker):
        limit_files(process.pid, SMALL)
    yield
    for process in (instance.web, instance.worker):
        if process.alive:
            limit_files(process.pid, UNLIMITED)
    instance.heal()


def limit_files(pid: int, size: str) -> None:
    """Lower, or lift, the limit on the size of files of a running process, as its
    own user: others may not. Raises ``RuntimeError`` if a living process has kept its
    limit."""
    place = Path(f"/proc/{pid}")
    words = ["prlimit", f"--pid={pid}", f"--fsize={size}:unlimited"]
    with contextlib.suppress(FileNotFoundError):
        own = place.stat()
        identity = {"user": own.st_uid, "group": own.st_gid, "extra_groups": []}
        if own.st_uid == os.getuid():
            identity = {}
        done = subprocess.run(  # type: ignore[call-overload]
            words, check=False, capture_output=True, text=True, **identity
        )
        if done.returncode and place.exists():
            raise RuntimeError(f"prlimit: {done.stderr.strip()}")
