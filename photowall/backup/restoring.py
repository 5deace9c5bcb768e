"""Restore a backup: judge it, bring its files, put its database in the place of ours.

Files first: they say their content and harm nobody. The database is replaced at the
end, after everything that is to be true of it has been made true beside the old one
(SQLite), or with the old one's tables kept aside until then (PostgreSQL). So a restore
that was killed is simply repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from media_archive import encryption
from photowall.backup import copying, erasures, manifest, postgres
from photowall.backup.aftermath import Aftermath
from photowall.backup.bars import Bars, PerCent
from photowall.backup.erasures import Erasures
from photowall.backup.errors import BackupFailed, BackupRefused
from photowall.backup.folder import Folder
from photowall.backup.manifest import Manifest
from photowall.backup.present import Present, look
from photowall.backup.replacing import replace_postgres, replace_sqlite
from photowall.backup.taking import SEALED


@dataclass
class Plan:
    """A backup that was judged, and the database that it would replace."""

    folder: Folder
    backup: Path
    manifest: Manifest
    present: Present
    key_fits: bool
    unfit: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Restored:
    """What a restore did."""

    copied: copying.Copied
    aftermath: Aftermath
    not_in_the_store: list[str]


def plan(folder: Folder, which: str | None, bars: Bars) -> Plan:
    """Judge the newest backup of ``folder``, or the one named ``which``, and what is
    there now. Changes nothing. Raises ``BackupRefused``."""
    backup = _chosen(folder, which)
    found = manifest.read(backup)
    _refuse_other_kind(found)
    with bars(100, "% of the dump judged") as bar:
        shares, read = PerCent(bar), 0

        def told(size: int) -> None:
            nonlocal read
            read += size
            shares.at(read, found.dump_bytes)

        manifest.check(backup, found, told)
    _refuse_newer(found)
    if found.kind == "postgresql":
        # What cannot work is told before anything is touched.
        postgres.restoring(found.program, found.server)
    return Plan(
        folder=folder,
        backup=backup,
        manifest=found,
        present=look(),
        key_fits=_opens(found.sealed),
        unfit=copying.judge(backup, folder.files, found.absent),
    )


def restore(chosen: Plan, bars: Bars, *, despite_missing: bool = False) -> Restored:
    """Do what was planned. Nobody else may use the database.

    ``despite_missing``: also when the backup lacks files that it should have.
    Raises ``BackupRefused`` (nothing but files was brought), ``BackupFailed``.
    """
    found = chosen.manifest
    _refuse_missing(chosen.unfit, despite_missing=despite_missing)
    chosen.present.refuse_in_use()
    erased = Erasures().add(erasures.of_folder(chosen.folder.erased))
    erased.add(chosen.present.erased)
    unfit = {*chosen.unfit, *found.absent}
    with bars(found.files, "files") as bar:
        try:
            copied = copying.into_the_store(
                chosen.backup, chosen.folder.files, unfit, lambda n, _: bar.advance(n)
            )
        except OSError as error:
            raise BackupFailed(
                f"A file could not be stored: {error}. The database is as it was; "
                "repeat the restore when there is room."
            ) from error
    _refuse_missing(copied.damaged, despite_missing=despite_missing)
    dump = chosen.backup / found.dump
    replace = replace_sqlite if found.kind == "sqlite" else replace_postgres
    aftermath = replace(dump, found, chosen.present, erased, bars)
    return Restored(copied, aftermath, copying.not_in_the_store())


def _chosen(folder: Folder, which: str | None) -> Path:
    if which is not None:
        backup = folder.path / Path(which).name
        if not backup.is_dir():
            names = ", ".join(path.name for path in folder.complete()) or "none"
            raise BackupRefused(
                f"There is no backup {which} in {folder.path}; there are: {names}."
            )
        return backup
    complete = folder.complete()
    if complete:
        return complete[-1]
    unfinished = folder.all()
    if unfinished:
        raise BackupRefused(
            f"{folder.path} has only backups that were not finished "
            f"({unfinished[-1].name}): they cannot be restored."
        )
    raise BackupRefused(f"{folder.path} holds no backup.")


def _refuse_other_kind(found: Manifest) -> None:
    words = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    if found.kind == connection.vendor:
        return
    of, here = (words.get(k, k) for k in (found.kind, connection.vendor))
    raise BackupRefused(
        f"This is a backup of {of}, and DATABASE_URL names {here}. Point DATABASE_URL "
        f"at {of} to restore it; how an archive moves from one to the other stands in "
        "docs/howto/back-up-and-restore.md."
    )


def _refuse_newer(found: Manifest) -> None:
    """A migration that we do not know was made by a Photowall after us."""
    loader = MigrationLoader(None)
    known = {f"{app}.{name}" for app, name in loader.disk_migrations}
    replaced = {
        f"{app}.{name}"
        for migration in loader.disk_migrations.values()
        for app, name in migration.replaces
    }
    unknown = sorted({*found.migrations} - known - replaced)
    if unknown:
        raise BackupRefused(
            f"The backup was made by a newer Photowall ({found.photowall}), whose "
            f"tables this one does not know ({unknown[0]}): install that one, and "
            "restore with it."
        )


def _refuse_missing(names: list[str], *, despite_missing: bool) -> None:
    if names and not despite_missing:
        some = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        raise BackupRefused(
            f"The backup lacks {len(names):,} of its files, or has them damaged "
            f"({some}). --despite-missing restores all the same; what is missing is "
            "then downloaded again or shown as missing."
        )


def _opens(sealed: str) -> bool:
    try:
        return encryption.decrypt(sealed) == SEALED
    except ImproperlyConfigured:
        return False
