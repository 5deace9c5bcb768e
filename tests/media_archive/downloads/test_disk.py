"""The disk is full, or the store is away: all wait, nobody is to blame, and it goes on
by itself."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from media_archive import disk_space, downloads, files, renditions
from media_archive.errors import DiskFull
from media_archive.models import Download, DownloadState, StoredFile
from tests.media_archive.downloads.pictures import (
    Site,
    a_jpeg,
    a_post,
    the_asset,
    the_download,
    time_passes,
    wait_left,
)

pytestmark = pytest.mark.django_db


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def away(*_: object, **__: object) -> None:
    raise ConnectionError("The store is away.")


def little_room() -> None:
    raise DiskFull("There is little room.")


@pytest.mark.also_on_sqlite
@pytest.mark.parametrize(
    ("place", "error", "reason"),
    [
        ((files, "put"), full, "disk"),
        ((files, "put"), away, "store_away"),
        ((disk_space, "guard"), little_room, "disk"),
    ],
    ids=["full", "away", "guarded"],
)
def test_downloads_wait_and_go_on_by_themselves(
    place: tuple[object, str],
    error: object,
    reason: str,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(3):
        site.show(f"/{number}.jpg", a_jpeg(number))
    items = [a_post(site.at(f"/{number}.jpg")) for number in range(3)]
    with monkeypatch.context() as patch:
        patch.setattr(*place, error)
        for _ in range(9):
            assert downloads.work_off() is False, "no use in coming back at once"
            time_passes()
    rows = [the_download(item) for item in items]
    assert {(row.state, row.attempts) for row in rows} <= {
        ("retry_wait", 0),
        ("pending", 0),
    }
    assert reason in {row.reason for row in rows}
    assert not StoredFile.objects.exists()
    assert list(files.scratch().iterdir()) == []
    downloads.work_off()
    assert [the_asset(item).state for item in items] == ["ready"] * 3


def test_one_picture_is_the_probe_and_waits_a_minute(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        site.show(f"/{number}.jpg", a_jpeg(number))
        a_post(site.at(f"/{number}.jpg"))
    monkeypatch.setattr(files, "put", full)
    downloads.work_off()
    assert len(site.asked) == 1, "the others are not even fetched"
    row = Download.objects.exclude(reason="").get()
    assert (row.state, row.lost_claims) == (DownloadState.RETRY_WAIT, 0)
    assert "No space left" in row.detail
    assert 55 < wait_left(row) <= 60


def test_no_room_for_the_sizes_costs_no_second_fetch(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.show("/a.jpg", a_jpeg(1))
    item = a_post(site.at("/a.jpg"))
    with monkeypatch.context() as patch:
        patch.setattr(renditions, "make", full)
        for _ in range(3):
            downloads.work_off()
            row = the_download(item)
            assert (row.state, row.reason) == (DownloadState.STORED, "disk")
            time_passes()
    assert the_asset(item).state == DownloadState.PENDING
    del site.answers["/a.jpg"]
    downloads.work_off()
    assert the_asset(item).state == DownloadState.READY
    assert site.asked == ["/a.jpg"]


def test_a_file_that_a_sweep_took_is_put_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It saw no row of the file, just before there was one."""
    site.show("/a.jpg", a_jpeg(1))
    item = a_post(site.at("/a.jpg"))
    make = renditions.make

    def swept_meanwhile(file: StoredFile, path: Path | None, **more: bool) -> None:
        files.delete(file.name)
        make(file, path, **more)

    monkeypatch.setattr(renditions, "make", swept_meanwhile)
    downloads.work_off()
    picture = the_asset(item).picture
    assert picture is not None
    assert files.exists(picture.name)


@pytest.mark.also_on_sqlite
def test_a_file_that_was_lost_before_its_sizes_were_made_is_fetched_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.show("/a.jpg", a_jpeg(1))
    item = a_post(site.at("/a.jpg"))
    with monkeypatch.context() as patch:
        patch.setattr(renditions, "make", full)
        downloads.work_off()
    file = StoredFile.objects.get()
    files.delete(file.name)
    StoredFile.objects.update(missing_since=file.stored_at)
    time_passes()
    downloads.work_off()
    assert site.asked == ["/a.jpg", "/a.jpg"]
    assert the_asset(item).state == DownloadState.READY
    file.refresh_from_db()
    assert file.missing_since is None
    assert files.exists(file.name)
