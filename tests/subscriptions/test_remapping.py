"""``manage.py remap``: what was misread is put right from what was kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from media_archive import journal, moderation
from media_archive.models import (
    Author,
    JournalEntry,
    JournalKind,
    MediaAsset,
    MediaItem,
    MediaTag,
    RawDocument,
)
from subscriptions import remapping
from subscriptions.providers.instagram_v1.wire import media
from subscriptions.remapping import Remapped, Selection, remap
from tests.builders import PROVIDER, store
from tests.subscriptions.mapping_under_repair import loud_caption

pytestmark = [pytest.mark.django_db, pytest.mark.also_on_sqlite]


def a_document(number: int, **said: Any) -> dict[str, Any]:
    """A post as the provider tells it."""
    usual = {
        "id": f"{number}_7",
        "type": "image",
        "user": {"id": "7", "username": "ana"},
        "created_time": str(1_438_100_000 + number),
        "caption": {"text": f"Caption {number}"},
        "tags": ["fox"],
        "images": {"thumbnail": {"url": f"https://p.example/{number}.jpg"}},
    }
    return usual | said


def archived(*documents: dict[str, Any], listed_under: str = "fox") -> list[int]:
    """Primary keys of posts that were read and stored with today's mapping."""
    ids: list[int] = []
    for start in range(0, len(documents), 100):
        read = [media.parse_media(each) for each in documents[start : start + 100]]
        records = [record for record in reversed(read) if record is not None]
        ids += store(records, listed_under).new
    return ids


@pytest.fixture
def fix(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Changes the wire: captions are shouted from now on."""
    return lambda: monkeypatch.setattr(media, "_caption", loud_caption)


def changes() -> int:
    return JournalEntry.objects.filter(kind=JournalKind.CHANGED).count()


def test_without_a_fix_nothing_is_written() -> None:
    archived(*map(a_document, range(1, 151)))
    head = journal.head()
    done = remap(Selection())
    assert (done.read, done.changed, done.unchanged) == (150, 0, 150)
    assert journal.head() == head == 150


def test_after_a_fix_what_differs_is_changed_once(fix: Callable[[], None]) -> None:
    silent = a_document(999, caption=None)
    archived(*map(a_document, range(1, 151)), silent)
    fix()
    done = remap(Selection())
    assert (done.read, done.changed, done.unchanged) == (151, 150, 1)
    assert MediaItem.objects.get(native_id="42").caption == "CAPTION 42"
    entry = JournalEntry.objects.get(item__native_id="42", kind=JournalKind.CHANGED)
    assert entry.detail == {"remapped": True}
    again = remap(Selection())
    assert (again.changed, again.unchanged) == (0, 151)
    assert changes() == 150


def test_a_dry_run_counts_and_writes_nothing(fix: Callable[[], None]) -> None:
    archived(*map(a_document, range(1, 4)))
    fix()
    assert remap(Selection(), dry_run=True).changed == 3
    assert changes() == 0
    assert remap(Selection()).changed == 3
    assert changes() == 3


def test_what_people_decided_and_the_place_in_lists_stay(
    fix: Callable[[], None],
) -> None:
    [pk] = archived(a_document(1, created_time=None))
    moderation.pin([pk], actor="ada")
    moderation.hide([pk], actor="ada")
    before = MediaItem.objects.get(pk=pk)
    listing = MediaTag.objects.values().get()
    long_ago = timezone.now() - timedelta(days=9)
    RawDocument.objects.update(received_at=long_ago)
    document = RawDocument.objects.get().document
    fix()
    assert remap(Selection()).changed == 1
    after = MediaItem.objects.get(pk=pk)
    assert after.caption == "CAPTION 1"
    assert (after.visibility, after.pinned) == ("hidden", True)
    assert (after.dated_at, after.archived_at) == (before.dated_at, before.archived_at)
    assert after.revision == before.revision + 1
    assert MediaTag.objects.values().get() == listing
    raw = RawDocument.objects.get()
    assert (raw.document, raw.received_at) == (document, long_ago)


def test_new_tags_and_pictures_are_added_and_old_pictures_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    album = [
        {"type": "image", "images": {"a": {"url": f"https://p.example/{n}.jpg"}}}
        for n in range(3)
    ]
    monkeypatch.setattr(media, "_tags", lambda _: ())
    archived(a_document(1, carousel_media=album))
    assert MediaAsset.objects.count() == 3
    monkeypatch.undo()
    monkeypatch.setattr(media, "MAX_ASSETS", 2)
    assert remap(Selection()).changed == 1
    assert MediaAsset.objects.count() == 2
    assert {tag.name for tag in MediaItem.objects.get().tags.all()} == {"fox"}


def test_an_old_document_does_not_take_back_an_author_s_newer_name(
    fix: Callable[[], None],
) -> None:
    old = a_document(1)
    archived(old)
    RawDocument.objects.update(received_at=timezone.now() - timedelta(days=9))
    new = {"id": "7", "username": "ana.costa"}
    archived(a_document(2, user=new, caption=None))
    fix()
    assert remap(Selection()).changed == 1
    assert Author.objects.get().username == "ana.costa"


def test_the_author_s_newest_document_puts_the_name_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archived(a_document(1), a_document(2))
    monkeypatch.setattr(media.fields, "name", lambda value: f"{value}!")
    assert remap(Selection()).changed == 2
    assert Author.objects.get().username == "ana!"


def test_only_what_is_asked_for(fix: Callable[[], None]) -> None:
    now = timezone.now()
    first, _ = archived(a_document(1), a_document(2))
    archived(a_document(3, tags=[]), listed_under="owl")
    RawDocument.objects.filter(pk=first).update(received_at=now - timedelta(days=9))
    assert remap(Selection(tag="owl")).read == 1
    assert remap(Selection(since=now - timedelta(days=1))).read == 2
    assert remap(Selection(after=first)).read == 2
    assert remap(Selection(provider="mastodon")).read == 0
    assert remap(Selection(provider=PROVIDER)).read == 3


def test_what_cannot_be_read_costs_its_neighbours_nothing(
    fix: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = archived(*map(a_document, range(1, 8)))
    for pk, document in zip(
        ids,
        ["{", "[" * 100_000, "[]", json.dumps(a_document(99)), '{"id": "5_7", "x": 1}'],
        strict=False,
    ):
        RawDocument.objects.filter(pk=pk).update(document=document)
    MediaItem.objects.filter(pk=ids[5]).update(provider="gone")
    parse = media.parse_media

    def fails_sometimes(item: Any) -> Any:
        if isinstance(item, dict) and "x" in item:
            raise ZeroDivisionError
        return parse(item)

    monkeypatch.setattr(media, "parse_media", fails_sometimes)
    fix()
    done = remap(Selection())
    assert (done.read, done.changed, done.unchanged) == (7, 1, 0)
    assert done.unreadable == {
        "the document is not JSON": ids[:2],
        "the mapping finds no post in the document": [ids[2]],
        "the mapping reads another id than the item's": [ids[3]],
        "the mapping fails with ZeroDivisionError": [ids[4]],
        "no provider is called gone": [ids[5]],
    }
    assert MediaItem.objects.get(pk=ids[0]).caption == "Caption 1"
    assert MediaItem.objects.get(pk=ids[6]).caption == "CAPTION 7"


def test_a_newer_word_that_arrives_meanwhile_is_not_undone(
    fix: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    archived(a_document(1))
    fix()
    write = remapping._write

    def late(provider: str, ids: list[int], recording: journal.Recording) -> int:
        # Between the look and the lock a live page stored a newer document.
        newer = a_document(1, caption={"text": "newer"})
        RawDocument.objects.update(document=json.dumps(newer))
        return write(provider, ids, recording)

    monkeypatch.setattr(remapping, "_write", late)
    remap(Selection())
    assert MediaItem.objects.get().caption == "NEWER"


def test_the_command_reports_and_names_where_to_go_on(
    fix: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media_archive.progress.EVERY", 0.0)
    ids = archived(*map(a_document, range(1, 151)))
    RawDocument.objects.filter(pk=ids[0]).update(document="{")
    fix()
    out = StringIO()
    call_command("remap", "--dry-run", stdout=out)
    said = out.getvalue()
    assert "150 of 150 items · 100 %" in said
    assert f"at item {ids[-1]}" in said
    assert "would change" in said
    assert f"1 × the document is not JSON: items {ids[0]}" in said

    def interrupted(_: Selection, *, told: Callable[..., None], **__: Any) -> Remapped:
        told(Remapped(last=ids[99]), 100)
        raise KeyboardInterrupt

    path = "subscriptions.management.commands.remap.remap"
    monkeypatch.setattr(path, interrupted)
    with pytest.raises(CommandError, match=f"--after {ids[99]}"):
        call_command("remap", stdout=StringIO())


@pytest.mark.parametrize("number", ["-3", "x", "9" * 21, "٣"])
def test_after_takes_the_number_of_an_item_only(number: str) -> None:
    with pytest.raises(CommandError, match="no number of an item"):
        call_command("remap", f"--after={number}")


def test_a_tag_without_items_is_most_likely_a_slip() -> None:
    archived(a_document(1))
    with pytest.raises(CommandError, match=r"under #foxx\. Did you mean #fox\?"):
        call_command("remap", "--tag", "Foxx", stdout=StringIO())
    call_command("remap", "--tag", "fox", stdout=StringIO())


@pytest.mark.parametrize(
    "words", [["--tag", "a b"], ["--since", "yesterday"], ["--provider", "none"]]
)
def test_the_command_refuses_what_makes_no_sense(words: list[str]) -> None:
    archived(a_document(1))
    with pytest.raises(CommandError):
        call_command("remap", *words, stdout=StringIO())
    call_command("remap", "--tag", "#Fox", "--since", "2026-01-01", stdout=StringIO())


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_goes_on(fix: Callable[[], None]) -> None:
    archived(*map(a_document, range(1, 1001)))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.subscriptions.mapping_under_repair", "950"],
        env={**os.environ, "DATABASE_URL": this_database()},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
    finally:
        process.kill()
        process.wait(20)
    # Each document is read twice, to look and to write: it died in the fifth page.
    assert changes() == 400
    fix()
    rest = remap(Selection())
    assert (rest.changed, rest.unchanged) == (600, 400)
    assert changes() == 1000
    entries = JournalEntry.objects.filter(kind=JournalKind.CHANGED)
    assert entries.values("item").distinct().count() == 1000
    assert MediaItem.objects.filter(caption__startswith="CAPTION ").count() == 1000


def this_database() -> str:
    """The URL of the test's database, for a process of its own."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    who = f"{at['USER']}:{at['PASSWORD']}@" if at["USER"] else ""
    return f"postgresql://{who}{at['HOST']}:{at['PORT']}/{at['NAME']}"
