"""A post is stored, and its pictures come: over HTTP, into the store, with rows."""

from __future__ import annotations

import hashlib

import pytest

from media_archive import downloads, files
from media_archive.models import (
    Author,
    DownloadState,
    JournalEntry,
    JournalKind,
    StoredFile,
)
from media_archive.records import IncomingAsset, IncomingAuthor, Kind
from tests.media_archive.downloads.pictures import (
    A_FILM,
    Site,
    a_jpeg,
    a_post,
    source,
    the_asset,
    the_download,
)

pytestmark = [pytest.mark.django_db]


@pytest.mark.also_on_sqlite
def test_a_picture_is_kept_with_its_sizes_and_told_of(site: Site) -> None:
    content = a_jpeg(1, side=300)
    site.show("/a.jpg", content)
    item = a_post(site.at("/a.jpg"))
    assert the_download(item).state == DownloadState.PENDING
    assert downloads.work_off() is False
    row, asset, file = the_download(item), the_asset(item), StoredFile.objects.get()
    assert (row.state, row.reason, row.claim_until) == ("ready", "", None)
    assert (asset.state, asset.picture) == ("ready", file)
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert (file.content_type, file.size) == ("image/jpeg", len(content))
    assert (file.width, file.height, file.frames) == (300, 300, 1)
    with files.open_file(file.name) as kept:
        assert kept.read() == content
    assert file.renditions.exists()
    assert all(files.exists(one.name) for one in file.renditions.all())
    entry = JournalEntry.objects.get(kind=JournalKind.PICTURED)
    item.refresh_from_db()
    assert (entry.item_id, entry.revision) == (item.pk, item.revision == 2 and 2)
    assert entry.detail == {"asset": 0, "state": "ready"}
    assert list(files.scratch().iterdir()) == []


def test_an_album_a_film_and_a_portrait(site: Site) -> None:
    for number in range(3):
        site.show(f"/{number}.jpg", a_jpeg(number))
    site.show("/face.jpg", a_jpeg(9))
    site.show("/film.mp4", A_FILM, "video/mp4")
    film = IncomingAsset(
        Kind.VIDEO,
        [
            source(site.at("/2.jpg")),
            source(site.at("/film.mp4"), kind=Kind.VIDEO),
        ],
    )
    pictures = [
        IncomingAsset(Kind.IMAGE, [source(site.at(f"/{number}.jpg"))])
        for number in range(2)
    ]
    ana = IncomingAuthor("7", "ana", "Ana", site.at("/face.jpg"))
    item = a_post(assets=[*pictures, film], author=ana)
    downloads.work_off()
    assert site.asked == ["/face.jpg", "/0.jpg", "/1.jpg", "/2.jpg", "/film.mp4"]
    assert [the_asset(item, n).state for n in range(3)] == ["ready"] * 3
    assert the_download(item, 2, "film").reason == ""
    assert the_asset(item, 2).film == StoredFile.objects.get(content_type="video/mp4")
    author = Author.objects.get()
    assert author.avatar is not None
    specs = {one.spec for one in author.avatar.renditions.all()}
    assert {"s96.webp.1", "s192.webp.1"} <= specs
    told = [e.detail for e in JournalEntry.objects.filter(kind=JournalKind.PICTURED)]
    assert told == [
        {"asset": 0, "state": "ready"},
        {"asset": 1, "state": "ready"},
        {"asset": 2, "state": "ready"},
        {"asset": 2, "state": "ready", "film": True},
    ]
