"""No file leaves the store before a restore is final."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError

from media_archive import discarding, retention
from media_archive.models import MediaAsset, StoredFile
from photowall.backup import replacing
from photowall.backup.errors import BackupFailed
from tests.backup.installation import (
    Installation,
    a_kept_post,
    backed_up,
    files_of,
    restored,
)
from tests.builders import a_record, store


def test_what_is_purged_again_leaves_its_files_until_photowall_runs(
    home: Installation, folder: Path
) -> None:
    with home.entered():
        item = a_kept_post()
        names = files_of(item)
        other = files_of(a_kept_post())
    backed_up(home, folder)
    with home.entered():
        retention.purge([item.pk], actor="ada", reason="")
    assert sorted(home.kept()) == sorted(other)

    restored(home, folder, replace=True, yes=True)

    assert sorted(home.kept()) == sorted([*names, *other])
    with home.entered():
        assert discarding.remove_due() == len(names)
    assert sorted(home.kept()) == sorted(other)


def test_a_restore_that_fails_late_leaves_the_files_of_the_database_of_before(
    home: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home.entered():
        item = a_kept_post()
        names = files_of(item)
    backed_up(home, folder)
    with home.entered():
        # It goes, and another post shows the same picture.
        pk = store([a_record()]).new[0]
        picture = StoredFile.objects.get(name=names[0])
        MediaAsset.objects.filter(item_id=pk).update(picture=picture)
        retention.purge([item.pk], actor="ada", reason="")
    rows = home.rows()
    see_to = replacing.see_to

    def fail_late(*args: object) -> None:
        done = see_to(*args)  # type: ignore[arg-type]
        assert done.erased_again == 1
        raise BackupFailed("No more room.")

    monkeypatch.setattr(replacing, "see_to", fail_late)
    with pytest.raises(CommandError, match="No more room"):
        restored(home, folder, replace=True, yes=True)
    assert home.rows() == rows
    assert sorted(home.kept()) == sorted(names)
