"""One tile for near-identical shots: which of them is seen, and how many are behind.

A tile is of one cluster on the wall of one tag, and counts what is showable and listed
there. Its face is the newest, a pinned one before all.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber

from media_archive.models import MediaItem

FIRST_LOOK = 4
"""Listings that are looked at for each tile wanted; then twice as many, and so on."""
MOST_LOOKED_AT = 3_000
"""Listings of one tag: a wall with fewer tiles is better than a slow one."""


@dataclass(frozen=True, slots=True)
class Tile:
    """``face`` is loaded with ``.whole()``; ``more`` others are behind it."""

    face: MediaItem
    more: int


@dataclass(frozen=True, slots=True)
class Fold:
    """The same before anything is loaded: the face's key."""

    face: int
    more: int


def folds(
    clusters: Collection[int], tags: Collection[str]
) -> dict[tuple[str, int], Fold]:
    """What the walls of ``tags`` show of ``clusters``, by tag and cluster; what has
    nothing to show there is left out. One query."""
    if not clusters or not tags:
        return {}
    found = (
        MediaItem.objects.showable()
        .filter(cluster_id__in=clusters, listings__tag__name__in=tags)
        .annotate(
            place=Window(
                RowNumber(),
                partition_by=[F("listings__tag__name"), F("cluster_id")],
                order_by=[F("pinned").desc(), F("dated_at").desc(), F("id").desc()],
            ),
            size=Window(
                Count("id"), partition_by=[F("listings__tag__name"), F("cluster_id")]
            ),
        )
        .filter(place=1)
        .values_list("listings__tag__name", "cluster_id", "pk", "size")
    )
    return {
        (tag, cluster): Fold(face, size - 1)
        for tag, cluster, face, size in found
        if cluster is not None
    }


def newest(tag: str, limit: int) -> list[Tile]:
    """The first ``limit`` tiles of a wall, newest face first."""
    rows = MediaItem.objects.newest_of_tag(tag).showable()
    looked = rows.values_list("pk", "cluster_id")
    alone: list[int] = []
    clusters: dict[int, None] = {}
    looked_at, step = 0, FIRST_LOOK * limit
    while len(alone) + len(clusters) < limit and looked_at < MOST_LOOKED_AT:
        look = list(looked[looked_at : looked_at + step])
        for pk, cluster in look:
            if len(alone) + len(clusters) == limit:
                break
            if cluster is None:
                alone.append(pk)
            else:
                clusters[cluster] = None
        looked_at += step
        if len(look) < step:
            break
        step *= 2
    faces = dict.fromkeys(alone, 0)
    for fold in folds(clusters, [tag]).values():
        faces[fold.face] = fold.more
    items = MediaItem.objects.showable().whole().in_bulk(list(faces))
    tiles = [Tile(items[pk], more) for pk, more in faces.items() if pk in items]
    return sorted(tiles, key=lambda t: (t.face.dated_at, t.face.pk), reverse=True)
