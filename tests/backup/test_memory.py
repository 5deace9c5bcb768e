"""Lists of names and tombstones are as long as the archive; memory is not."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from media_archive import files
from media_archive.models import Tombstone
from media_archive.stores.shape import Kept
from photowall.backup import copying, erasures
from photowall.backup.errors import BackupRefused
from photowall.backup.folder import LIST, MANIFEST, Folder, listed, write_list
from photowall.backup.in_order import InOrder
from tests.backup.installation import Installation

MANY = 50_000
BOUND = 3 * 1024 * 1024
"""Bytes; the names alone are 6 MB."""
GRAVES = 10_000
"""They take longer; as rows of Python they are some 10 MB."""
_NOW = datetime(2026, 11, 21, tzinfo=UTC)


@contextmanager
def bounded() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < BOUND, peak


def names() -> Iterator[tuple[str, int]]:
    """Ascending."""
    for number in range(MANY):
        digest = f"{number:08x}" + "0" * 56
        yield f"o/{digest[:2]}/{digest[2:4]}/{digest}.jpg", number


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    path = tmp_path / "20261121T173001Z"
    path.mkdir()
    assert write_list(path / LIST, names())[0] == MANY
    (path / MANIFEST).touch()
    return path


def test_the_bound_is_one() -> None:
    with pytest.raises(AssertionError), bounded():
        assert len({name for name, _ in names()}) == MANY


def test_bringing_files_and_looking_for_them(
    backup: Path, home: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def walk() -> Iterator[Kept]:
        return (Kept(name, size, _NOW) for name, size in names())

    monkeypatch.setattr(files, "walk", walk)
    told = 0

    def tell(count: int, _: int) -> None:
        nonlocal told
        told += count

    with home.entered(), bounded():
        done = copying.into_the_store(backup, backup.parent / "files", set(), tell)
        assert copying.not_in_the_store() == []
    assert (told, done.files) == (MANY, 0)


def test_pruning(backup: Path) -> None:
    place = Folder(backup.parent)
    place.make()
    gone = place.files / "o/ff/ff" / f"{'f' * 64}.jpg"
    kept = place.files / list(names())[-1][0]
    for path in (gone, kept):
        path.parent.mkdir(parents=True)
        path.touch()
    with bounded():
        assert place.prune(1) == (0, 1)
    assert kept.exists() and not gone.exists()


def test_tombstones(tmp_path: Path) -> None:
    table = Tombstone._meta.db_table

    def ask(_: str, /) -> Iterator[tuple[Any, ...]]:
        for number in range(GRAVES):
            mark = f"{number:064x}"
            yield mark, "instagram", number, _NOW, "ada", "asked to"

    path = tmp_path / "erased.jsonl"
    with bounded():
        found = erasures.Erasures().add(erasures.of_database(ask, [table]))
        erasures.leave(path, found)
        erasures.leave(path, found)
        again = erasures.Erasures().add(erasures.of_folder(path))
        assert len(again) == len(found) == GRAVES
    with path.open() as lines:
        assert json.loads(next(lines))["item_id"] == 0
    assert again.of([f"{7:064x}", "x"])[f"{7:064x}"]["item_id"] == 7


def test_what_is_out_of_order_removes_nothing(tmp_path: Path) -> None:
    place = Folder(tmp_path)
    place.make()
    path = place.path / "20261121T173001Z"
    path.mkdir()
    (path / MANIFEST).touch()
    first, second, *_ = list(names())
    (path / LIST).write_text(f"1 {second[0]}\n0 {first[0]}\n")
    for name, _ in (first, second):
        (place.files / name).parent.mkdir(parents=True, exist_ok=True)
        (place.files / name).touch()
    with pytest.raises(BackupRefused, match="order of names"):
        place.prune(1)
    assert all((place.files / name).exists() for name, _ in (first, second))
    with pytest.raises(BackupRefused, match="order of names"):
        write_list(path / LIST, iter([second, first]))
    # The positive control.
    write_list(path / LIST, iter([first, second]))
    assert [*listed(path / LIST)] == [first, second]
    assert place.prune(1) == (0, 0)


def test_looking_up_in_order() -> None:
    there = InOrder([("f/b", 1), ("o/a", 2), ("o/a", 2), ("r/c", 3)])
    asked = ["f/a", "f/b", "f/b", "o/a", "o/b", "r/c", "r/d", "r/e"]
    assert [there.size_of(name) for name in asked] == [
        *(None, 1, 1, 2, None, 3, None, None)
    ]
    with pytest.raises(BackupRefused, match="is looked for"):
        there.size_of("r/c")
    with pytest.raises(BackupRefused, match="is there"):
        InOrder([("r/c", 3), ("o/a", 2)]).size_of("r/d")


@pytest.fixture
def kind() -> str:
    return "sqlite"
