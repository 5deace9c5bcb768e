"""One tile for near-identical shots: which of them is seen, and how many are behind.

A tile is of one cluster on the wall of one tag, and counts what is showable and listed
there. Its face is the newest, a pinned one before all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber

from media_archive.models import MediaItem, MediaTag, Tag

FIRST_LOOK = 4
"""Listings that are looked at for each tile wanted; then twice as many, and so on."""
MOST_AT_ONCE = 1_000
MOST_LOOKED_AT = 12_000
"""Listings of one tag, shown or not: a wall with fewer tiles is better than a slow one.
When so many newest posts all wait for their pictures, as after an upgrade, the wall
waits with them: the newest are fetched first."""


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
    alone: list[int] = []
    clusters: dict[int, None] = {}
    for pk, cluster in _shown(tag, FIRST_LOOK * limit):
        if cluster is None:
            alone.append(pk)
        else:
            clusters[cluster] = None
        if len(alone) + len(clusters) >= limit:
            break
    faces = dict.fromkeys(alone, 0)
    for fold in folds(clusters, [tag]).values():
        faces[fold.face] = fold.more
    items = MediaItem.objects.showable().whole().in_bulk(list(faces))
    tiles = [Tile(items[pk], more) for pk, more in faces.items() if pk in items]
    return sorted(tiles, key=lambda t: (t.face.dated_at, t.face.pk), reverse=True)


def _shown(tag: str, step: int) -> Iterator[tuple[int, int | None]]:
    """Key and cluster of what the wall of ``tag`` may show, newest first, out of its
    newest ``MOST_LOOKED_AT`` listings."""
    # The listings are walked in their own index, and what they list is judged
    # afterwards: in one statement, all that waits would be walked over as well.
    tag_id = Tag.objects.filter(name=tag).values("id")[:1]
    listed = MediaTag.objects.filter(tag_id=tag_id).order_by("-dated_at", "-item_id")
    here, looked_at = listed, 0
    while looked_at < MOST_LOOKED_AT:
        step = min(step, MOST_AT_ONCE, MOST_LOOKED_AT - looked_at)
        rows = list(here.values_list("dated_at", "item_id")[:step])
        ids = [pk for _, pk in rows]
        shown = dict(
            MediaItem.objects.showable()
            .filter(pk__in=ids)
            .values_list("pk", "cluster_id")
        )
        yield from ((pk, shown[pk]) for pk in ids if pk in shown)
        if len(rows) < step:
            return
        looked_at += step
        at, last = rows[-1]
        # The first condition says to the index where to begin.
        here = listed.filter(
            Q(dated_at__lt=at) | Q(dated_at=at, item_id__lt=last), dated_at__lte=at
        )
        step *= 2
