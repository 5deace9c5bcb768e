"""Killed anywhere, it is repeated, and then all is there."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from photowall.backup.folder import Folder
from tests.backup.installation import (
    Installation,
    a_kept_post,
    backed_up,
    files_of,
    restored,
)

ROOT = Path(__file__).resolve().parents[2]


def killed(place: Installation, moment: str, *words: str) -> None:
    """Run it as a process of ``place`` until that moment."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.backup.killed", moment, *words],
        cwd=ROOT,
        env=place.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stdout + ended.stderr


@pytest.mark.parametrize("moment", ["backup, in the files", "backup, at the end"])
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_backup(
    home: Installation, elsewhere: Installation, folder: Path, moment: str
) -> None:
    with home.entered():
        for _ in range(3):
            a_kept_post()
    killed(home, moment, "backup", str(folder))
    assert len(Folder(folder).all()) == 1 and not Folder(folder).complete()
    # What had not settled is copied once more.
    copied = 0 if "files" in moment else 6
    assert f"{6 - copied} of them copied" in backed_up(home, folder)
    # Nothing of the killed one is left.
    assert len(Folder(folder).all()) == 1
    assert not list(folder.rglob("*.part"))
    restored(elsewhere, folder)
    assert elsewhere.rows() == home.rows()
    assert elsewhere.kept() == home.kept()


MOMENTS = [
    ("sqlite", "restore, in the files"),
    ("sqlite", "restore, before it is put in place"),
    ("sqlite", "restore, at the end"),
    ("postgresql", "restore, after loading"),
    ("postgresql", "restore, before the old goes"),
]


@pytest.mark.parametrize(("kind", "moment"), MOMENTS, indirect=["kind"])
def test_a_restore(home: Installation, folder: Path, moment: str) -> None:
    with home.entered():
        item = a_kept_post()
        names = files_of(item)
        a_kept_post()
    backed_up(home, folder)
    rows, kept = home.rows(), home.kept()
    with home.entered():
        item.delete()
        a_kept_post()
    for name in names:
        (home.media / name).unlink()
    words = ["restore", str(folder), "--replace", "--yes"]
    killed(home, moment, *words)
    told = restored(home, folder, replace=True, yes=True)
    assert "2 media items" in told
    assert home.rows() == rows
    assert kept.items() <= home.kept().items()


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_what_fails_leaves_the_database_as_it_was(
    home: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home.entered():
        a_kept_post()
    backed_up(home, folder)
    with home.entered():
        a_kept_post()
    rows = home.rows()

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("photowall.backup.replacing.see_to", fail)
    with pytest.raises(Exception, match="the database is as it was"):
        restored(home, folder, replace=True, yes=True)
    assert home.rows() == rows
    monkeypatch.undo()
    restored(home, folder, replace=True, yes=True)
    assert len(home.rows()["media_archive_mediaitem"]) == 1
