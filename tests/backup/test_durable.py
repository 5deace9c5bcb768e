"""What a manifest promises is on the disk before the manifest is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from photowall.backup import drafts
from photowall.backup.manifest import Manifest
from tests.backup.installation import Installation, a_kept_post, backed_up

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.mark.parametrize("at_once", [1, 2, 256])
def test_each_copy_is_settled_before_it_has_its_name_and_names_before_the_manifest(
    home: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    settled, named, known = set[int](), set[int](), set[int]()
    fsync, sync, replace, write = os.fsync, os.sync, Path.replace, Manifest.write

    def note_fsync(handle: int) -> None:
        fsync(handle)
        settled.add(os.fstat(handle).st_ino)

    def note_sync() -> None:
        sync()
        known.update(named)

    def note_replace(self: Path, target: Any) -> Path:
        if self.is_relative_to(folder / "files"):
            assert self.stat().st_ino in settled
            named.add(self.stat().st_ino)
        return replace(self, target)

    def note_write(self: Manifest, backup: Path) -> None:
        files = [p for p in (folder / "files").rglob("*") if p.is_file()]
        assert len(files) == 6
        assert {path.stat().st_ino for path in files} == named == known
        write(self, backup)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "sync", note_sync)
    monkeypatch.setattr(Path, "replace", note_replace)
    monkeypatch.setattr(Manifest, "write", note_write)
    monkeypatch.setattr(drafts, "AT_ONCE", at_once)
    with home.entered():
        for _ in range(3):
            a_kept_post()
    assert "6 of them copied" in backed_up(home, folder)
    assert len(named) == 6


def test_few_large_copies_settle_too(
    home: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home.entered():
        for _ in range(2):
            a_kept_post()
    waiting: list[int] = []
    settle = drafts.Drafts.settle

    def count(self: drafts.Drafts) -> None:
        waiting.append(len(self._waiting))
        settle(self)

    monkeypatch.setattr(drafts, "SIZE", 1)
    monkeypatch.setattr(drafts.Drafts, "settle", count)
    backed_up(home, folder)
    assert waiting == [1, 1, 1, 1, 0]
