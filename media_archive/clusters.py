"""Near-identical shots of one author: which of them belong together.

Two items are alike when one author posted them within ``PHOTOWALL_ALIKE_SECONDS`` and
their first pictures have the same shape and hashes that differ in
``PHOTOWALL_ALIKE_BITS`` bits at most. Alike items share their ``cluster_id``, and so do
those that are alike to a third.

Why an author's row is the lock, and rows of other items are never waited for:
docs/decisions/0022-near-duplicates.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils import timezone

from media_archive import set_wise
from media_archive.journal import Recording
from media_archive.models import Author, JournalKind, MediaAsset, MediaItem

NEIGHBOURS = 100
"""Items of the author that are compared, before and after in time."""

SAME_SHAPE = 1.1
"""How many times as wide for its height one picture may be as the other: crops differ
by less, a landscape and a portrait by more."""

LARGEST = 500
"""Items of one cluster, so that no change of one moves more of them. A shot that is
alike to full ones only begins another, and larger ones stay apart."""


def assign(recording: Recording, item: MediaItem) -> None:
    """Give ``item`` (its row is locked) its cluster, now that its picture is known.

    A picture without a hash (too little detail), or of nobody known, is a cluster of
    its own. A shot that is alike to several clusters makes one of them: of the largest
    (the oldest of the largest). Other items whose cluster changes are journalled as
    changed, with the detail ``cluster``.

    Raises ``OperationalError`` (lock not available) when somebody else is writing an
    item that has to move: ``journal.recorded`` then does the whole unit again.
    """
    before = item.cluster_id
    alike: set[int] = set()
    if item.author_id is not None and settings.PHOTOWALL_ALIKE_SECONDS > 0:
        _one_at_a_time(item.author_id)
        shot = _look_of(item)
        if shot is not None:
            alike = _alike(item.author_id, item, shot)
    found = _chosen(alike, item) if alike else None
    chosen, joining = found or (item.pk, set())
    if before not in (None, chosen, *joining):
        _leave(recording, item, before)
    if found is None:
        _make_room(recording, item)
    moving = MediaItem.objects.filter(cluster_id__in=joining)
    _move(recording, _locked(item, moving), chosen)
    if chosen != before:
        item.cluster_id = chosen
        MediaItem.objects.filter(pk=item.pk).update(cluster_id=chosen)


@dataclass(frozen=True, slots=True)
class Look:
    """What of a picture is compared: 64 bits, and width by height."""

    bits: int
    ratio: float

    def is_like(self, other: Look) -> bool:
        """Whether both may be shots of the same moment."""
        narrow, wide = sorted((self.ratio, other.ratio))
        near = distance(self.bits, other.bits) <= settings.PHOTOWALL_ALIKE_BITS
        return near and wide <= narrow * SAME_SHAPE


def distance(one: int, other: int) -> int:
    """In how many of their 64 bits two hashes differ."""
    return ((one ^ other) & (2**64 - 1)).bit_count()


def _one_at_a_time(author_id: int) -> None:
    """Wait for whoever gives an item of this author its cluster, and have the next one
    wait for us. After the item's row, as a page of posts locks items and then
    authors."""
    row = Author.objects.filter(pk=author_id).select_for_update(no_key=True)
    list(row.values_list("pk"))


def _look(hash_: int | None, width: int | None, height: int | None) -> Look | None:
    if hash_ is None or not width or not height:
        return None
    return Look(hash_, width / height)


def _look_of(item: MediaItem) -> Look | None:
    first = MediaAsset.objects.filter(item=item, position=0, picture__isnull=False)
    columns = first.values_list(
        "picture__perceptual_hash", "picture__width", "picture__height"
    )
    return next((_look(*row) for row in columns), None)


def _alike(author_id: int, item: MediaItem, shot: Look) -> set[int]:
    """The clusters of the author's neighbours in time that look like ``shot``."""
    window = timedelta(seconds=settings.PHOTOWALL_ALIKE_SECONDS)
    when = item.dated_at
    known = (
        MediaItem.objects.filter(
            author_id=author_id,
            cluster_id__isnull=False,
            assets__position=0,
            assets__picture__perceptual_hash__isnull=False,
        )
        .exclude(pk=item.pk)
        .values_list(
            "cluster_id",
            "assets__picture__perceptual_hash",
            "assets__picture__width",
            "assets__picture__height",
        )
    )
    earlier = known.filter(dated_at__lte=when, dated_at__gte=when - window)
    later = known.filter(dated_at__gt=when, dated_at__lte=when + window)
    neighbours = [
        *earlier.order_by("-dated_at", "-id")[:NEIGHBOURS],
        *later.order_by("dated_at", "id")[:NEIGHBOURS],
    ]
    return {
        cluster
        for cluster, *columns in neighbours
        if cluster is not None
        and (other := _look(*columns)) is not None
        and shot.is_like(other)
    }


def _chosen(alike: set[int], item: MediaItem) -> tuple[int, set[int]] | None:
    """The cluster that ``item`` and the others join, and those others; None when each
    is full."""
    sizes = dict(
        MediaItem.objects.filter(cluster_id__in=alike)
        .exclude(pk=item.pk)
        .order_by()
        .values_list("cluster_id")
        .annotate(size=Count("id"))
    )
    largest_first = sorted(sizes, key=lambda cluster: (-sizes[cluster], cluster))
    open_ = [cluster for cluster in largest_first if sizes[cluster] < LARGEST]
    if not open_:
        return None
    chosen, *others = open_
    joining, room = set[int](), LARGEST - sizes[chosen] - 1
    for cluster in others:
        if sizes[cluster] <= room:
            room -= sizes[cluster]
            joining.add(cluster)
    return chosen, joining


def _leave(recording: Recording, item: MediaItem, cluster: int | None) -> None:
    """``item`` got another picture and is not alike any more: those who stay are told.
    All of them, for which walls they are on is not known here."""
    rest = MediaItem.objects.filter(cluster_id=cluster).order_by("-pk")
    _move(recording, _locked(item, rest), cluster)


def _make_room(recording: Recording, item: MediaItem) -> None:
    """``item`` is to be alone, and others may have its number: they get another."""
    rest = MediaItem.objects.filter(cluster_id=item.pk).exclude(pk=item.pk)
    first = rest.order_by("pk").values_list("pk", flat=True).first()
    if first is not None:
        _move(recording, _locked(item, rest), first)


def _locked(item: MediaItem, rows: QuerySet[MediaItem]) -> list[MediaItem]:
    """``rows`` without ``item``, which is locked and changed by the caller."""
    # Items are locked before authors, and this author is locked already: to wait here
    # could be to wait for somebody who waits for us.
    keys = [pk for pk in rows.values_list("pk", flat=True) if pk != item.pk]
    if not keys:
        return []
    return list(
        MediaItem.objects.filter(pk__in=keys)
        .order_by("native_id")
        .select_for_update(no_key=True, nowait=True)
    )


def _move(recording: Recording, items: list[MediaItem], cluster: int | None) -> None:
    """Give them that cluster and tell it; one statement, however many they are."""
    now = timezone.now()
    for item in items:
        item.revision += 1
        item.changed_at = now
        item.cluster_id = cluster
        recording.add(item, JournalKind.CHANGED, detail={"cluster": cluster})
    set_wise.update(
        MediaItem,
        ("id", "revision", "changed_at", "cluster_id"),
        [(item.pk, item.revision, now, cluster) for item in items],
    )
