"""Room for files: what stops before the disk is full, and who is told."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from media_archive import disk_space
from media_archive.errors import DiskFull
from photowall.room import room

GIB = 1024**3
Disk = namedtuple("Disk", "total used free")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have the disk of 100 GiB say how much is free."""

    def say(free: int) -> None:
        told = Disk(100 * GIB, 100 * GIB - free, free)
        monkeypatch.setattr("shutil.disk_usage", lambda _: told)

    return say


@pytest.mark.parametrize("text", ["", "much", "-1", "1e9", "5 apples", "100%", "1 %%"])
def test_room_that_cannot_be_read_stops_the_start(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="PHOTOWALL_DISK_KEEP"):
        room("PHOTOWALL_DISK_KEEP", text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0", (0, 0.0)),
        ("1073741824", (GIB, 0.0)),
        ("1G", (GIB, 0.0)),
        (" 1.5 gb ", (GIB + GIB // 2, 0.0)),
        ("512MiB", (GIB // 2, 0.0)),
        ("2 T", (2048 * GIB, 0.0)),
        ("5 %", (0, 0.05)),
        ("0.5%", (0, 0.005)),
    ],
)
def test_room_as_people_write_it(text: str, said: tuple[int, float]) -> None:
    assert room("X", text) == said


@pytest.mark.parametrize(("keep", "enough"), [((GIB, 0.0), GIB), ((0, 0.05), 5 * GIB)])
def test_work_stops_below_what_is_kept_free(
    settings: Any, disk: Any, keep: tuple[int, float], enough: int
) -> None:
    settings.PHOTOWALL_DISK_KEEP = keep
    disk(enough - 1)
    with pytest.raises(DiskFull) as refused:
        disk_space.guard()
    assert refused.value.retryable
    disk(enough)
    disk_space.guard()


def test_a_folder_that_is_not_there_yet_is_no_trouble(
    settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path / "not" / "yet"
    assert disk_space.folder() == tmp_path
    disk_space.guard()


def test_a_store_elsewhere_has_no_disk(settings: Any, disk: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    }
    disk(0)
    assert disk_space.folder() is None
    disk_space.guard()


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1023, "1,023 bytes"), (2048, "2.0 kB"), (50 * GIB, "50 GB")],
)
def test_sizes_in_words(size: int, words: str) -> None:
    assert disk_space.in_words(size) == words
