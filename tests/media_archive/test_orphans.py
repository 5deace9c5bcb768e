"""The daily sweep: what it must never remove, and what it does."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from media_archive import discarding, files, orphans
from media_archive.models import (
    Author,
    Discarded,
    Download,
    DownloadState,
    Rendition,
    StoreCheck,
    StoredFile,
)
from tests.builders import an_item, some_items
from tests.media_archive.keeping import a_file, make_old, names, place, put, show

pytestmark = [pytest.mark.django_db, pytest.mark.also_on_sqlite]
LONG_AGO = timedelta(hours=2)


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> Path:
    """A store of our own."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def make_rows_old() -> None:
    StoredFile.objects.update(stored_at=timezone.now() - LONG_AGO)


def test_what_is_shown_stays_however_old() -> None:
    file = a_file()
    show(an_item(), file)
    make_rows_old()
    make_old(*names())
    check = orphans.sweep()
    assert (check.files, check.removed, check.missing) == (2, 0, 0)
    assert files.exists(file.name) and file.renditions.count() == 1


def test_what_is_younger_than_an_hour_stays() -> None:
    file = a_file()
    name, _ = put("o", b"its row is about to come")
    assert orphans.sweep().removed == 0
    assert files.exists(name) and files.exists(file.name)
    # The control: both go when they are old enough.
    make_rows_old()
    make_old(name)
    assert orphans.sweep().removed == 1 + 2
    assert names() == set()


def test_files_without_a_row_go() -> None:
    kept = a_file()
    show(an_item(), kept)
    gone = [put(kind, b"nobody's")[0] for kind in ("o", "f", "r")]
    make_old(*names())
    check = orphans.sweep()
    assert names() == {kept.name, kept.renditions.get().name}
    assert (check.removed, check.removed_size, check.ended_at is None) == (3, 24, False)
    assert {name for name, _ in check.names} == {*gone}
    assert {what for _, what in check.names} == {"no row spoke of it: removed"}


def test_files_that_are_none_of_ours_are_left_alone(store: Path) -> None:
    stranger = store / "o" / "holiday.jpg"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"x")
    os.utime(stranger, (1, 1))
    check = orphans.sweep()
    assert stranger.exists()
    assert check.names == [["o/holiday.jpg", "not a file of ours: left alone"]]


def test_a_file_that_is_put_again_while_it_is_swept_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its bytes come once more, and their row follows: the file is there already, so
    it is not written again. The sweep looks between the two."""
    name, _ = put("o", b"the same bytes")
    make_old(name)
    look = discarding.spoken_of
    looks: list[str] = []

    def put_again(asked: Any) -> set[str]:
        if not looks:
            put("o", b"the same bytes")
        looks.append("look")
        return look(asked)

    monkeypatch.setattr(discarding, "spoken_of", put_again)
    assert orphans.sweep().removed == 0
    assert looks and files.exists(name)


def test_a_file_whose_row_comes_while_it_is_swept_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, digest = put("o", b"the same bytes")
    make_old(name)
    look = discarding.spoken_of
    looks: list[set[str]] = []

    def row_comes(asked: Any) -> set[str]:
        looks.append(look(asked))
        if len(looks) == 1:
            StoredFile.objects.create(
                sha256=digest, name=name, content_type="image/webp", size=14
            )
        return looks[-1]

    monkeypatch.setattr(discarding, "spoken_of", row_comes)
    assert orphans.sweep().removed == 0
    assert looks == [set(), {name}] and files.exists(name)


@pytest.mark.parametrize("wanted", [True, False])
def test_what_a_killed_sweep_has_moved_aside_is_settled(wanted: bool) -> None:
    file = a_file(rendition=False)
    if wanted:
        show(an_item(), file)
    else:
        StoredFile.objects.all().delete()
    aside = files.scratch() / f"{discarding.ASIDE}{file.name.replace('/', '-')}"
    place(file.name).replace(aside)
    # Moving it was the last that happened to it.
    later = time.time() + 2 * 3600
    sweep = orphans._Sweep(
        StoreCheck.objects.create(kind="sweep"),
        timezone.now() + timedelta(seconds=later - time.time()),
    )
    sweep.scratch()
    assert files.exists(file.name) is wanted
    assert not aside.exists()


def test_two_at_once_do_not_share_a_place_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second takes away what was put again after the first one moved it."""
    name, _ = put("o", b"the same bytes")
    make_old(name)
    came_back = discarding._came_back
    turns: list[bool] = []

    def meanwhile(*given: Any) -> bool:
        if not turns:
            turns.append(True)
            put("o", b"the same bytes")
            turns.append(discarding.take_away(name, timezone.now() - LONG_AGO / 4))
        return came_back(*given)

    monkeypatch.setattr(discarding, "_came_back", meanwhile)
    assert discarding.take_away(name, timezone.now() - LONG_AGO / 4)
    assert turns == [True, False]
    assert files.exists(name), "it is young"
    assert not list(files.scratch().glob(f"{discarding.ASIDE}*"))


@pytest.mark.parametrize("wanted", [True, False])
def test_names_aside_are_read_back(wanted: bool) -> None:
    file = a_file(rendition=False)
    if not wanted:
        StoredFile.objects.all().delete()
    flat = file.name.replace("/", "-")
    aside = files.scratch() / f"{discarding.ASIDE}{flat}~0123abcd"
    place(file.name).replace(aside)
    assert discarding.settle_aside(aside) is not wanted
    assert files.exists(file.name) is wanted


def test_scratch_files_go_when_they_are_old(monkeypatch: pytest.MonkeyPatch) -> None:
    (files.scratch() / "part-1-1").write_bytes(b"half a picture")
    (files.scratch() / "part-folder").mkdir()
    (files.scratch() / "part-folder" / "original").write_bytes(b"x")
    orphans.sweep()
    assert len(list(files.scratch().iterdir())) == 2
    monkeypatch.setattr(orphans, "YOUNG", timedelta(seconds=-5))
    orphans.sweep()
    assert list(files.scratch().iterdir()) == []


def test_rows_that_nobody_refers_to_go_with_their_files() -> None:
    file = a_file()
    brought = a_file(b"on its way", rendition=False)
    download = show(an_item(), a_file(b"shown"))
    Download.objects.filter(pk=download.pk).update(file=brought)
    make_rows_old()
    check = orphans.sweep()
    assert not StoredFile.objects.filter(pk=file.pk)
    assert not files.exists(file.name)
    assert (check.removed, Discarded.objects.count()) == (2, 0)
    assert StoredFile.objects.filter(pk=brought.pk).exists(), "a download brings it"


def test_authors_of_whom_nothing_is_left_go() -> None:
    item = an_item()
    Author.objects.create(provider="instagram_v1", native_id="nobody")
    orphans.sweep()
    assert list(Author.objects.all()) == [item.author]


def test_a_missing_file_is_fetched_again() -> None:
    file = a_file()
    download = show(an_item(), file)
    files.delete(file.name)
    check = orphans.sweep()
    download.refresh_from_db()
    file.refresh_from_db()
    assert (check.missing, check.removed) == (1, 0)
    assert check.names == [[file.name, "missing: fetched again"]]
    assert (download.state, download.file) == (DownloadState.PENDING, None)
    assert file.missing_since is not None
    # It came again, with the same bytes.
    put("o", b"picture")
    Download.objects.filter(pk=download.pk).update(state="ready", file=file)
    assert orphans.sweep().missing == 0
    file.refresh_from_db()
    assert file.missing_since is None


def test_a_missing_rendition_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    monkeypatch.setattr(
        "media_archive.renditions.make", lambda f, over: made.append(f.pk)
    )
    file = a_file()
    show(an_item(), file)
    files.delete(file.renditions.get().name)
    check = orphans.sweep()
    assert (check.missing, made) == (1, [file.pk])
    assert Rendition.objects.count() == 0, "the row claims nothing that is not there"


def test_what_was_cut_short_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    monkeypatch.setattr(
        "media_archive.renditions.make", lambda f, over: made.append(f.pk)
    )
    short, small, lasting = (a_file(content) for content in (b"a", b"b", b"c"))
    for item, file in zip(some_items(3), (short, small, lasting), strict=True):
        show(item, file)
    Download.objects.filter(file=lasting).delete()
    rendition = small.renditions.get().name
    for name in (short.name, rendition, lasting.name):
        place(name).write_bytes(b"")

    check = orphans.sweep()

    assert dict(check.names) == {
        short.name: "0 bytes instead of 1: fetched again",
        lasting.name: "0 bytes instead of 1: nothing brings it again by itself",
        rendition: "rendition of 0 bytes instead of 7: made again",
    }
    assert (check.damaged, check.missing, check.removed) == (3, 0, 0)
    assert made == [small.pk]
    assert not files.exists(short.name) and files.exists(lasting.name)


def test_a_file_replaced_while_it_is_swept_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = a_file(b"whole", rendition=False)
    download = show(an_item(), file)
    place(file.name).write_bytes(b"")
    look = files.size_of

    def replaced(name: str) -> int:
        put("o", b"whole")
        return look(name)

    monkeypatch.setattr(files, "size_of", replaced)
    assert orphans.sweep().damaged == 0
    download.refresh_from_db()
    assert download.state == DownloadState.READY


def test_it_runs_once_a_day() -> None:
    assert orphans.is_due()
    check = orphans.sweep()
    assert not orphans.is_due()
    StoreCheck.objects.update(began_at=check.began_at - timedelta(hours=25))
    assert orphans.is_due()
    StoreCheck.objects.create(kind="sweep")
    assert not orphans.is_due(), "one is under way"
    StoreCheck.objects.update(began_at=check.began_at - timedelta(hours=25))
    assert orphans.is_due(), "it was killed"


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    name, _ = put("o", b"nobody's")
    make_old(name)
    call_command("archive_sweep")
    said = capsys.readouterr().out
    assert f"{name}: no row spoke of it: removed" in said
    assert "1 removed (8 bytes), 0 missing, 0 damaged." in said


def test_stretches_are_cut_between_folders_and_leave_nothing_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = [a_file(f"{number}".encode()) for number in range(12)]
    for item, file in zip(some_items(12), shown, strict=True):
        show(item, file)
    lost = [file.name for file in shown[:4]]
    for name in lost:
        files.delete(name)
    gone = {put("o", f"nobody's {number}".encode())[0] for number in range(20)}
    make_old(*names())
    monkeypatch.setattr(orphans, "STRETCH", 3)
    check = orphans.sweep()
    assert {name for name, _ in check.names} == {*lost, *gone}
    assert (check.files, check.removed, check.missing) == (40, 20, 4)


def test_a_small_store_costs_few_statements(django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        put("o", f"{number}".encode())
    with django_assert_max_num_queries(12):
        assert orphans.sweep().files == 30
