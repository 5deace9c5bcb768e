"""Plain functions that make rows. Everything not said is ordinary."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from media_archive import files, ingest, journal
from media_archive.models import (
    Author,
    Download,
    DownloadState,
    JournalKind,
    MediaAsset,
    MediaItem,
    Rendition,
    StoredFile,
)
from media_archive.records import (
    AssetSource,
    IncomingAsset,
    IncomingAuthor,
    IncomingMedia,
    Kind,
)

PROVIDER = "instagram_v1"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ANA = IncomingAuthor("7", "ana.costa", "Ana Costa", "https://pictures.example/ana.jpg")

_numbers = itertools.count(1)


def a_source(name: str = "standard_resolution", side: int = 640) -> AssetSource:
    """One square picture."""
    return AssetSource(
        name, f"https://pictures.example/{name}.jpg", Kind.IMAGE, side, side
    )


def an_asset() -> IncomingAsset:
    """One picture in two sizes."""
    return IncomingAsset(Kind.IMAGE, [a_source("thumbnail", 150), a_source()])


def a_record(native_id: str | None = None, **said: Any) -> IncomingMedia:
    """One post; each next one is posted a minute later."""
    number = next(_numbers)
    native_id = f"post-{number:06}" if native_id is None else native_id
    usual: dict[str, Any] = {
        "kind": Kind.IMAGE,
        "raw": {"id": native_id},
        "author": ANA,
        "caption": f"Caption {number} #nofilter",
        "permalink": f"https://photos.example/p/{native_id}/",
        "posted_at": NOON + timedelta(minutes=number),
        "tags": ["nofilter"],
        "assets": [an_asset()],
    }
    return IncomingMedia(native_id=native_id, **(usual | said))


def store(
    records: Sequence[IncomingMedia],
    listed_under: str | None = None,
    provider: str = PROVIDER,
) -> ingest.StoreResult:
    """One page stored in a transaction of its own."""
    with journal.recording() as recording:
        return ingest.store(recording, provider, records, listed_under)


def an_item(native_id: str | None = None, **said: Any) -> MediaItem:
    """One stored post."""
    return MediaItem.objects.get(pk=store([a_record(native_id, **said)]).new[0])


def some_items(count: int, **said: Any) -> list[MediaItem]:
    """``count`` stored posts, oldest first."""
    newest_first = [a_record(**said) for _ in range(count)][::-1]
    ids = store(newest_first).new
    found = MediaItem.objects.in_bulk(ids)
    return [found[pk] for pk in ids]


def a_kept_file(said: str = "picture", width: int = 640, height: int = 640) -> Any:
    """A stored picture with its renditions, as rows: the store has no such files."""
    digest = hashlib.sha256(f"{said} {width} {height}".encode()).hexdigest()
    file, made = StoredFile.objects.get_or_create(
        sha256=digest,
        defaults={
            "name": files.original_name(digest, "image/jpeg"),
            "content_type": "image/jpeg",
            "size": width * height // 4,
            "width": width,
            "height": height,
            "frames": 1,
            "rendered_at": NOON,
            "placeholder": "data:image/webp;base64,UklGRg==",
            "color": "#804020",
            "tint": "#ffe0c0",
            "luma": 0.4,
        },
    )
    if made:
        wide = [w for w in (240, 480, 800, 1600, 2560) if w < width] + [width]
        specs = [(f"w{w}.webp", w, height * w // width) for w in wide[:5]]
        specs += [("w480.jpeg", min(480, width), height * min(480, width) // width)]
        specs += [("s168.webp", 168, 168), ("bg.webp", 160, 120)]
        specs += [("s96.webp", 96, 96), ("s192.webp", 192, 192)]
        specs += [("s192.jpeg", 192, 192)]
        Rendition.objects.bulk_create(
            _rendition(file, spec, w, h) for spec, w, h in specs
        )
    return file


def _rendition(file: StoredFile, spec: str, width: int, height: int) -> Rendition:
    content_type = "image/" + spec.partition(".")[2]
    digest = hashlib.sha256(f"{file.sha256} {spec}".encode()).hexdigest()
    return Rendition(
        file=file,
        spec=f"{spec}.1",
        name=files.rendition_name(digest, content_type),
        sha256=digest,
        content_type=content_type,
        width=width,
        height=height,
        size=width * height // 8,
    )


def keep_pictures(ids: Collection[int]) -> None:
    """What these items show is kept: every asset has a picture, every author a
    portrait. Journals nothing: to be called before anybody can have looked."""
    assets = MediaAsset.objects.filter(item_id__in=ids)
    assets.update(picture=a_kept_file(), state=DownloadState.READY)
    authors = Author.objects.filter(media__in=ids, avatar_url__isnull=False)
    Author.objects.filter(pk__in=list(authors.values_list("pk", flat=True))).update(
        avatar=a_kept_file("portrait", 150, 150)
    )
    done = Download.objects.filter(asset__item_id__in=ids)
    done.update(state=DownloadState.READY)


def settle(item: MediaItem, state: str = "ready", **said: Any) -> None:
    """As a download ends: the state of the first asset and the entry of it, in one
    transaction. ``said`` goes into the entry's detail."""
    with journal.recording() as recording:
        if state == DownloadState.READY:
            keep_pictures([item.pk])
        item.assets.filter(position=0).update(state=state)
        item.refresh_from_db()
        item.revision += 1
        item.save()
        detail = {"asset": 0, "state": state} | said
        recording.add(item, JournalKind.PICTURED, detail=detail)


def store_kept(
    records: Sequence[IncomingMedia],
    listed_under: str | None = None,
    provider: str = PROVIDER,
) -> ingest.StoreResult:
    """One page stored as ``store`` does, and its pictures kept at the same moment."""
    with journal.recording() as recording:
        result = ingest.store(recording, provider, records, listed_under)
        keep_pictures(result.ids)
    return result


def a_post(native_id: str | None = None, **said: Any) -> MediaItem:
    """One stored post whose picture is kept: a wall shows it."""
    return MediaItem.objects.get(pk=store_kept([a_record(native_id, **said)]).new[0])


def some_posts(count: int, **said: Any) -> list[MediaItem]:
    """``count`` stored posts whose pictures are kept, oldest first."""
    ids = store_kept([a_record(**said) for _ in range(count)][::-1]).new
    found = MediaItem.objects.in_bulk(ids)
    return [found[pk] for pk in ids]
