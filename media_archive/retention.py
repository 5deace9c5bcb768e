"""``purge()``: media items are erased for good, and never come back.

What goes: the item with its raw document, its assets, their downloads, what it is
listed under, authors of whom nothing is left, and files that nothing else shows. What
stays: a tombstone with our number of the item, the time, the person and their reason,
and the journal's entries, which hold no word of the post.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef

from media_archive import discarding, journal
from media_archive.journal import Recording
from media_archive.models import (
    Author,
    Download,
    JournalKind,
    MediaAsset,
    MediaItem,
    Tombstone,
)
from media_archive.signals import media_items_purging

logger = logging.getLogger(__name__)

AT_ONCE = 100
"""Items of one transaction. Everybody who writes the journal waits for its end only."""


@dataclass
class _Erased:
    """What one transaction has erased."""

    items: int = 0
    authors: set[int] = field(default_factory=set)
    files: set[int] = field(default_factory=set)


def purge(
    ids: Iterable[int],
    *,
    actor: str,
    reason: str,
    still: Callable[[Collection[int]], Collection[int]] = lambda ids: ids,
    told: Callable[[int], None] = lambda _count: None,
    remove: bool = True,
) -> int:
    """Erase the items for good, in portions; how many were.

    Safe to do again, at once, and after it was killed: whatever is gone counts for
    nothing. ``still`` says which of a portion shall go, once their rows are locked:
    what happened meanwhile may have saved them. ``told`` hears of each portion. With
    ``remove=False`` no file goes from the store yet: the files wait in the list of
    what is discarded, which is part of the database.
    """
    erased = 0
    for some in _portions(ids):
        done = journal.recorded(partial(_purge, some, actor, reason, still))
        clear_up(done.authors, done.files, remove=remove)
        erased += done.items
        told(done.items)
    return erased


def clear_up(
    authors: Collection[int], files: Collection[int], *, remove: bool = True
) -> None:
    """Erase of these authors and files what belongs to nothing any more. What is not
    done here the sweep does later (``media_archive.orphans``)."""
    try:
        files = {*files, *drop_authors(authors)}
        names = discarding.drop(files)
    except OperationalError as error:
        logger.warning("Authors and files are cleared up later: %s", error)
        return
    if remove:
        discarding.remove(names)


def drop_authors(pks: Collection[int]) -> set[int]:
    """Erase those authors of whom no item is left; the files that they had."""
    if not pks:
        return set()
    with transaction.atomic():
        # In the order of a page that is being stored, and after its transaction: it
        # holds the authors whom its posts name.
        rows = Author.objects.filter(pk__in=pks).order_by("provider", "native_id")
        held = list(rows.select_for_update().values_list("pk", flat=True))
        left = MediaItem.objects.filter(author=OuterRef("pk"))
        gone = list(
            Author.objects.filter(~Exists(left), pk__in=held).values_list(
                "pk", "avatar"
            )
        )
        keys = [pk for pk, _ in gone]
        brought = Download.objects.filter(author_id__in=keys, file__isnull=False)
        files = {*brought.values_list("file_id", flat=True)}
        Author.objects.filter(pk__in=keys).delete()
    avatars: set[int | None] = {avatar for _, avatar in gone}
    return {pk for pk in (*files, *avatars) if pk is not None}


def _purge(
    ids: list[int],
    actor: str,
    reason: str,
    still: Callable[[Collection[int]], Collection[int]],
    recording: Recording,
) -> _Erased:
    rows = MediaItem.objects.filter(pk__in=ids).order_by("native_id")
    held = {item.pk: item for item in rows.select_for_update()}
    doomed = {pk: held[pk] for pk in still(list(held)) if pk in held}
    if not doomed:
        return _Erased()
    keys = {
        pk: Tombstone.key_of(item.provider, item.native_id)
        for pk, item in doomed.items()
    }
    stones = [
        Tombstone(
            key=keys[pk],
            provider=item.provider,
            item_id=pk,
            actor=actor[:150],
            reason=reason[:300],
        )
        for pk, item in doomed.items()
    ]
    Tombstone.objects.bulk_create(stones, ignore_conflicts=True)
    media_items_purging.send(MediaItem, keys=keys)
    erased = _Erased(
        items=len(doomed),
        authors={i.author_id for i in doomed.values() if i.author_id is not None},
        files=_files_of(doomed),
    )
    MediaItem.objects.filter(pk__in=doomed).delete()
    for item in doomed.values():
        item.revision += 1
        # Walls show the next of its near-identical shots.
        detail = {"cluster": item.cluster_id} if item.cluster_id is not None else {}
        recording.add(item, JournalKind.PURGED, actor=actor[:150], detail=detail)
    return erased


def _files_of(ids: Collection[int]) -> set[int]:
    shown = MediaAsset.objects.filter(item_id__in=ids).values_list("picture", "film")
    brought = Download.objects.filter(asset__item_id__in=ids).values_list("file")
    found: set[int | None] = {pk for row in [*shown, *brought] for pk in row}
    return {pk for pk in found if pk is not None}


def _portions(ids: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(ids)
    while some := list(islice(rest, AT_ONCE)):
        yield some
