"""The end of a download: one transaction, one entry, whatever happens meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from psycopg.errors import DeadlockDetected

from media_archive import downloads, moderation
from media_archive.models import (
    Author,
    Download,
    DownloadState,
    JournalEntry,
    JournalKind,
    MediaItem,
    StoredFile,
    Visibility,
)
from media_archive.records import IncomingAuthor
from tests.builders import a_record, store
from tests.media_archive.downloads.pictures import (
    NOBODY,
    Site,
    a_jpeg,
    a_picture,
    a_post,
    status,
    the_asset,
    the_download,
    time_passes,
)

pytestmark = pytest.mark.django_db


def pictured(item: MediaItem) -> list[dict[str, object]]:
    entries = JournalEntry.objects.filter(item=item, kind=JournalKind.PICTURED)
    return [entry.detail for entry in entries]


def edit(item: MediaItem, url: str) -> None:
    """The provider tells the post again, with another picture."""
    store([a_record(item.native_id, assets=[a_picture(url)], author=NOBODY)])


@pytest.mark.also_on_sqlite
def test_the_old_picture_is_shown_until_the_new_one_is_here(site: Site) -> None:
    site.show("/old.jpg", a_jpeg(1))
    site.answers["/new.jpg"] = status(500)
    item = a_post(site.at("/old.jpg"))
    downloads.work_off()
    old = the_asset(item).picture
    edit(item, site.at("/new.jpg"))
    downloads.work_off()
    assert (the_asset(item).state, the_asset(item).picture) == ("ready", old)
    site.show("/new.jpg", a_jpeg(2))
    time_passes()
    downloads.work_off()
    asset = the_asset(item)
    assert asset.state == "ready"
    assert asset.picture is not None and asset.picture != old
    assert pictured(item) == [{"asset": 0, "state": "ready"}] * 2


def test_a_new_picture_that_never_comes_takes_the_old_one_from_nobody(
    site: Site,
) -> None:
    site.show("/old.jpg", a_jpeg(1))
    site.show("/new.jpg", b"<html>")
    item = a_post(site.at("/old.jpg"))
    downloads.work_off()
    old = the_asset(item).picture
    edit(item, site.at("/new.jpg"))
    downloads.work_off()
    assert (the_asset(item).state, the_asset(item).picture) == ("rejected", old)


@pytest.mark.also_on_sqlite
def test_edited_while_the_old_picture_is_on_its_way(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker must not show what is meant no more."""
    site.show("/old.jpg", a_jpeg(1))
    site.show("/new.jpg", a_jpeg(2))
    item = a_post(site.at("/old.jpg"))
    look = downloads.fetching.imaging.look

    def edited_meanwhile(path: Path) -> object:
        # The asset alone, as where the post's own transaction is not committed yet.
        asset = the_asset(item)
        asset.sources = [dict(asset.sources[0], url=site.at("/new.jpg"))]
        asset.save()
        return look(path)

    monkeypatch.setattr(downloads.fetching.imaging, "look", edited_meanwhile)
    downloads.work_off()
    asset = the_asset(item)
    assert asset.picture is not None
    assert asset.picture == StoredFile.objects.latest("pk")
    assert site.asked == ["/old.jpg", "/new.jpg"]
    assert pictured(item) == [{"asset": 0, "state": "ready"}]


def test_taken_over_by_an_edit_in_mid_way_writes_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.show("/old.jpg", a_jpeg(1))
    site.show("/new.jpg", a_jpeg(2))
    item = a_post(site.at("/old.jpg"))
    look = downloads.fetching.imaging.look
    edits = [site.at("/new.jpg")]

    def edited_meanwhile(path: Path) -> object:
        if edits:
            edit(item, edits.pop())
        return look(path)

    monkeypatch.setattr(downloads.fetching.imaging, "look", edited_meanwhile)
    downloads.work_off()
    assert site.asked == ["/old.jpg", "/new.jpg"]
    assert the_download(item).state == "ready"
    assert pictured(item) == [{"asset": 0, "state": "ready"}]
    picture = the_asset(item).picture
    assert picture is not None
    assert picture.sha256 == StoredFile.objects.latest("pk").sha256


@pytest.mark.parametrize("what", ["item", "asset"])
def test_erased_in_mid_way(
    what: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.show("/a.jpg", a_jpeg(1))
    item = a_post(site.at("/a.jpg"))
    make = downloads.keeping.renditions.make

    def erased_meanwhile(*args: object, **more: object) -> None:
        make(*args, **more)  # type: ignore[arg-type]
        if what == "item":
            item.delete()
        else:
            the_asset(item).delete()

    monkeypatch.setattr(downloads.keeping.renditions, "make", erased_meanwhile)
    downloads.work_off()
    assert not Download.objects.exists()
    assert not JournalEntry.objects.filter(kind=JournalKind.PICTURED).exists()


def test_hidden_meanwhile_stays_hidden_and_has_its_picture(site: Site) -> None:
    site.show("/a.jpg", a_jpeg(1))
    item = a_post(site.at("/a.jpg"))
    moderation.hide([item.pk], actor="ada")
    downloads.work_off()
    item.refresh_from_db()
    assert item.visibility == Visibility.HIDDEN
    assert the_asset(item).state == "ready"
    assert item.revision == 3


def test_what_was_backfilled_is_told_so(site: Site) -> None:
    site.show("/a.jpg", a_jpeg(1))
    item = a_post(site.at("/a.jpg"))
    archived = JournalEntry.objects.get(item=item)
    archived.detail = {"backfilled": True}
    archived.save()
    downloads.work_off()
    assert pictured(item) == [{"asset": 0, "state": "ready", "backfilled": True}]


def test_the_first_picture_gives_the_post_its_cluster(site: Site) -> None:
    site.show("/a.jpg", a_jpeg(1))
    item = a_post(site.at("/a.jpg"))
    downloads.work_off()
    item.refresh_from_db()
    assert item.cluster_id == item.pk


@pytest.mark.also_on_sqlite
def test_a_person_has_it_tried_again(site: Site) -> None:
    site.answers["/a.jpg"] = status(404)
    site.show("/b.jpg", a_jpeg(2))
    item = a_post(site.at("/a.jpg"), site.at("/b.jpg"))
    for _ in range(2):
        downloads.work_off()
        time_passes(300)
    gone, ready = the_download(item), the_download(item, 1)
    assert (gone.state, ready.state) == ("gone", "ready")
    site.show("/a.jpg", a_jpeg(1))
    assert downloads.revive([gone.pk, ready.pk, 0], "ada") == 1
    row = the_download(item)
    assert (row.state, row.gone_at, row.detail) == (
        "pending",
        None,
        "Tried again for ada.",
    )
    assert the_asset(item).state == "gone", "what is known is shown meanwhile"
    downloads.work_off()
    assert the_asset(item).state == "ready"
    assert [entry["state"] for entry in pictured(item)] == ["ready", "gone", "ready"]
    assert downloads.revive([gone.pk], "ada") == 0


def test_trying_again_outlives_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    a_post("http://h/1", "http://h/2")
    Download.objects.update(state=DownloadState.GONE)
    refusals = [DeadlockDetected()]
    monkeypatch.setattr("media_archive.journal.time.sleep", lambda _: None)

    def refuse_once(execute: Any, sql: str, *rest: Any) -> Any:
        if refusals and sql.startswith("UPDATE"):
            raise OperationalError("deadlock detected") from refusals.pop()
        return execute(sql, *rest)

    keys = Download.objects.order_by("-pk").values_list("pk", flat=True)
    with (
        connection.execute_wrapper(refuse_once),
        CaptureQueriesContext(connection) as q,
    ):
        assert downloads.revive(keys, "ada") == 2
    assert refusals == []
    said = [query["sql"] or "" for query in q]
    locking = [sql for sql in said if "FOR NO KEY UPDATE" in sql]
    assert len(locking) == 2 and all("ORDER BY" in sql for sql in locking)


def test_tried_again_in_vain_tells_nobody(site: Site) -> None:
    site.show("/a.jpg", b"<html>")
    item = a_post(site.at("/a.jpg"))
    downloads.work_off()
    assert downloads.revive(Download.objects.values_list("pk", flat=True), "ada") == 1
    downloads.work_off()
    assert the_download(item).state == DownloadState.REJECTED
    assert len(pictured(item)) == 1


def test_a_portrait_is_shown_without_an_entry(site: Site) -> None:
    site.show("/face.jpg", a_jpeg(1))
    ana = IncomingAuthor("7", "ana", None, site.at("/face.jpg"))
    store([a_record(author=ana, assets=[])])
    downloads.work_off()
    assert Author.objects.get().avatar == StoredFile.objects.get()
    assert not JournalEntry.objects.filter(kind=JournalKind.PICTURED).exists()
