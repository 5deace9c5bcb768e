"""The restored database takes the place of the present one, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from photowall.backup import postgres, sqlite
from photowall.backup.aftermath import Aftermath, refuse_other_counts, see_to
from photowall.backup.bars import Bars
from photowall.backup.erasures import Erasures
from photowall.backup.errors import BackupFailed
from photowall.backup.manifest import Manifest
from photowall.backup.present import Present


def replace_sqlite(
    dump: Path, written: Manifest, present: Present, erased: Erasures, _: Bars
) -> Aftermath:
    """A copy is completed beside the present file, and renamed over it last."""
    target = sqlite.here()
    made = target.with_name(target.name + ".restoring")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        for leftover in ("", "-wal", "-shm", "-journal"):
            made.with_name(made.name + leftover).unlink(missing_ok=True)
        shutil.copyfile(dump, made)
        made.chmod(0o600)
    except OSError as error:
        raise BackupFailed(
            f"{made} could not be written: {error}. The database is as it was."
        ) from error
    with sqlite.opened(made) as ask:
        refuse_other_counts(ask, sqlite.tables(ask), written)
    with _connected_to(made):
        aftermath = see_to(present, erased, written)
    if target.exists():
        present.refuse_in_use()
    sqlite.put_in_place(made, target)
    return aftermath


def replace_postgres(
    dump: Path, written: Manifest, present: Present, erased: Erasures, bars: Bars
) -> Aftermath:
    """The present tables wait aside until the new ones are complete. If something
    fails they come back."""
    program = postgres.restoring(written.program, written.server)
    postgres.put_back()
    postgres.move_aside()
    try:
        with bars(None, "looks at pg_restore") as bar:
            postgres.load(program, dump, bar.advance)
        refuse_other_counts(postgres.ask, postgres.tables(), written)
        aftermath = see_to(present, erased, written)
    except BaseException:
        # Whatever it was, an interrupt too: the archive of before is the better one.
        connection.close()
        postgres.put_back()
        raise
    postgres.forget_aside()
    return aftermath


@contextmanager
def _connected_to(path: Path) -> Iterator[None]:
    """Django's own connection leads to another file meanwhile."""
    connection.close()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
