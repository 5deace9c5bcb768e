"""What a restore must not bring back, and what it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError

from media_archive import journal, retention, walls
from media_archive.models import JournalKind, MediaItem, Tombstone
from photowall.backup import taking
from photowall.backup.folder import Folder
from photowall.backup.manifest import read
from photowall.facades.models import ApiClient
from tests.backup.conftest import Founded
from tests.backup.installation import (
    Installation,
    a_kept_post,
    backed_up,
    files_of,
    restored,
)


def _purge(item: MediaItem) -> None:
    retention.purge([item.pk], actor="ada", reason="asked to")


def test_what_was_purged_since_is_purged_again(
    home: Installation, folder: Path
) -> None:
    with home.entered():
        item, other = a_kept_post(), a_kept_post()
    backed_up(home, folder)
    with home.entered():
        _purge(item)

    told = restored(home, folder, replace=True, yes=True)

    assert "1 items, purged since, are purged again" in told
    with home.entered():
        assert list(MediaItem.objects.values_list("pk", flat=True)) == [other.pk]
        grave = Tombstone.objects.get()
        assert grave.key == Tombstone.key_of(item.provider, item.native_id)
        assert (grave.actor, grave.reason) == ("ada", "asked to")
        last = journal.read(journal.head() - 1, 1)[0]
        assert (last.kind, last.item_id) == (JournalKind.PURGED, item.pk)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_where_the_database_is_lost_a_later_backup_knows_it(
    home: Installation, elsewhere: Installation, folder: Path
) -> None:
    with home.entered():
        item = a_kept_post()
        a_kept_post()
    backed_up(home, folder)
    with home.entered():
        _purge(item)
    backed_up(home, folder)
    first = Folder(folder).complete()[0]
    assert "purged again" in restored(elsewhere, folder, which=first.name)
    with elsewhere.entered():
        assert MediaItem.objects.count() == 1
        assert Tombstone.objects.count() == 1


def test_what_is_erased_while_it_is_copied_is_named(
    home: Installation,
    elsewhere: Installation,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with home.entered():
        names = files_of(a_kept_post())
        lost = a_kept_post()
        missing = files_of(lost)[0]
    copy = taking.copying.out_of_the_store

    def erase_first(*args: Any) -> Any:
        for name in names:
            (home.media / name).unlink()
        from media_archive.models import StoredFile

        StoredFile.objects.filter(name=names[0]).delete()
        # And one that nobody erased.
        (home.media / missing).unlink()
        return copy(*args)

    monkeypatch.setattr(taking.copying, "out_of_the_store", erase_first)
    with pytest.raises(CommandError, match="what the store itself lacks"):
        backed_up(home, folder)
    found = read(Folder(folder).complete()[0])
    assert sorted(found.erased) == sorted(names)
    assert found.missing == [missing]
    assert found.damaged == []
    told = restored(elsewhere, folder)
    assert "3 files are MISSING" in told


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_what_is_damaged_in_the_store_is_not_kept_as_if_it_were_whole(
    home: Installation, folder: Path
) -> None:
    with home.entered():
        name = files_of(a_kept_post())[0]
    path = home.media / name
    size = path.stat().st_size
    path.unlink()
    path.write_bytes(b"x" * size)
    with pytest.raises(CommandError, match="archive_verify"):
        backed_up(home, folder)
    assert read(Folder(folder).complete()[0]).damaged == [name]
    assert not (folder / "files" / name).exists()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_the_key_is_not_in_it_and_that_is_told(
    found_one: Founded, home: Installation, folder: Path, settings: Any
) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.PHOTOWALL_ENCRYPTION_KEYS = [old]
    with home.entered():
        a_kept_post()
        secret = ApiClient.objects.create(name="old friend").client_secret
    backed_up(home, folder)
    for path in folder.rglob("*"):
        assert path.is_dir() or old.encode() not in path.read_bytes()

    settings.PHOTOWALL_ENCRYPTION_KEYS = [new]
    told = restored(found_one(empty=True), folder)
    assert "THE PRESENT KEY DOES NOT OPEN" in told
    assert "1 STORED SECRETS CANNOT BE OPENED" in told
    # The positive control, and the way out: both keys.
    settings.PHOTOWALL_ENCRYPTION_KEYS = [new, old]
    place = found_one(empty=True)
    told = restored(place, folder)
    assert "NOT OPEN" not in told and "CANNOT BE OPENED" not in told
    with place.entered():
        assert ApiClient.objects.get().client_secret == secret


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_walls_that_saw_more_than_is_there_now_read_anew(
    home: Installation, folder: Path
) -> None:
    with home.entered():
        a_kept_post()
    backed_up(home, folder)
    with home.entered():
        for _ in range(3):
            a_kept_post()
        seen = journal.head()
    restored(home, folder, replace=True, yes=True)
    with home.entered():
        a_kept_post()
        # Nothing is replayed as if it went on from there: the viewer reloads.
        assert walls.replay("nofilter", seen, journal.head()) is None
        assert walls.replay("nofilter", journal.head() - 2, journal.head())
