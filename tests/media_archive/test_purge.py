"""Erasing for good: what goes, what stays, and that it never comes back."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from media_archive import discarding, files, journal, moderation, retention
from media_archive.live.frames import frame_of
from media_archive.models import (
    Author,
    Discarded,
    Download,
    JournalEntry,
    MediaAsset,
    MediaItem,
    MediaTag,
    RawDocument,
    Rendition,
    StoredFile,
    Tombstone,
)
from media_archive.records import IncomingAuthor
from media_archive.signals import media_items_purging
from tests.builders import a_record, an_item, some_items, store

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.also_on_sqlite,
    pytest.mark.usefixtures("media_root"),
]
BEN = IncomingAuthor("8", "ben", "Ben", None)


@pytest.fixture
def media_root(settings: Any, tmp_path: Path) -> Path:
    """A store of our own."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def a_file(tmp_path: Path, content: bytes = b"picture") -> StoredFile:
    """A stored picture with one rendition, both in the store."""
    names = []
    for kind, said in (("o", content), ("r", content + b" small")):
        digest = hashlib.sha256(said).hexdigest()
        path = tmp_path / "came"
        path.write_bytes(said)
        make = files.original_name if kind == "o" else files.rendition_name
        names.append((make(digest, "image/webp"), digest, len(said)))
        files.put(names[-1][0], path)
    (name, digest, size), (small, small_digest, small_size) = names
    file = StoredFile.objects.create(
        sha256=digest, name=name, content_type="image/webp", size=size
    )
    Rendition.objects.create(
        file=file,
        spec="w480.webp.1",
        name=small,
        sha256=small_digest,
        content_type="image/webp",
        width=480,
        height=480,
        size=small_size,
    )
    return file


def show(item: MediaItem, file: StoredFile) -> None:
    """The item's first asset shows the file."""
    MediaAsset.objects.filter(item=item).update(picture=file, state="ready")


def erase(*items: MediaItem) -> int:
    return retention.purge([i.pk for i in items], actor="ada", reason="asked to")


def test_nobody_and_unknown_items_are_erased_without_a_trace() -> None:
    assert retention.purge([], actor="ada", reason="") == 0
    assert retention.purge([2**62], actor="ada", reason="") == 0
    assert (journal.head(), Tombstone.objects.count()) == (0, 0)


def test_all_of_an_item_goes_and_its_neighbour_stays() -> None:
    kept, gone = some_items(2)
    assert erase(gone) == 1

    for model in (RawDocument, MediaAsset, MediaTag):
        items = set(model._default_manager.values_list("item", flat=True))
        assert items == {kept.pk}, model
    brought = Download.objects.filter(asset__isnull=False)
    assert {d.asset.item_id for d in brought if d.asset} <= {kept.pk}
    [stone] = Tombstone.objects.all()
    assert (stone.item_id, stone.actor, stone.reason) == (gone.pk, "ada", "asked to")
    last = JournalEntry.objects.latest("seq")
    assert (last.kind, last.item_id, last.actor) == ("purged", gone.pk, "ada")
    assert (last.detail, last.revision) == ({}, gone.revision + 1)
    assert Author.objects.filter(media=kept).exists()


def test_what_is_left_says_nothing_of_the_post() -> None:
    item = an_item("secret-7", caption="my street", permalink="https://x.example/p/7/")
    erase(item)
    left = [*Tombstone.objects.values(), *JournalEntry.objects.values()]
    assert left
    for word in ("secret-7", "my street", "x.example"):
        assert word not in repr(left)


def test_erasing_twice_is_once() -> None:
    item = an_item()
    assert (erase(item), erase(item)) == (1, 0)
    assert JournalEntry.objects.filter(kind="purged").count() == 1


def test_a_purge_that_is_killed_half_way_goes_on_where_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    items = some_items(3)
    done: list[int] = []

    def dies(count: int) -> None:
        done.append(count)
        if len(done) == 2:
            raise KeyboardInterrupt

    ids = [item.pk for item in items]
    with pytest.raises(KeyboardInterrupt):
        retention.purge(ids, actor="", reason="", told=dies)
    assert MediaItem.objects.count() == 1
    assert retention.purge(ids, actor="", reason="") == 1
    assert (MediaItem.objects.count(), Tombstone.objects.count()) == (0, 3)


def test_what_fails_in_the_transaction_leaves_all_as_it_was() -> None:
    item = an_item()

    def fail(**_: object) -> None:
        raise OperationalError("the disk of the database is full")

    media_items_purging.connect(fail)
    try:
        with pytest.raises(OperationalError):
            erase(item)
    finally:
        media_items_purging.disconnect(fail)
    assert MediaItem.objects.filter(pk=item.pk).exists()
    assert not Tombstone.objects.exists()


def test_it_is_not_stored_again(media_root: Path) -> None:
    gone, other = a_record("gone"), a_record("other")
    [pk] = store([gone]).new
    retention.purge([pk], actor="ada", reason="")

    result = store([other, gone], "nofilter")

    assert (result.entombed, result.refused) == (["gone"], 0)
    assert len(result.new) == 1
    assert list(MediaItem.objects.values_list("native_id", flat=True)) == ["other"]
    # The control: without its tombstone it comes.
    Tombstone.objects.all().delete()
    assert len(store([gone]).new) == 1


def test_a_page_of_tombstones_writes_nothing() -> None:
    records = [a_record(f"gone-{n}", author=BEN) for n in range(5)]
    retention.purge(store(records).new, actor="ada", reason="")
    head = journal.head()
    result = store(records, "nofilter")
    assert (len(result.entombed), result.ids) == (5, [])
    assert (journal.head(), Author.objects.count()) == (head, 0)


def test_an_author_goes_with_the_last_item() -> None:
    first, second = store([a_record(author=BEN), a_record(author=BEN)]).new
    retention.purge([first], actor="", reason="")
    assert Author.objects.filter(username="ben").exists()
    retention.purge([second], actor="", reason="")
    assert not Author.objects.filter(username="ben").exists()


def test_files_go_unless_somebody_else_shows_them(tmp_path: Path) -> None:
    mine, shared = a_file(tmp_path), a_file(tmp_path, b"shared")
    first, second = some_items(2)
    show(first, mine)
    MediaAsset.objects.filter(item=first).update(film=shared)
    show(second, shared)

    erase(first)
    assert not files.exists(mine.name) and not StoredFile.objects.filter(pk=mine.pk)
    assert files.exists(shared.name) and shared.renditions.count() == 1
    erase(second)
    assert not files.exists(shared.name)
    assert [name for name, *_ in files.walk()] == []
    assert (Rendition.objects.count(), Discarded.objects.count()) == (0, 0)


def test_a_store_that_is_away_makes_files_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, item = a_file(tmp_path), an_item()
    show(item, file)

    def away(*_: object) -> bool:
        raise OSError("no route to host")

    with monkeypatch.context() as broken:
        broken.setattr(discarding, "take_away", away)
        assert erase(item) == 1
    assert files.exists(file.name)
    assert not MediaItem.objects.exists()
    assert Discarded.objects.count() == 2
    assert discarding.remove_due() == 0
    Discarded.objects.update(next_attempt_at=None)
    assert discarding.remove_due() == 2
    assert not files.exists(file.name)


def test_hiding_and_showing_what_is_gone_changes_nothing() -> None:
    item = an_item()
    erase(item)
    assert moderation.show([item.pk], actor="ada") == 0
    assert not MediaItem.objects.exists()


def test_viewers_are_told_that_it_is_gone() -> None:
    item = an_item()
    erase(item)
    frame = frame_of(JournalEntry.objects.latest("seq"), None)
    assert frame is not None and frame.removes
