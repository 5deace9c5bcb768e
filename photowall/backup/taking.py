"""Take a backup: the database of one moment first, then the files it names.

In this order every file that the dump names is there when it is copied: a file is
stored before its row. What was purged meanwhile is named as erased.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from media_archive import encryption
from photowall.backup import copying, erasures, facts, postgres, sqlite
from photowall.backup.bars import Bars, PerCent
from photowall.backup.erasures import Erasures
from photowall.backup.errors import BackupFailed, BackupRefused
from photowall.backup.facts import Facts
from photowall.backup.folder import LIST, Folder, settle, write_list
from photowall.backup.manifest import DUMPS, Manifest, sha256_of

SEALED = "photowall"
"""The word that a manifest holds encrypted."""


@dataclass(frozen=True)
class Taken:
    """A finished backup, and what was removed for it."""

    path: Path
    manifest: Manifest
    pruned: int
    pruned_files: int


def take(folder: Folder, keep: int, bars: Bars) -> Taken:
    """Take one into ``folder``, and leave the newest ``keep``.

    Raises ``BackupRefused``, ``BackupFailed``. Killed, it leaves a folder without a
    manifest, which the next one removes.
    """
    refuse_inside_the_store(folder.path)
    folder.make()
    with folder.alone():
        began = timezone.now()
        backup = folder.begin(began)
        try:
            if connection.vendor == "sqlite":
                dump, server, program = _from_sqlite(backup, bars)
            else:
                dump, server, program = _from_postgres(backup, bars)
            found, (count, size) = dump.found, dump.listed
            settle(backup / LIST)
            copying.room_for(backup, folder.files)
            erasures.leave(folder.erased, dump.erased)
            with bars(count, "files") as bar:
                copied = copying.out_of_the_store(
                    backup, folder.files, lambda n, _: bar.advance(n)
                )
        except OSError as error:
            raise BackupFailed(
                f"The backup could not be written to {folder.path}: {error}."
            ) from error
        manifest = Manifest(
            photowall=settings.PHOTOWALL_VERSION,
            began_at=began.isoformat(),
            ended_at=timezone.now().isoformat(),
            kind=connection.vendor,
            dump=dump.path.name,
            dump_bytes=dump.path.stat().st_size,
            dump_sha256=sha256_of(dump.path),
            list_sha256=sha256_of(backup / LIST),
            journal=found.journal,
            migrations=found.migrations,
            counts=found.counts,
            files=count,
            files_bytes=size,
            copied=copied.files,
            sealed=encryption.encrypt(SEALED),
            server=server,
            program=program,
            erased=copied.erased,
            missing=copied.missing,
            damaged=copied.damaged,
            unreadable=copied.unreadable,
        )
        manifest.write(backup)
        try:
            pruned, pruned_files = folder.prune(keep)
        except OSError as error:
            raise BackupFailed(
                f"This backup is complete ({backup}), but what is too old could not be "
                f"removed: {error}. The next backup tries again."
            ) from error
    return Taken(backup, manifest, pruned, pruned_files)


def refuse_inside_the_store(path: Path) -> None:
    """Raises ``BackupRefused``: what nobody owns is swept out of the store."""
    store = Path(settings.MEDIA_ROOT).absolute()
    if path == store or path.is_relative_to(store):
        raise BackupRefused(
            f"{path} is inside the store of pictures ({store}): name a folder outside, "
            "best on another disk."
        )


@dataclass(frozen=True)
class _Dump:
    path: Path
    found: Facts
    listed: tuple[int, int]
    erased: Erasures


def _from_sqlite(backup: Path, bars: Bars) -> tuple[_Dump, int, int]:
    source, path = sqlite.here(), backup / DUMPS["sqlite"]
    with bars(100, "% of the database") as bar:
        sqlite.dump(source, path, PerCent(bar).at)
    with sqlite.opened(path) as ask:
        there = sqlite.tables(ask)
        found = facts.learn(ask, there)
        wanted = write_list(backup / LIST, facts.wanted_files(ask, there))
        erased = Erasures().add(erasures.of_database(ask, there))
    return _Dump(path, found, wanted, erased), 0, 0


def _from_postgres(backup: Path, bars: Bars) -> tuple[_Dump, int, int]:
    path = backup / DUMPS["postgresql"]
    program = postgres.dumping()
    with postgres.snapshot() as name, bars(None, "MB of dump") as bar:
        shown = 0

        def told() -> None:
            nonlocal shown
            size = path.stat().st_size // 1_000_000 if path.exists() else 0
            bar.advance(size - shown)
            shown = size

        postgres.dump(program, name, path, told)
        there = postgres.tables()
        found = facts.learn(postgres.ask, there)
        wanted = write_list(
            backup / LIST, facts.wanted_files(postgres.ask_at_length, there)
        )
        erased = Erasures().add(erasures.of_database(postgres.ask_at_length, there))
    settle(path)
    return _Dump(path, found, wanted, erased), postgres.server(), program.version
