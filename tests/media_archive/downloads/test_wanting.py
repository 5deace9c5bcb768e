"""Storing posts makes their downloads; edited posts have them begin again."""

from __future__ import annotations

import importlib
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from media_archive.downloads.sources import key_of_address
from media_archive.models import (
    Author,
    Download,
    DownloadState,
    MediaAsset,
    MediaItem,
)
from media_archive.records import IncomingAsset, IncomingAuthor, Kind
from tests.builders import a_record, store
from tests.media_archive.downloads.pictures import (
    NOBODY,
    a_picture,
    source,
    the_asset,
    the_download,
)

pytestmark = [pytest.mark.django_db, pytest.mark.also_on_sqlite]
ADDRESS = "https://pictures.example/{}.jpg?sig={}"


def post(*names: str, sig: int = 1, **said: Any) -> MediaItem:
    """The post "p", told (again) with these pictures."""
    assets = [a_picture(ADDRESS.format(name, sig)) for name in names]
    usual: dict[str, Any] = {"assets": assets, "author": NOBODY}
    pk = store([a_record("p", **(usual | said))]).ids[0]
    return MediaItem.objects.get(pk=pk)


def as_if(state: DownloadState, **changes: Any) -> Download:
    """The only download, worked off so far."""
    asset = MediaAsset.objects.get()
    key = asset.source_key
    Download.objects.update(state=state, fetched_key=key, **changes)
    return Download.objects.get()


def test_a_new_post_has_a_download_for_each_picture_and_film() -> None:
    film = IncomingAsset(
        Kind.VIDEO,
        [source("https://h.example/f.mp4", kind=Kind.VIDEO), source("http://h/p.jpg")],
    )
    item = post(assets=[a_picture("https://h.example/a.jpg"), film])
    rows = Download.objects.newest_first().values_list("role", "asset__position")
    assert list(rows) == [("picture", 0), ("picture", 1), ("film", 1)]
    row = the_download(item)
    assert (row.state, row.attempts, row.claim_epoch) == ("pending", 0, 0)
    assert the_asset(item).source_key == key_of_address("https://h.example/a.jpg")


def test_the_first_picture_of_the_newest_post_comes_first() -> None:
    three, four = a_picture("http://h/3"), a_picture("http://h/4")
    older = a_record("z", assets=[three, four])
    newer = a_record("a", assets=[a_picture("http://h/1"), a_picture("http://h/2")])
    store([newer, older])
    assets = MediaAsset.objects.in_bulk()
    said = [
        assets[row.asset_id].sources[0]["url"]
        for row in Download.objects.newest_first()
        if row.asset_id
    ]
    assert said == ["http://h/1", "http://h/2", "http://h/3", "http://h/4"]


def test_what_has_no_picture_waits_for_none() -> None:
    film_only = IncomingAsset(Kind.VIDEO, [source("http://h/f", kind=Kind.VIDEO)])
    nothing = IncomingAsset(Kind.IMAGE, [])
    bad = IncomingAsset(Kind.IMAGE, [source("ftp://h/a.jpg")])
    item = post(assets=[film_only, nothing, bad, a_picture("http://h/a")])
    states = [the_asset(item, n).state for n in range(4)]
    assert states == ["gone", "gone", "gone", "pending"]
    rows = Download.objects.order_by("asset__position")
    assert [row.role for row in rows] == ["film", "picture"]
    post(kind=Kind.TEXT, caption="Only words.")
    assert not Download.objects.exists(), "the post's pictures were taken away"


def test_the_same_post_again_makes_nothing() -> None:
    post("a")
    before = list(Download.objects.values())
    post("a")
    assert list(Download.objects.values()) == before


def test_signed_anew_changes_nothing_that_is_settled() -> None:
    post("a")
    before = as_if(DownloadState.READY)
    post("a", sig=2)
    row = Download.objects.get()
    assert (row.state, row.claim_epoch) == ("ready", before.claim_epoch)
    assert "sig=2" in MediaAsset.objects.get().sources[0]["url"], "but it is known"


def test_signed_anew_is_what_a_refused_address_waits_for() -> None:
    post("a")
    as_if(DownloadState.REFRESH, attempts=2)
    post("a", likes=7)
    assert Download.objects.get().state == "refresh", "the address is the old one"
    post("a", sig=2, likes=7)
    row = Download.objects.get()
    assert (row.state, row.attempts, row.next_attempt_at) == ("pending", 2, None)


@pytest.mark.parametrize(
    "state", sorted({*DownloadState} - {"pending", "purged"}), ids=str
)
def test_another_picture_is_fetched_whatever_became_of_the_old(
    state: DownloadState,
) -> None:
    item = post("a")
    as_if(state, attempts=3, lost_claims=2, reason="gone", detail="x")
    MediaAsset.objects.update(state=DownloadState.READY)
    epoch = Download.objects.get().claim_epoch
    post("b")
    row = Download.objects.get()
    assert (row.state, row.attempts, row.lost_claims) == ("pending", 0, 0)
    assert (row.reason, row.detail, row.file) == ("", "", None)
    assert row.claim_epoch == epoch + 1, "whoever worked on it stops"
    assert the_asset(item).state == "ready", "what is shown stays"


def test_what_was_purged_here_stays_so() -> None:
    post("a")
    as_if(DownloadState.PURGED)
    post("b")
    assert Download.objects.get().state == "purged"


def test_addresses_that_are_not_told_any_more_take_nothing_away() -> None:
    item = post("a")
    as_if(DownloadState.READY)
    MediaAsset.objects.update(state=DownloadState.READY)
    post(assets=[IncomingAsset(Kind.IMAGE, [])])
    assert (Download.objects.get().state, the_asset(item).state) == ("ready", "ready")


def test_more_and_fewer_pictures() -> None:
    item = post("a", "b", "c")
    post("a")
    assert Download.objects.count() == MediaAsset.objects.count() == 1
    post("a", "d")
    assert the_download(item, 1).state == "pending"


def test_a_portrait_is_fetched_once_and_again_when_it_is_another() -> None:
    def told(address: str | None, native_id: str) -> Download:
        ana = IncomingAuthor("7", "ana", None, address)
        store([a_record(native_id, author=ana, assets=[])])
        return Download.objects.get(author__native_id="7")

    with pytest.raises(Download.DoesNotExist):
        told(None, "1")
    assert told("http://h/ana.jpg?sig=1", "2").state == "pending"
    key = key_of_address(Author.objects.get().avatar_url)
    Download.objects.update(state=DownloadState.READY, fetched_key=key)
    assert told("http://h/ana.jpg?sig=2", "3").state == "ready"
    assert told(None, "4").state == "ready"
    assert told("http://h/new.jpg", "5").state == "pending"
    key = key_of_address(Author.objects.get().avatar_url)
    Download.objects.update(state=DownloadState.REFRESH, fetched_key=key)
    assert told("http://h/new.jpg", "6").state == "refresh"
    assert told("http://h/new.jpg?sig=3", "7").state == "pending"
    assert Download.objects.count() == 1


def test_an_archive_that_is_there_already_gets_its_downloads() -> None:
    film = IncomingAsset(
        Kind.VIDEO, [source("http://h/f", kind=Kind.VIDEO), source("http://h/p")]
    )
    ana = IncomingAuthor("7", "ana", None, "http://h/ana.jpg")
    nothing = IncomingAsset(Kind.IMAGE, [])
    store([a_record(author=ana, assets=[film, nothing])])
    store([a_record(author=NOBODY, assets=[a_picture("http://h/a")])])
    wanted = sorted(Download.objects.values_list("role", "asset_id", "author_id"))
    assert len(wanted) == 4
    Download.objects.all().delete()
    MediaAsset.objects.update(state=DownloadState.PENDING)
    migration = importlib.import_module(
        "media_archive.migrations.0004_downloads_of_what_is_archived"
    )
    for _ in range(2):
        migration.make(None, SimpleNamespace(connection=connection))
        rows = Download.objects.values_list("role", "asset_id", "author_id")
        assert sorted(rows) == wanted
    assert {row.state for row in Download.objects.all()} == {"pending"}
    states = MediaAsset.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["pending", "gone", "pending"]


def test_another_picture_does_not_wait_for_the_time_of_the_one_before() -> None:
    item = post("a")
    later = timezone.now() + timedelta(hours=12)
    row = as_if(DownloadState.PENDING, attempts=5, next_attempt_at=later)
    # The same picture under another address goes on waiting.
    post("a", sig=2)
    assert the_download(item).next_attempt_at == later
    post("b")
    anew = the_download(item)
    assert (anew.state, anew.attempts, anew.next_attempt_at) == ("pending", 0, None)
    assert anew.claim_epoch == row.claim_epoch + 1
