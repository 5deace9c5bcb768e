"""``manage.py archive_verify``: every file is read and hashed again."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from media_archive import files, verifying
from media_archive.models import Download, Rendition, StoreCheck, StoredFile
from media_archive.verifying import verify
from tests.builders import some_items
from tests.media_archive.keeping import a_file, names, place, show

pytestmark = [pytest.mark.django_db, pytest.mark.also_on_sqlite]


@pytest.fixture(autouse=True)
def stored(settings: Any, tmp_path: Path) -> list[StoredFile]:
    """Three pictures in a store of our own, each shown by an item."""
    settings.MEDIA_ROOT = tmp_path
    made = [a_file(f"picture {n}".encode()) for n in range(3)]
    for item, file in zip(some_items(3), made, strict=True):
        show(item, file)
    return made


def damage(name: str, content: bytes) -> None:
    place(name).chmod(0o600)
    place(name).write_bytes(content)


def test_each_fault_is_named(stored: list[StoredFile]) -> None:
    missing, short, changed = stored
    files.delete(missing.name)
    damage(short.name, b"pic")
    damage(changed.renditions.get().name, b"pIcture 2 small")

    found = verify()

    assert {fault.name: fault.what for fault in found.faults} == {
        missing.name: "missing",
        short.name: "3 bytes instead of 9",
        changed.renditions.get().name: "other bytes than were stored",
    }
    item = missing.assets.get().item_id
    assert str(found.faults[0]) == f"{missing.name}: missing (media item {item})"
    check = StoreCheck.objects.get()
    assert (check.kind, check.files, check.missing, check.damaged) == (
        "verify",
        6,
        1,
        2,
    )
    assert check.ended_at is not None and len(check.names) == 3


def test_without_repair_nothing_is_changed(stored: list[StoredFile]) -> None:
    damage(stored[0].name, b"?")
    before = names()
    verify()
    assert names() == before
    assert not Download.objects.filter(role="picture").exclude(state="ready")


def test_repair_fetches_originals_and_makes_renditions_again(
    stored: list[StoredFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    monkeypatch.setattr(
        "media_archive.renditions.make", lambda f, over: made.append(f.pk)
    )
    missing, changed, bad_rendition = stored
    files.delete(missing.name)
    damage(changed.name, b"?")
    damage(bad_rendition.renditions.get().name, b"?")

    found = verify(repair=True)

    assert [fault.mended for fault in found.faults] == [
        "is fetched again",
        "is fetched again",
        "made again",
    ]
    pending = Download.objects.filter(state="pending", role="picture")
    assert {d.asset.picture_id for d in pending if d.asset} == {missing.pk, changed.pk}
    assert not files.exists(changed.name), "what is wrong would be kept else"
    assert made == [bad_rendition.pk]
    assert Rendition.objects.filter(file=bad_rendition).count() == 0


def test_a_damaged_file_that_nothing_brings_again_stays(
    stored: list[StoredFile],
) -> None:
    Download.objects.all().delete()
    damage(stored[0].name, b"half of it")
    [fault] = verify(repair=True).faults
    assert fault.mended == "nothing brings it again by itself"
    assert files.exists(stored[0].name)


def test_killed_while_a_file_is_brought_instead(
    stored: list[StoredFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either nothing has happened, or the file is gone and is brought."""
    damage(stored[0].name, b"?")

    def killed(_: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files, "delete", killed)
        with pytest.raises(KeyboardInterrupt):
            verify(repair=True)
    pending = Download.objects.filter(role="picture", state="pending")
    assert files.exists(stored[0].name) and not pending.exists()
    verify(repair=True)
    assert not files.exists(stored[0].name) and pending.exists()


def test_the_command_ends_with_one_and_names_them(
    stored: list[StoredFile], capsys: pytest.CaptureFixture[str]
) -> None:
    damage(stored[1].name, b"?")
    with pytest.raises(CommandError, match="1 file is not as stored") as ended:
        call_command("archive_verify")
    assert ended.value.returncode == 1
    said = capsys.readouterr().out
    assert f"✗ {stored[1].name}: 1 bytes instead of 9 (media item" in said


def test_the_command_says_that_all_is_well(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("archive_verify")
    said = capsys.readouterr().out
    assert "6 files" in said and "All of them are as they were stored." in said


def test_interrupted_it_says_where_to_go_on(
    stored: list[StoredFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = verifying._wrong
    read: list[str] = []

    def interrupt(row: Any, sums: Any) -> str:
        if row == stored[2]:
            raise KeyboardInterrupt
        read.append(row.name)
        return wrong(row, sums)

    with monkeypatch.context() as patch:
        patch.setattr(verifying, "_wrong", interrupt)
        with pytest.raises(CommandError, match=f"--after {stored[1].pk}"):
            call_command("archive_verify")
    assert StoreCheck.objects.get().ended_at is None
    assert verify(after=stored[1].pk).files == 2


def unreadable(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """As a disk with bad sectors."""
    read = files.open_file

    def troubled(name: str) -> Any:
        if name in names:
            raise OSError(errno.EIO, "Input/output error")
        return read(name)

    monkeypatch.setattr(files, "open_file", troubled)


def test_what_cannot_be_read_is_named_and_left_alone(
    stored: list[StoredFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, _ = stored
    bad = [first.name, second.renditions.get().name]
    unreadable(monkeypatch, *bad)
    before = names()
    found = verify(repair=True)
    assert [(fault.name, fault.what, fault.mended) for fault in found.faults] == [
        (name, "cannot be read: Input/output error", "") for name in bad
    ]
    assert (found.files, found.last) == (6, stored[2].pk)
    assert names() == before and Rendition.objects.count() == 3
    assert not Download.objects.filter(role="picture").exclude(state="ready")
    check = StoreCheck.objects.get()
    assert (check.damaged, check.missing, check.ended_at is None) == (2, 0, False)


def test_many_in_a_row_are_a_store_that_is_away(
    stored: list[StoredFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "AWAY", 4)
    bad = [name for file in stored[1:] for name in (file.name, *_small(file))]
    unreadable(monkeypatch, *bad)
    # It says to go on before the first of them.
    with pytest.raises(CommandError, match=f"not answer.*--after {stored[0].pk}$"):
        call_command("archive_verify")
    monkeypatch.setattr(verifying, "AWAY", 5)
    assert len(verify().faults) == 4, "the control"


def _small(file: StoredFile) -> list[str]:
    return [one.name for one in file.renditions.all()]


def test_a_store_that_is_away_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: str) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(files, "open_file", away)
    with pytest.raises(CommandError, match="does not answer"):
        call_command("archive_verify", "--repair")
    assert not Download.objects.filter(role="picture").exclude(state="ready")
