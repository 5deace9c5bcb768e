"""Manifests and graves that somebody else has written: a sentence, and nothing is
touched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from media_archive.models import MediaItem, Tombstone
from photowall.backup import erasures, manifest
from photowall.backup.errors import BackupRefused
from photowall.backup.folder import Folder
from tests.backup.installation import Installation, a_kept_post, backed_up, restored

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def backup(home: Installation, folder: Path) -> Path:
    with home.entered():
        a_kept_post()
    backed_up(home, folder)
    return Folder(folder).complete()[0]


def edit(backup: Path, **changes: Any) -> dict[str, Any]:
    """Other words in the manifest; what it said before."""
    path = backup / "manifest.json"
    before: dict[str, Any] = json.loads(path.read_text())
    path.write_text(json.dumps(before | changes))
    return before


def test_a_dump_elsewhere_is_not_restored(
    home: Installation, elsewhere: Installation, backup: Path, tmp_path: Path
) -> None:
    other = tmp_path / "database.sqlite3"
    shutil.copy(backup / "database.sqlite3", other)
    for dump in (str(other), f"../{backup.name}/database.sqlite3", "files.txt", ""):
        before = edit(backup, dump=dump)
        with pytest.raises(CommandError, match="which no dump of ours is called"):
            restored(elsewhere, backup.parent)
        assert not elsewhere.database.exists() and not elsewhere.kept()
        edit(backup, **before)
    edit(backup, dump="database.pgdump")
    with pytest.raises(CommandError, match=r"database\.pgdump is no dump of sqlite"):
        restored(elsewhere, backup.parent)
    # The positive control.
    edit(backup, dump="database.sqlite3")
    assert "1 media items" in restored(elsewhere, backup.parent)
    assert elsewhere.rows() == home.rows()


ODD = [
    ("counts", [1]),
    ("counts", {"media_archive_mediaitem": "1"}),
    ("counts", None),
    ("migrations", None),
    ("migrations", "media_archive.0001"),
    ("migrations", [["a", "b"]]),
    ("files", "x"),
    ("files", -1),
    ("files", True),
    ("files_bytes", 1.5),
    ("dump", 5),
    ("dump", ["database.sqlite3"]),
    ("sealed", 5),
    ("sealed", "\ud800"),
    ("journal", "9"),
    ("journal", 10**30),
    ("missing", None),
    ("erased", [None]),
    ("damaged", {}),
    ("kind", ["sqlite"]),
    ("photowall", "1\x1b[2J"),
    ("format", None),
    ("format", "1"),
    ("another", 1),
]


def test_a_manifest_with_odd_values(elsewhere: Installation, backup: Path) -> None:
    before = edit(backup)
    for name, value in ODD:
        edit(backup, **{name: value})
        with pytest.raises(CommandError, match="is damaged"):
            restored(elsewhere, backup.parent)
        assert not elsewhere.database.exists() and not elsewhere.kept(), name
        (backup / "manifest.json").write_text(json.dumps(before))
    for text in ("", "null", "5", '"x"', "{}", "[" * 100_000, "\ud800"):
        content = text.encode("utf-8", "surrogatepass")
        (backup / "manifest.json").write_bytes(content)
        with pytest.raises(BackupRefused, match="is damaged"):
            manifest.read(backup)
    # The positive control.
    (backup / "manifest.json").write_text(json.dumps(before))
    assert "1 media items" in restored(elsewhere, backup.parent)


Change = Callable[[dict[str, Any]], object]
GRAVES: dict[str, Change] = {
    "without a time": lambda row: row.pop("purged_at"),
    "a bad time": lambda row: row.update(purged_at="yesterday"),
    "a time that is none": lambda row: row.update(purged_at=5),
    "a time in no zone": lambda row: row.update(purged_at="2026-01-01T00:00:00"),
    "a time before all": lambda row: row.update(purged_at="0001-01-01T00:00:00+14:00"),
    "a column more": lambda row: row.update(id=5),
    "a number as words": lambda row: row.update(item_id="5"),
    "a number too large": lambda row: row.update(item_id=2**63),
    "a reason too long": lambda row: row.update(reason="x" * 301),
    "NUL": lambda row: row.update(reason="a\0b"),
    "half a character": lambda row: row.update(actor="\ud800"),
    "no key": lambda row: row.update(key=""),
    "a key that is none": lambda row: row.update(key=None),
}


def test_graves_with_odd_values(
    home: Installation, elsewhere: Installation, backup: Path
) -> None:
    with home.entered():
        item = MediaItem.objects.get()
        grave = Tombstone(
            key=Tombstone.key_of(item.provider, item.native_id),
            provider=item.provider,
            item_id=item.pk,
            actor="ada",
            reason="asked to",
        )
        row = {name: getattr(grave, name) for name in erasures.COLUMNS}
    row["purged_at"] = row["purged_at"].isoformat()
    path = backup.parent / "erased.jsonl"
    for what, change in GRAVES.items():
        odd = dict(row)
        change(odd)
        path.write_text(json.dumps(odd) + "\n")
        with pytest.raises(CommandError, match="what was purged may come back"):
            restored(elsewhere, backup.parent)
        assert not elsewhere.database.exists() and not elsewhere.kept(), what
        with pytest.raises(CommandError, match="is damaged"):
            backed_up(home, backup.parent)
        assert json.loads(path.read_text()) == odd
    for text in ("[]\n", "5\n", "null\n", "\n", "[" * 100_000):
        path.write_text(text)
        with pytest.raises(BackupRefused):
            list(erasures.of_folder(path))
    # The positive control.
    path.write_text(json.dumps(row) + "\n")
    assert "1 items, purged since, are purged again" in restored(
        elsewhere, backup.parent
    )
