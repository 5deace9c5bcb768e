"""What a wall of one tag shows, and what a journal entry means to its viewers."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Exists, OuterRef, Q

from media_archive import journal
from media_archive.live import tiles
from media_archive.live.frames import PINS, REMOVALS, Frame, frame_of
from media_archive.live.posts import post_of
from media_archive.live.tiles import Fold, Tile
from media_archive.models import (
    DownloadState,
    JournalEntry,
    JournalKind,
    MediaAsset,
    MediaItem,
    MediaTag,
    Tag,
    Visibility,
)
from media_archive.records import Kind

SNAPSHOT_POSTS = 24
MOST_REPLAYED = 200
"""Frames of a tag that are replayed; more is a ``reload``."""

MOST_ENTRIES = 2 * MOST_REPLAYED
"""Entries of a tag that are looked at for it: a post has two, archived and pictured."""

LONGEST_GAP = 20_000
"""Journal entries, of all tags, that are searched for a tag's."""

COUNTS_KEPT = 5.0
"""Seconds that counts are kept at least; slow counts are kept longer."""

Notice = Callable[[str], str | None]
"""Tag (in its normal form) → a sentence for the audience, or nothing to say."""

_notices: list[Notice] = []


def add_notice(notice: Notice) -> None:
    """Have ``notice`` asked for every wall: the floors above know more of a tag."""
    if notice not in _notices:
        _notices.append(notice)


def notice_of(tag: str) -> str | None:
    """Why no photos come to the wall of ``tag``, for its audience; mostly ``None``."""
    return next((text for notice in _notices if (text := notice(tag))), None)


def snapshot(tag: str, limit: int = SNAPSHOT_POSTS) -> dict[str, Any]:
    """The wall of ``tag`` (in its normal form) now, and the cursor to go on from.

    The cursor is read before the items: what happens in between is told twice
    rather than never.
    """
    cursor = journal.head()
    posts = [post_of(tile.face, tile.more) for tile in tiles.newest(tag, limit)]
    said = {"cursor": cursor, "tag": tag, **counts(tag, shown=True)}
    said["notice"] = notice_of(tag)
    return {**said, "posts": posts}


def is_known(tag: str) -> bool:
    """Whether the archive has ever heard of ``tag``."""
    return Tag.objects.filter(name=tag).exists()


def counts(tag: str, *, shown: bool = False) -> dict[str, int]:
    """How many visible posts ``tag`` has (``count``) and of how many ``people``.
    ``shown``: on its wall, without those whose picture is still on its way.

    A few seconds old at most, or twenty times as long as counting took: a very
    large tag never costs more than a twentieth of one core.
    """
    tag_id = Tag.objects.filter(name=tag).values_list("id", flat=True).first()
    if tag_id is None:
        return {"count": 0, "people": 0}
    key = f"wall-counts-{tag_id}-{shown:d}"
    known: dict[str, int] | None = cache.get(key)
    if known is not None:
        return known
    began = time.monotonic()
    rows = MediaTag.objects.filter(tag_id=tag_id, item__visibility=Visibility.VISIBLE)
    if shown:
        waiting = MediaAsset.objects.filter(
            item=OuterRef("item"), position=0, state=DownloadState.PENDING
        )
        rows = rows.filter(Q(item__kind=Kind.TEXT) | ~Exists(waiting))
    counted = rows.aggregate(
        count=Count("id"), people=Count("item__author", distinct=True)
    )
    cache.set(key, counted, max(COUNTS_KEPT, 20 * (time.monotonic() - began)))
    return counted


def entries(
    tag: str, since: int, limit: int, upto: int | None = None
) -> list[JournalEntry]:
    """The oldest ``limit`` entries after ``since`` (and up to ``upto``) that
    concern viewers of ``tag``, removals of what is purged by now included."""
    listed = MediaTag.objects.filter(item_id=OuterRef("item_id"), tag__name=tag)
    there = MediaItem.objects.filter(pk=OuterRef("item_id"))
    found = JournalEntry.objects.filter(
        Exists(listed) | (Q(kind__in=REMOVALS) & ~Exists(there)), seq__gt=since
    )
    if upto is not None:
        found = found.filter(seq__lte=upto)
    return list(found.order_by("seq")[:limit])


def replay(tag: str, since: int, upto: int) -> list[Frame] | None:
    """Frames of what happened after ``since`` up to ``upto``; None if that is too
    much to replay."""
    if upto <= since:
        return []
    if upto - since > LONGEST_GAP:
        return None
    found = entries(tag, since, MOST_ENTRIES + 1, upto)
    if len(found) > MOST_ENTRIES:
        return None
    told = frames(found, {tag})[tag]
    return told if len(told) <= MOST_REPLAYED else None


def frames(
    entries: Sequence[JournalEntry], tags: Collection[str]
) -> dict[str, list[Frame]]:
    """For each of ``tags``, what its viewers see of ``entries``, in order.

    A few queries, however many entries. Only items of these tags are loaded. Of
    several changes of one item the last is told: they carry the same post. What is
    told of an item with near-identical shots is their tile, as it is now.
    """
    told: dict[str, list[Frame]] = {tag: [] for tag in tags}
    ids = {entry.item_id for entry in entries}
    joined: dict[int, dict[str, int]] = {}
    clusters = {e.item_id: e.detail.get("cluster") for e in entries}
    for item_id, tag, seq, cluster in MediaTag.objects.filter(
        item_id__in=ids, tag__name__in=tags
    ).values_list("item_id", "tag__name", "seq", "item__cluster_id"):
        joined.setdefault(item_id, {})[tag] = seq
        clusters[item_id] = cluster
    folds = tiles.folds({c for c in clusters.values() if c is not None}, tags)
    faces = {fold.face for fold in folds.values()}
    items = MediaItem.objects.whole().in_bulk([*joined.keys() | faces])
    pictured = _pictured(list(joined))
    superseded = _superseded(entries)
    gone = _gone({e.item_id for e in entries if e.kind in REMOVALS} - joined.keys())
    for entry in entries:
        item = items.get(entry.item_id)
        made: dict[tuple[bool, Fold | None], Frame | None] = {}
        here = joined.get(entry.item_id, {})
        for tag in tags if entry.item_id in gone else here:
            seq = here.get(tag, 0)
            # Before it joined the tag, nothing of it concerns the tag's viewers.
            if entry.seq < seq and entry.kind not in REMOVALS:
                continue
            new_here = entry.seq == seq
            if entry.seq in superseded and not new_here:
                continue
            fold = folds.get((tag, clusters[entry.item_id] or 0))
            if (new_here, fold) not in made:
                made[new_here, fold] = frame_of(
                    entry,
                    item,
                    new_here=new_here,
                    pictured=pictured.get(entry.item_id),
                    tile=_tile(fold, items),
                )
            if (frame := made[new_here, fold]) is not None:
                told[tag].append(frame)
    return told


def _tile(fold: Fold | None, items: Mapping[int, MediaItem]) -> Tile | None:
    if fold is None or fold.face not in items:
        return None
    return Tile(items[fold.face], fold.more)


def _pictured(ids: Collection[int]) -> dict[int, int]:
    """Item → the number with which its first picture was settled for the first time:
    a person may have had it tried again since."""
    first: dict[int, int] = {}
    found = JournalEntry.objects.filter(kind=JournalKind.PICTURED, item_id__in=ids)
    for item_id, seq, detail in found.order_by("seq").values_list(
        "item_id", "seq", "detail"
    ):
        if detail.get("asset") == 0 and not detail.get("film"):
            first.setdefault(item_id, seq)
    return first


def _superseded(entries: Sequence[JournalEntry]) -> set[int]:
    """The numbers of changes that a later entry among these tells as well."""
    found: set[int] = set()
    later: set[int] = set()
    for entry in reversed(entries):
        changes = entry.kind == JournalKind.CHANGED or (
            entry.kind == JournalKind.PICTURED
            and (entry.detail.get("asset") != 0 or entry.detail.get("film"))
        )
        if changes and entry.item_id in later:
            found.add(entry.seq)
        elif entry.kind not in REMOVALS and entry.kind not in PINS:
            later.add(entry.item_id)
    return found


def _gone(ids: set[int]) -> set[int]:
    """Which of these items are purged: nobody knows their tags any more, so their
    removal is told to all."""
    if not ids:
        return set()
    kept = MediaItem.objects.filter(pk__in=ids).values_list("pk", flat=True)
    return ids - set(kept)
