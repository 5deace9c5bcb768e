"""What a page of posts wants brought here: rows for what is new, news for the others.
A statement or two each, whatever the size of the page.

All of it in the transaction that writes the page, whose items are locked.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from media_archive.downloads.sources import key_of_address
from media_archive.downloads.transitions import ANEW
from media_archive.models import Author, Download, DownloadState, MediaAsset, MediaItem

_DOWNLOAD, _ITEM, _ASSET, _AUTHOR = (
    model._meta.db_table  # noqa: SLF001  public in Django
    for model in (Download, MediaItem, MediaAsset, Author)
)
_COLUMNS = (
    "state, state_since, reason, detail, attempts, lost_claims, claim_epoch, "
    "fetched_key"
)
_VALUES = "'pending', %s, '', '', 0, 0, 0, ''"


def of_items(ids: Sequence[int]) -> None:
    """A download for each picture and each film of these items that has none."""
    if not ids:
        return
    # The newest rows are fetched first. So: films, then pictures; the first picture of
    # an album, which a wall is waiting for, last.
    _run(
        f"INSERT INTO {_DOWNLOAD} (role, asset_id, {_COLUMNS}) "
        f"SELECT wish.role, asset.id, {_VALUES} FROM {_ASSET} AS asset "
        f"JOIN {_ITEM} AS item ON item.id = asset.item_id "
        "CROSS JOIN (SELECT 'film' AS role, 'video' AS kind, 1 AS place "
        "UNION ALL SELECT 'picture', 'image', 2) AS wish "
        f"WHERE asset.item_id {_among()} AND {_offers()} "
        "ORDER BY wish.place, item.dated_at, item.id, asset.position DESC "
        "ON CONFLICT DO NOTHING",
        [timezone.now(), _said(ids)],
    )


def of_authors(ids: Sequence[int]) -> None:
    """A download for the portrait of each of these authors that has none."""
    if not ids:
        return
    _run(
        f"INSERT INTO {_DOWNLOAD} (role, author_id, {_COLUMNS}) "
        f"SELECT 'avatar', id, {_VALUES} FROM {_AUTHOR} "
        f"WHERE id {_among()} AND avatar_url IS NOT NULL ORDER BY id "
        "ON CONFLICT DO NOTHING",
        [timezone.now(), _said(ids)],
    )


def anew(ids: Collection[int]) -> None:
    """Other pictures are meant by these items than were fetched: fetched again. What
    is shown stays until then."""
    assets = MediaAsset.objects.filter(item_id__in=ids).exclude(source_key="")
    means = MediaAsset.objects.filter(pk=OuterRef("asset_id")).values("source_key")
    _begin_anew(
        Download.objects.filter(asset__in=assets)
        .exclude(fetched_key="")
        .exclude(fetched_key=Subquery(means[:1]))
    )


def portraits_told(
    told: Mapping[int, str | None], known: Mapping[int, str | None]
) -> None:
    """The addresses of portraits that were just written, and those before, by author.
    What was not told is not in doubt."""
    said = {pk: url for pk, url in told.items() if url is not None}
    of_authors([pk for pk in said if known.get(pk) is None])
    moved = {pk: url for pk, url in said.items() if known.get(pk) not in (None, url)}
    others = [pk for pk, url in moved.items() if key_of_address(url) != _key(known, pk)]
    if others:
        _begin_anew(
            Download.objects.filter(author_id__in=others).exclude(fetched_key="")
        )
    signed_anew = moved.keys() - set(others)
    if signed_anew:
        renew(Download.objects.filter(author_id__in=signed_anew))


def refused_addresses(ids: Collection[int]) -> dict[int, tuple[int, int, list[Any]]]:
    """Downloads of these items that need a new address: item, position, the sources
    that are known so far."""
    waiting = Download.objects.filter(
        state=DownloadState.REFRESH, asset__item_id__in=ids
    ).values_list("pk", "asset__item_id", "asset__position", "asset__sources")
    return {pk: (item, position, known) for pk, item, position, known in waiting}


def needing_addresses(ids: Collection[int]) -> set[int]:
    """Those of these items of which a picture, a film or the author's portrait waits
    for an address that works."""
    if not ids:
        return set()
    assets = Download.objects.filter(
        state=DownloadState.REFRESH, asset__item_id__in=ids
    )
    portraits = MediaItem.objects.filter(
        pk__in=ids, author__download__state=DownloadState.REFRESH
    )
    return {
        *assets.values_list("asset__item_id", flat=True),
        *portraits.values_list("pk", flat=True),
    }


def renew(rows: QuerySet[Download]) -> int:
    """Those of ``rows`` that need a new address have one: they are fetched again. How
    many."""
    return rows.filter(state=DownloadState.REFRESH).update(
        state=DownloadState.PENDING,
        state_since=timezone.now(),
        next_attempt_at=None,
        claim_until=None,
        claim_epoch=F("claim_epoch") + 1,
    )


def _begin_anew(rows: QuerySet[Download]) -> None:
    # What is about to be fetched is read anew then; but not what waits for a time
    # that another picture has earned.
    at_once = Q(state=DownloadState.PENDING, next_attempt_at__isnull=True)
    rows.exclude(at_once).exclude(state=DownloadState.PURGED).update(
        **ANEW,
        state=DownloadState.PENDING,
        state_since=timezone.now(),
        reason="",
        detail="",
        claim_epoch=F("claim_epoch") + 1,
    )


def _key(known: Mapping[int, str | None], pk: int) -> str:
    return key_of_address(known.get(pk))


def _among() -> str:
    if connection.vendor == "postgresql":
        return "= ANY(%s::bigint[])"
    return "IN (SELECT value FROM json_each(%s))"


def _said(ids: Sequence[int]) -> Any:
    return list(ids) if connection.vendor == "postgresql" else json.dumps([*ids])


def _offers() -> str:
    """SQL for "the asset has a source of the wished kind"."""
    if connection.vendor == "postgresql":
        kind = "jsonb_build_array(jsonb_build_object('kind', wish.kind))"
        return f"asset.sources @> {kind}"
    return (
        "EXISTS (SELECT 1 FROM json_each(asset.sources) AS source "
        "WHERE json_extract(source.value, '$.kind') = wish.kind)"
    )


def _run(sql: str, said: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, said)
