"""``remap()``: read stored raw documents again with today's mapping.

After a fix of a provider's wire, what was misread is put right from what was kept.
A page is first read without locks; only what differs is read again under its rows'
locks and written, so that a newer word that arrives meanwhile is never undone. What
the mapping reads as before writes nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db import DataError
from django.db.models import QuerySet

from media_archive import ingest, journal, rows_of_records
from media_archive.journal import Recording
from media_archive.models import MediaItem, RawDocument
from media_archive.records import IncomingMedia
from subscriptions.providers import get_provider

logger = logging.getLogger(__name__)

AT_ONCE = 100
"""Items read at once, and written in one transaction."""
EXAMPLES = 5
"""Items named for each reason why some were not read."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which items: all that fit everything that is not ``None``.

    ``since``: whose raw document was received then or later. ``after``: whose
    primary key is larger, that is what an earlier run has not come to.
    """

    provider: str | None = None
    tag: str | None = None
    since: datetime | None = None
    after: int = 0

    def documents(self) -> QuerySet[RawDocument]:
        """Their raw documents, by the primary key of the item."""
        found = RawDocument.objects.filter(item_id__gt=self.after)
        if self.provider is not None:
            found = found.filter(item__provider=self.provider)
        if self.tag is not None:
            found = found.filter(item__listings__tag__name=self.tag)
        if self.since is not None:
            found = found.filter(received_at__gte=self.since)
        return found.order_by("item_id")


@dataclass
class Remapped:
    """What became of the items; ``last`` is the primary key of the last one."""

    read: int = 0
    changed: int = 0
    unchanged: int = 0
    last: int = 0
    unreadable: dict[str, list[int]] = field(default_factory=dict)
    """Reason → primary keys."""

    @property
    def not_read(self) -> int:
        """How many stayed as they are because they could not be read."""
        return sum(map(len, self.unreadable.values()))


class Stored(NamedTuple):
    """An item with its raw document."""

    pk: int
    provider: str
    native_id: str
    content_hash: str
    document: str


class NotReadable(Exception):
    """The stored document cannot be read; the text is the reason."""


def remap(
    selection: Selection,
    *,
    dry_run: bool = False,
    told: Callable[[Remapped, int], None] = lambda _so_far, _count: None,
) -> Remapped:
    """Map the items of ``selection`` again, one page after the other, each committed
    by itself. Killed, it is begun again with ``after``, or from the start: what is
    done already is unchanged then.

    ``told`` is called after each page with the sums so far and the page's size.
    ``dry_run`` counts and writes nothing.
    """
    sums = Remapped(last=selection.after)
    documents = selection.documents()
    while page := _page(documents.filter(item_id__gt=sums.last)):
        _remap_page(page, sums, dry_run=dry_run)
        sums.last = page[-1].pk
        told(sums, len(page))
    return sums


def _page(documents: QuerySet[RawDocument]) -> list[Stored]:
    columns = ("item_id", *(f"item__{name}" for name in Stored._fields[1:4]))
    found = documents.values_list(*columns, "document")[:AT_ONCE]
    return [Stored(*row) for row in found]


def _remap_page(page: Sequence[Stored], sums: Remapped, *, dry_run: bool) -> None:
    differs: dict[str, list[int]] = {}
    for stored in page:
        sums.read += 1
        try:
            record = _read(stored)
        except NotReadable as error:
            sums.unreadable.setdefault(str(error), []).append(stored.pk)
            continue
        if rows_of_records.content_hash(record) == stored.content_hash:
            sums.unchanged += 1
        else:
            differs.setdefault(stored.provider, []).append(stored.pk)
    for provider, ids in differs.items():
        if dry_run:
            sums.changed += len(ids)
        else:
            _write_all(provider, ids, sums)


def _write_all(provider: str, ids: list[int], sums: Remapped) -> None:
    try:
        changed = journal.recorded(partial(_write, provider, ids))
    except (DataError, ValueError) as error:
        if len(ids) == 1:
            logger.warning("Item %s is not mapped again: %s", ids[0], error)
            reason = "the database does not take it"
            sums.unreadable.setdefault(reason, []).extend(ids)
            return
        # One item that the database does not take must not cost the others.
        for pk in ids:
            _write_all(provider, [pk], sums)
        return
    sums.changed += changed
    sums.unchanged += len(ids) - changed


def _write(provider: str, ids: list[int], recording: Recording) -> int:
    """How many have changed. What cannot be read any more was changed meanwhile."""
    locked = MediaItem.objects.filter(pk__in=ids).order_by("native_id")
    still = list(locked.select_for_update(no_key=True).values_list("pk", flat=True))
    records = []
    for stored in _page(RawDocument.objects.filter(item_id__in=still)):
        try:
            records.append(_read(stored))
        except NotReadable as error:
            logger.warning("Item %s is not mapped again: %s", stored.pk, error)
    return len(ingest.remap(recording, provider, records).changed)


def _read(stored: Stored) -> IncomingMedia:
    """Raises ``NotReadable``."""
    try:
        provider = get_provider(stored.provider)
    except KeyError as error:
        raise NotReadable(f"no provider is called {stored.provider}") from error
    try:
        document = json.loads(stored.document)
    except (ValueError, RecursionError) as error:
        raise NotReadable("the document is not JSON") from error
    try:
        record = provider.media_of(document)
    except Exception as error:  # a mapping under repair may raise anything
        name = type(error).__name__
        raise NotReadable(f"the mapping fails with {name}") from error
    if record is None:
        raise NotReadable("the mapping finds no post in the document")
    if record.native_id != stored.native_id:
        raise NotReadable("the mapping reads another id than the item's")
    return record
