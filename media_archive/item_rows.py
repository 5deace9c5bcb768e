"""The rows of media items and of what belongs to them: one statement for a page.

Items are locked and inserted in the order of their native ids, so that two pages
cannot deadlock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Exists, F, OuterRef

from media_archive import rows_of_records as rows
from media_archive import set_wise
from media_archive.downloads import wanting
from media_archive.models import (
    Download,
    DownloadState,
    MediaAsset,
    MediaItem,
    MediaTag,
    RawDocument,
    Tag,
)
from media_archive.records import IncomingMedia
from media_archive.rows_of_records import Held


@dataclass(frozen=True, slots=True)
class Seen:
    """A stored item, looked at without a lock."""

    pk: int
    content_hash: str
    is_listed: bool
    needs_address: bool
    """A picture of it, or its author's portrait, waits for an address that works."""


def see(
    provider: str, native_ids: Collection[str], listed_under: str | None
) -> dict[str, Seen]:
    """What is stored, and whether it is listed under that tag (None: yes)."""
    among, said = set_wise.among(native_ids)
    with connection.cursor() as cursor:
        cursor.execute(_SEE + among, [listed_under, listed_under, provider, said])
        found = cursor.fetchall()
    # Mostly no download at all waits for an address, and nothing more is asked.
    needing = wanting.needing_addresses([row[1] for row in found if row[4]])
    return {
        native_id: Seen(pk, digest, bool(is_listed), pk in needing)
        for native_id, pk, digest, is_listed, _ in found
    }


_ITEM, _LISTING, _TAG, _DOWNLOAD = (
    model._meta.db_table  # noqa: SLF001  public in Django
    for model in (MediaItem, MediaTag, Tag, Download)
)
# Every page is looked at, and most find nothing to do: Django would take longer to
# write this statement than the database to answer it. A listing is always
# looked up by its item, which has a few: as a value and not with EXISTS, and with + 0,
# or PostgreSQL may choose to read all that a tag lists. The last column says whether
# any download, of whatever item, waits for an address.
_SEE = f"""
SELECT native_id, id, content_hash, %s IS NULL OR (
    SELECT item_id FROM {_LISTING}
    WHERE item_id = {_ITEM}.id AND tag_id + 0 = (SELECT id FROM {_TAG} WHERE name = %s)
) IS NOT NULL, (
    SELECT id FROM {_DOWNLOAD} WHERE state = 'refresh' LIMIT 1
) IS NOT NULL
FROM {_ITEM} WHERE provider = %s AND native_id """


def hold(provider: str, native_ids: Collection[str]) -> dict[str, Held]:
    """What is stored, locked until the commit."""
    if not native_ids:
        return {}
    # Without the key, which nobody changes: another page's match with the post is
    # checked at its commit, and would wait for us there with the journal's counter.
    found = (
        MediaItem.objects.filter(provider=provider, native_id__in=native_ids)
        .order_by("native_id")
        .select_for_update(no_key=True)
    )
    return {
        native_id: Held(pk, digest, revision, dated_at, author_id)
        for native_id, pk, digest, revision, dated_at, author_id in found.values_list(
            "native_id", "pk", "content_hash", "revision", "dated_at", "author_id"
        )
    }


def insert(new_items: Iterable[tuple[object, ...]]) -> dict[str, int]:
    """Native id → primary key of those that were not there (``rows.NEW_ITEM``)."""
    return dict(
        set_wise.insert(
            MediaItem,
            rows.NEW_ITEM,
            sorted(new_items, key=lambda item: str(item[1])),
            set_wise.Ignore(),
            returning=("native_id", "id"),
        )
    )


def take_back(ids: Collection[int]) -> None:
    """Items that this transaction has inserted, and nothing belongs to yet."""
    MediaItem.objects.filter(pk__in=ids).delete()


def hold_there(ids: Collection[int]) -> set[int]:
    """Those that are still there, which nobody erases until the commit."""
    if not ids:
        return set()
    # Nothing else is kept from them: no more than the check of a key that names them
    # does at the commit, where it would wait with the journal's counter.
    share = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    places = ", ".join(["%s"] * len(ids))
    sql = f"SELECT id FROM {_ITEM} WHERE id IN ({places}) ORDER BY native_id{share}"
    with connection.cursor() as cursor:
        cursor.execute(sql, [*ids])
        return {pk for (pk,) in cursor.fetchall()}


def change(changed_items: Sequence[tuple[object, ...]]) -> None:
    """Write the columns ``rows.CHANGED_ITEM``."""
    set_wise.update(MediaItem, rows.CHANGED_ITEM, changed_items)


def touch(ids: Collection[int], now: datetime) -> None:
    """Items that joined a listing: a new revision, nothing else."""
    if ids:
        touched = MediaItem.objects.filter(pk__in=ids)
        touched.update(changed_at=now, revision=F("revision") + 1)


def write_raw(records: Mapping[int, IncomingMedia], now: datetime) -> None:
    """The raw documents of items, by primary key."""
    set_wise.insert(
        RawDocument,
        rows.RAW,
        [(pk, rows.raw_document(record), now) for pk, record in records.items()],
        set_wise.Update(rows.RAW[:1], rows.RAW[1:]),
    )


def write_assets(records: Mapping[int, IncomingMedia]) -> None:
    """The assets of items, by primary key, and their downloads."""
    made = [
        asset for pk, record in records.items() for asset in rows.assets(pk, record)
    ]
    set_wise.insert(
        MediaAsset, rows.ASSET, made, set_wise.Update(rows.ASSET_KEY, rows.ASSET_TOLD)
    )
    if made:
        wanting.of_items([*records])


def change_assets(records: Mapping[int, IncomingMedia]) -> None:
    """The same for items that were stored before. A picture that is another one is
    fetched again, and so is one that was waiting for a new address."""
    refused = wanting.refused_addresses(records)
    bare = _without_assets(records)
    write_assets(records)
    _leave_settled(bare)
    drop_assets(records)
    if records:
        wanting.anew(records)
    renewed = [
        pk
        for pk, (item_pk, position, known) in refused.items()
        if position < len(records[item_pk].assets)
        and rows.sources(records[item_pk].assets[position].sources) != known
    ]
    if renewed:
        wanting.renew(Download.objects.filter(pk__in=renewed))


def _without_assets(records: Mapping[int, IncomingMedia]) -> list[int]:
    """Items, by primary key, that had no asset so far and now have."""
    told = [pk for pk, record in records.items() if record.assets]
    if not told:
        return []
    first = MediaAsset.objects.filter(item_id__in=told, position=0)
    return sorted({*told} - {*first.values_list("item_id", flat=True)})


def _leave_settled(ids: Collection[int]) -> None:
    """A wall shows these already, without a picture, and goes on while it comes: else
    a page that is open and one that is opened now would differ."""
    if ids:
        first = MediaAsset.objects.filter(
            item_id__in=ids, position=0, state=DownloadState.PENDING
        )
        first.update(state=DownloadState.GONE)


def drop_assets(records: Mapping[int, IncomingMedia]) -> None:
    """Take away what an item, by primary key, had and has no more."""
    by_count: dict[int, list[int]] = {}
    for pk, record in records.items():
        by_count.setdefault(len(record.assets), []).append(pk)
    for count, ids in by_count.items():
        MediaAsset.objects.filter(item_id__in=ids, position__gte=count).delete()


def listed(ids: Sequence[int], tag_ids: Collection[int]) -> set[tuple[int, int]]:
    """Which of the items are listed under which of the tags."""
    if not ids:
        return set()
    found = MediaTag.objects.filter(item_id__in=ids, tag_id__in=tag_ids)
    return set(found.values_list("item_id", "tag_id"))


def told_last(provider: str, native_ids: Collection[str]) -> dict[str, str]:
    """Of the items whose raw document is the newest one of their author: native id →
    the author's native id."""
    newer = RawDocument.objects.filter(
        item__author=OuterRef("author"), received_at__gt=OuterRef("raw__received_at")
    )
    last = MediaItem.objects.filter(
        ~Exists(newer),
        provider=provider,
        native_id__in=native_ids,
        author__isnull=False,
    )
    return dict(last.values_list("native_id", "author__native_id"))
