"""A file is in the folder whole or not at all, and nothing leads out of the folder."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from media_archive import files
from media_archive.stores import local
from media_archive.stores.shape import PIECE, Damaged

BYTES = b"not really a picture" * 20_000
SHA256 = hashlib.sha256(BYTES).hexdigest()
NAME = files.original_name(SHA256, "image/jpeg")
CLIMBING = [
    "",
    ".",
    "/etc/passwd",
    "../secret",
    "o/../../secret",
    "o/ab/../../../secret",
    "r//etc/passwd",
    "r/\\..\\secret",
    "o/ab/cd/\x00.jpg",
    f"x/{SHA256[:2]}/{SHA256[2:4]}/{SHA256}.jpg",
    f"o/00/00/{SHA256}.jpg",
    f"o/{SHA256[:2]}/{SHA256[2:4]}/{SHA256}.svg",
    f"o/{SHA256[:2]}/{SHA256[2:4]}/{SHA256}.jpg\n",
    f"o/{SHA256[:2]}/{SHA256[2:4]}/{SHA256.upper()}.jpg",
    f"./{NAME}",
]


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    folder = tmp_path / "media"
    settings.MEDIA_ROOT = folder
    return folder


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "part-1"
    path.write_bytes(BYTES)
    return path


def part(start: int, length: int, size: int = len(BYTES)) -> bytes:
    return b"".join(files.read(NAME, start, length, size=size))


@pytest.mark.parametrize("name", CLIMBING)
def test_a_name_that_is_not_ours_is_refused(
    root: Path, picture: Path, tmp_path: Path, name: str
) -> None:
    for use in (
        files.open_file,
        files.exists,
        files.size_of,
        lambda n: files.put(n, picture),
    ):
        with pytest.raises(ValueError, match="not a name of the store"):
            use(name)
    (tmp_path / "secret").write_text("kept")
    if not name.startswith(("o/00", "o/" + SHA256[:2])):
        with pytest.raises(ValueError, match="does not lie in the store"):
            files.delete(name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["part-1", "secret"]


def test_what_was_put_is_there(root: Path, picture: Path) -> None:
    assert not files.exists(NAME)
    files.put(NAME, picture)
    assert files.exists(NAME)
    assert files.size_of(NAME) == len(BYTES)
    with files.open_file(NAME) as kept:
        assert kept.read() == BYTES
    assert part(7, 5) == BYTES[7:12]
    assert part(len(BYTES) - 3, 3) == BYTES[-3:]
    assert part(0, len(BYTES)) == BYTES
    pieces = files.read(NAME, 0, len(BYTES), size=len(BYTES))
    assert max(len(piece) for piece in pieces) <= PIECE < len(BYTES)
    assert picture.read_bytes() == BYTES


def test_what_is_not_there_is_a_missing_file(root: Path) -> None:
    for use in (files.open_file, files.size_of, lambda n: part(0, 1)):
        with pytest.raises(FileNotFoundError):
            use(NAME)
    files.delete(NAME)
    assert list(files.walk()) == []


def test_a_file_of_another_size_is_damaged(root: Path, picture: Path) -> None:
    files.put(NAME, picture)
    (root / NAME).write_bytes(BYTES[:-1])
    with pytest.raises(Damaged, match=f"has {len(BYTES) - 1} bytes, not {len(BYTES)}"):
        part(0, 1)
    assert part(0, 1, len(BYTES) - 1) == BYTES[:1]


def test_what_is_there_is_not_written_again(root: Path, picture: Path) -> None:
    files.put(NAME, picture)
    before = (root / NAME).stat()
    files.put(NAME, picture)
    assert (root / NAME).stat() == before


def test_a_file_that_was_cut_short_is_replaced(root: Path, picture: Path) -> None:
    files.put(NAME, picture)
    (root / NAME).write_bytes(BYTES[:10])
    files.put(NAME, picture)
    assert (root / NAME).read_bytes() == BYTES
    # Of the same size it stays, unless it is known to be wrong.
    (root / NAME).write_bytes(bytes(len(BYTES)))
    files.put(NAME, picture)
    assert (root / NAME).read_bytes() == bytes(len(BYTES))
    files.put(NAME, picture, over=True)
    assert (root / NAME).read_bytes() == BYTES


def test_the_group_may_read_and_others_may_not(root: Path, picture: Path) -> None:
    root.mkdir()
    root.chmod(0o2750)
    before = os.umask(0o077)
    try:
        files.put(NAME, picture)
    finally:
        os.umask(before)
    assert stat.S_IMODE((root / NAME).stat().st_mode) == 0o640
    for folder in (root / NAME).relative_to(root).parents:
        assert stat.S_IMODE((root / folder).stat().st_mode) == 0o2750


def test_a_full_disk_leaves_nothing(
    root: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(content: Any, copy: Any, length: int) -> None:
        copy.write(content.read(100))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left") as caught:
        files.put(NAME, picture)
    assert caught.value.errno == errno.ENOSPC
    assert not files.exists(NAME)
    assert list(files.walk()) == []
    monkeypatch.undo()
    files.put(NAME, picture)
    assert [kept.name for kept in files.walk()] == [NAME]


def test_bytes_are_durable_before_they_have_their_name(
    root: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(number: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "file")
        fsync(number)

    def noted_replace(source: Path, target: Path) -> Path:
        assert source.parent == target.parent
        assert source.read_bytes() == BYTES
        done.append("name")
        return replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    files.put(NAME, picture)
    assert done[-3:] == ["file", "name", "folder"]


def test_many_at_once_leave_one_whole_file(root: Path, picture: Path) -> None:
    failed: list[OSError] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        try:
            files.put(NAME, picture)
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [(kept.name, kept.size) for kept in files.walk()] == [(NAME, len(BYTES))]


def test_strays_are_found_and_may_be_taken_away(root: Path, picture: Path) -> None:
    files.put(NAME, picture)
    folder = (root / NAME).parent
    (folder / f"{local.UNFINISHED}xyz").write_bytes(b"1")
    (root / "r").mkdir()
    (root / "r" / "notes.txt").write_bytes(b"22")
    (root / "elsewhere").mkdir()
    (root / "elsewhere" / "x").write_bytes(b"")
    found = {kept.name: kept.size for kept in files.walk()}
    stray = f"{Path(NAME).parent}/part-xyz"
    assert found == {NAME: len(BYTES), stray: 1, "r/notes.txt": 2}
    assert all(kept.modified.tzinfo for kept in files.walk())
    for name in found:
        files.delete(name)
    assert list(files.walk()) == []
    assert (root / "elsewhere" / "x").exists()


def test_the_scratch_folder_is_ours_alone(root: Path) -> None:
    folder = files.scratch()
    assert folder.is_dir()
    assert folder == files.scratch()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.stat().st_dev == root.stat().st_dev
    (folder / "part-1").write_bytes(b"")
    assert list(files.walk()) == []


def test_addresses_are_below_media(root: Path) -> None:
    assert files.address(NAME) == f"/media/{NAME}"
    assert NAME.endswith(f"/{SHA256}.jpg")
