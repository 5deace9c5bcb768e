"""What goes when old backups go, and what is not ours to remove."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from photowall.backup.folder import Folder
from tests.backup.installation import Installation, a_kept_post, backed_up, restored

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def test_a_linked_backup_is_left_alone(
    home: Installation, elsewhere: Installation, folder: Path, tmp_path: Path
) -> None:
    with home.entered():
        a_kept_post()
    theirs = tmp_path / "theirs"
    backed_up(home, theirs)
    there = Folder(theirs).complete()[0]
    backed_up(home, folder)
    own = Folder(folder).complete()[0]
    link = folder / "20200101T000000Z"
    link.symlink_to(there, target_is_directory=True)
    dangling = folder / "20200102T000000Z"
    dangling.symlink_to(tmp_path / "nowhere")

    assert "removed 1 older" in backed_up(home, folder, keep=1)

    assert link.is_symlink() and dangling.is_symlink()
    assert "1 media items" in restored(elsewhere, theirs)
    # The positive control: its own old one is gone.
    assert not own.exists() and len(Folder(folder).all()) == 1


def test_what_cannot_be_removed_is_told(
    home: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home.entered():
        a_kept_post()
    backed_up(home, folder)

    def refuse(path: Path, *_: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(CommandError, match="what is too old could not be removed"):
        backed_up(home, folder, keep=1)
    assert len(Folder(folder).complete()) == 1
    monkeypatch.undo()
    assert "removed 2 older or unfinished" in backed_up(home, folder, keep=1)


def test_a_list_that_is_no_text(home: Installation, folder: Path) -> None:
    with home.entered():
        a_kept_post()
    backed_up(home, folder)
    path = Folder(folder).complete()[0] / "files.txt"
    whole = path.read_bytes()
    for damage in (b"\xff\xfe\n", b"x\n", "²".encode() + whole[1:]):
        path.write_bytes(damage)
        with pytest.raises(CommandError, match="is no file of ours"):
            backed_up(home, folder)
        assert path.read_bytes() == damage
    path.write_bytes(whole)
    assert "0 of them copied" in backed_up(home, folder)
