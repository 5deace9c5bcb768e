"""Addresses that are signed anew in every answer: nothing new, and a cure if needed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from media_archive.models import (
    Author,
    Download,
    DownloadState,
    JournalEntry,
    MediaAsset,
    MediaItem,
    RawDocument,
)
from media_archive.records import (
    AssetSource,
    IncomingAsset,
    IncomingAuthor,
    IncomingMedia,
    Kind,
)
from media_archive.rows_of_records import content_hash
from tests.builders import a_record, store

pytestmark = pytest.mark.django_db

HOST = "https://pictures.example"


def signed(record: IncomingMedia, sig: str, path: str = "a") -> IncomingMedia:
    """The post with addresses of its own, signed so."""
    url = f"{HOST}/{path}-{record.native_id}.jpg?oe=1&oh={sig}"
    source = AssetSource("standard_resolution", url, Kind.IMAGE, 640, 640)
    return replace(
        record,
        author=IncomingAuthor("7", "ana", None, f"{HOST}/ana.jpg?oh={sig}"),
        assets=[IncomingAsset(Kind.IMAGE, [source])],
        raw={"id": record.native_id, "sig": sig},
    )


def test_only_a_signature_is_not_another_content() -> None:
    record = a_record("1")
    first = content_hash(signed(record, "1"))
    assert content_hash(signed(record, "2")) == first
    assert content_hash(signed(record, "1", "b")) != first
    assert content_hash(replace(signed(record, "1"), caption="other")) != first


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{HOST}/a.jpg", f"{HOST}/b.jpg"),
        (f"{HOST}/show?id=1", f"{HOST}/show?id=2"),
        ("https://one.example/a.jpg", "https://two.example/a.jpg"),
    ],
)
def test_what_says_which_picture_is_meant_counts(one: str, other: str) -> None:
    def of(url: str) -> str:
        source = AssetSource("standard_resolution", url, Kind.IMAGE, 640, 640)
        asset = IncomingAsset(Kind.IMAGE, [source])
        return content_hash(replace(a_record("1"), posted_at=None, assets=[asset]))

    fixed = of(one)
    assert len(fixed) == 64
    assert of(other) != fixed


@pytest.mark.also_on_sqlite
def test_a_page_that_is_signed_anew_brings_nothing_new() -> None:
    """Without that, each poll would tell every wall of each post it reads again."""
    records = [a_record() for _ in range(33)]
    store([signed(record, "1") for record in records])
    entries = JournalEntry.objects.count()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        result = store([signed(record, "2") for record in records])
    assert (len(result.unchanged), result.changed) == (33, [])
    assert JournalEntry.objects.count() == entries
    assert set(MediaItem.objects.values_list("revision", flat=True)) == {1}
    reading = [one["sql"] for one in asked if one["sql"].strip().startswith("SELECT")]
    writing = [one["sql"] for one in asked if "UPDATE" in one["sql"][:40]]
    assert (len(reading), writing) == (1, [])


@pytest.mark.also_on_sqlite
def test_who_waits_for_an_address_has_one_and_nobody_is_told() -> None:
    records = [a_record(), a_record()]
    store([signed(record, "1") for record in records])
    waiting = Download.objects.filter(asset__item__native_id=records[0].native_id)
    waiting.update(state=DownloadState.REFRESH)
    entries = JournalEntry.objects.count()

    result = store([signed(record, "2") for record in records])

    assert (len(result.unchanged), result.changed) == (2, [])
    assert JournalEntry.objects.count() == entries
    assert waiting.get().state == DownloadState.PENDING
    cured, left = (
        MediaAsset.objects.get(item__native_id=each.native_id) for each in records
    )
    assert "oh=2" in cured.sources[0]["url"]
    assert "oh=1" in left.sources[0]["url"]
    kept = RawDocument.objects.get(item__native_id=records[0].native_id).document
    assert '"sig": "2"' in kept, "what is mapped anew has the new address too"


def test_an_address_that_is_the_old_one_cures_nothing() -> None:
    record = a_record()
    store([signed(record, "1")])
    Download.objects.filter(role="picture").update(state=DownloadState.REFRESH)
    store([signed(record, "1")])
    assert Download.objects.get(role="picture").state == DownloadState.REFRESH
    store([signed(record, "2")])
    assert Download.objects.get(role="picture").state == DownloadState.PENDING


def test_a_portrait_that_waits_has_an_address_too() -> None:
    record = a_record()
    store([signed(record, "1")])
    Download.objects.filter(role="avatar").update(state=DownloadState.REFRESH)
    result = store([signed(record, "2")])
    assert result.changed == []
    assert Download.objects.get(role="avatar").state == DownloadState.PENDING
    assert "oh=2" in (Author.objects.get().avatar_url or "")


def test_a_new_word_and_a_new_address_at_once() -> None:
    record = a_record()
    store([signed(record, "1")])
    Download.objects.update(state=DownloadState.REFRESH)
    result = store([signed(replace(record, likes=7), "2")])
    assert len(result.changed) == 1
    assert {*Download.objects.values_list("state", flat=True)} == {"pending"}
    assert MediaItem.objects.get().likes == 7
