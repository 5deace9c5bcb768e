"""A backup of a store with bad sectors holds the rest, and says what is wrong where."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from media_archive import files
from photowall.backup import copying
from photowall.backup.errors import BackupFailed
from photowall.backup.folder import LIST, write_list
from tests.media_archive.keeping import a_file

pytestmark = [pytest.mark.django_db]


class Troubled:
    """A file that opens, and cannot be read to its end."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def __enter__(self) -> Troubled:
        return self

    def __exit__(self, *_: object) -> None:
        self.content.close()

    def read(self, _: int) -> bytes:
        if piece := self.content.read(2):
            return bytes(piece)
        raise OSError(errno.EIO, "Input/output error")


@pytest.fixture
def names(settings: Any, tmp_path: Path) -> list[str]:
    settings.MEDIA_ROOT = tmp_path / "media"
    found = sorted(a_file(f"{n}".encode(), rendition=False).name for n in range(4))
    (tmp_path / "pool").mkdir()
    write_list(tmp_path / LIST, iter([(name, 1) for name in found]))
    return found


def copied(folder: Path) -> copying.Copied:
    return copying.out_of_the_store(folder, folder / "pool", lambda _n, _s: None)


def trouble(monkeypatch: pytest.MonkeyPatch, *bad: str) -> None:
    read = files.open_file
    monkeypatch.setattr(
        files, "open_file", lambda n: Troubled(read(n)) if n in bad else read(n)
    )


def test_the_rest_is_copied(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble(monkeypatch, names[1])
    done = copied(tmp_path)
    assert (done.files, done.unreadable) == (3, [names[1]])
    assert (done.missing, done.damaged, done.erased) == ([], [], [])
    there = {path.name for path in (tmp_path / "pool").rglob("*") if path.is_file()}
    assert there == {Path(name).name for name in names if name != names[1]}


def test_many_in_a_row_are_a_store_that_is_away(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble(monkeypatch, *names[:3])
    assert len(copied(tmp_path).unreadable) == 3, "the control"
    monkeypatch.setattr(copying, "AWAY", 3)
    with pytest.raises(BackupFailed, match="The store cannot be read: "):
        copied(tmp_path)


def test_a_target_that_cannot_be_written_is_not_the_store(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def full(path: Path, mode: str = "r", **more: Any) -> Any:
        if mode == "wb":
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(path, mode, **more)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="No space left"):
        copied(tmp_path)
