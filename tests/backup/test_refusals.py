"""What is not restored, and where nothing is backed up to: told before anything is
touched."""

from __future__ import annotations

import fcntl
import io
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command

from photowall.backup import copying
from photowall.backup.folder import Folder
from photowall.up.places import Places
from tests.backup.conftest import Founded
from tests.backup.installation import (
    Installation,
    a_kept_post,
    backed_up,
    files_of,
    restored,
)

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


class Kept(NamedTuple):
    """A folder with one backup, and the place that it is to be restored to."""

    folder: Path
    backup: Path
    names: list[str]
    elsewhere: Installation

    def edit(self, **changes: Any) -> None:
        """Write other words into the manifest."""
        path = self.backup / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    def refused(self, match: str, **options: object) -> None:
        """It is refused with these words, and nothing is there that was not."""
        before = self.elsewhere.database.exists() and self.elsewhere.rows()
        with pytest.raises(CommandError, match=match):
            restored(self.elsewhere, self.folder, **options)
        after = self.elsewhere.database.exists() and self.elsewhere.rows()
        assert after == before


@pytest.fixture
def kept(home: Installation, elsewhere: Installation, folder: Path) -> Kept:
    with home.entered():
        names = files_of(a_kept_post())
    backed_up(home, folder)
    return Kept(folder, Folder(folder).complete()[0], names, elsewhere)


def test_what_is_no_backup(kept: Kept, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no backup"):
        restored(kept.elsewhere, tmp_path / "nowhere")
    kept.refused("There is no backup 2020 in .*; there are: 2", which="2020")
    (kept.backup / "manifest.json").rename(tmp_path / "manifest.json")
    kept.refused("only backups that were not finished")
    kept.refused("was not finished, and is no backup", which=kept.backup.name)
    # The positive control: with all of it, it is restored.
    (tmp_path / "manifest.json").rename(kept.backup / "manifest.json")
    assert "1 media items" in restored(kept.elsewhere, kept.folder)


DAMAGE: dict[str, tuple[Callable[[Kept], object], str]] = {
    "another byte in the dump": (
        lambda kept: _flip(kept.backup / "database.sqlite3"),
        "other bytes than when it was written",
    ),
    "no dump": (
        lambda kept: (kept.backup / "database.sqlite3").unlink(),
        "is missing: the backup is damaged",
    ),
    "a list cut off": (
        lambda kept: (kept.backup / "files.txt").write_text(""),
        "other bytes than when it was written",
    ),
    "a manifest cut off": (
        lambda kept: (kept.backup / "manifest.json").write_text('{"format": 1, "k'),
        "it is damaged",
    ),
    "a manifest of another kind": (
        lambda kept: (kept.backup / "manifest.json").write_text("[1]"),
        "it is damaged",
    ),
    "a later format": (
        lambda kept: kept.edit(format=2, photowall="9.0"),
        r"made by a newer Photowall \(9.0\)",
    ),
    "a later migration": (
        lambda kept: kept.edit(migrations=["media_archive.9999_later"]),
        r"does not know \(media_archive.9999_later\)",
    ),
    "another database": (
        lambda kept: kept.edit(kind="postgresql"),
        "a backup of PostgreSQL, and DATABASE_URL names SQLite",
    ),
    "graves that cannot be read": (
        lambda kept: (kept.folder / "erased.jsonl").write_text('{"key'),
        "what was purged may come back",
    ),
    "other counts": (
        lambda kept: kept.edit(counts={"media_archive_mediaitem": 2}),
        "has 1 rows, and 2 when it was backed up",
    ),
    "a file that is gone": (
        lambda kept: (kept.folder / "files" / kept.names[0]).unlink(),
        "lacks 1 of its files",
    ),
    "a file cut off": (
        lambda kept: (kept.folder / "files" / kept.names[1]).write_bytes(b"short"),
        "lacks 1 of its files",
    ),
    "another byte in a file": (
        lambda kept: _flip(kept.folder / "files" / kept.names[0]),
        "lacks 1 of its files, or has them damaged",
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_what_is_damaged_or_of_another_kind(kept: Kept, what: str) -> None:
    harm, told = DAMAGE[what]
    harm(kept)
    kept.refused(told)


def test_without_a_file_only_when_it_is_wanted_so(kept: Kept) -> None:
    (kept.folder / "files" / kept.names[0]).unlink()
    kept.refused("--despite-missing restores all the same")
    told = restored(kept.elsewhere, kept.folder, despite_missing=True)
    assert f"1 files are MISSING in the store: {kept.names[0]}" in told
    assert len(kept.elsewhere.kept()) == 1


def test_a_list_that_leads_out_of_the_store(kept: Kept) -> None:
    path = kept.backup / "files.txt"
    path.write_text("7 ../../secret\n")
    from photowall.backup.manifest import sha256_of

    kept.edit(list_sha256=sha256_of(path))
    kept.refused("which is no file of ours")


def test_while_somebody_uses_the_database(kept: Kept) -> None:
    restored(kept.elsewhere, kept.folder)
    again = {"replace": True, "yes": True}
    with closing(sqlite3.connect(kept.elsewhere.database)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("SELECT count(*) FROM auth_user").fetchone()
        kept.refused("Another process uses", **again)
    places = Places(kept.elsewhere.folder)
    with places.lock.open("w") as up:
        fcntl.flock(up, fcntl.LOCK_EX)
        kept.refused("`manage.py up` is running here", **again)
    assert "1 media items" in restored(kept.elsewhere, kept.folder, **again)


class Terminal(io.StringIO):
    """Somebody types."""

    def isatty(self) -> bool:
        return True


def test_the_name_is_typed(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    restored(kept.elsewhere, kept.folder)
    with kept.elsewhere.entered():
        a_kept_post()
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    kept.refused("That is another name", replace=True)
    assert len(kept.elsewhere.rows()["media_archive_mediaitem"]) == 2
    monkeypatch.setattr("sys.stdin", Terminal("db.sqlite3\n"))
    assert "Type db.sqlite3" in restored(kept.elsewhere, kept.folder, replace=True)
    assert len(kept.elsewhere.rows()["media_archive_mediaitem"]) == 1


def test_a_broken_database_is_replaced_all_the_same(kept: Kept) -> None:
    kept.elsewhere.database.write_bytes(b"not a database" * 1_000)
    with pytest.raises(CommandError, match="is not empty"):
        restored(kept.elsewhere, kept.folder)
    told = restored(kept.elsewhere, kept.folder, replace=True, yes=True)
    assert "is broken" in told and "1 media items" in told


def test_a_folder_in_the_store(home: Installation, folder: Path) -> None:
    with pytest.raises(CommandError, match="is inside the store of pictures"):
        backed_up(home, home.media / "backups")
    assert not (home.media / "backups").exists()


def test_two_at_once(kept: Kept, home: Installation) -> None:
    with (
        Folder(kept.folder).alone(),
        pytest.raises(CommandError, match="Another backup is being written"),
    ):
        backed_up(home, kept.folder)
    assert "0 of them copied" in backed_up(home, kept.folder)


def test_no_room(
    home: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home.entered():
        a_kept_post()
    usage = shutil.disk_usage("/")._replace(free=copying.SPARE)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(CommandError, match="MiB are free"):
        backed_up(home, folder)
    assert Folder(folder).complete() == []
    monkeypatch.undo()
    assert "removed 1 older or unfinished" in backed_up(home, folder)


def test_a_database_in_memory(found_one: Founded, folder: Path) -> None:
    place = found_one()
    place.url = "sqlite://:memory:"
    with place.entered(), pytest.raises(CommandError, match="lives in memory"):
        call_command("backup", str(folder), stdout=io.StringIO())


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
