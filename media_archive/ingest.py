"""``store()``: insert or update media items by (provider, native id).

A page of records is written by a few statements, whatever its size. What is
already stored with the same content hash writes nothing and journals nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from media_archive import rows_of_records as rows
from media_archive.errors import InvalidTag
from media_archive.journal import Recording
from media_archive.models import (
    Author,
    JournalEntry,
    JournalKind,
    MediaAsset,
    MediaItem,
    MediaTag,
    RawDocument,
    Tag,
)
from media_archive.records import IncomingMedia
from media_archive.tags import normalise_tag


@dataclass
class StoreResult:
    """Primary keys of the media items of one ``store()``, by what happened."""

    new: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)
    refused: int = 0

    @property
    def ids(self) -> list[int]:
        """All of them."""
        return [*self.new, *self.changed, *self.unchanged]


def store(
    recording: Recording,
    provider: str,
    records: Sequence[IncomingMedia],
    listed_under: str | None = None,
) -> StoreResult:
    """Store ``records`` (newest first, as a provider lists them) in the
    transaction of ``recording``, with their journal entries, oldest first.

    ``listed_under`` is the tag, in its normal form, whose listing they came from:
    they are listed under it even if their own tags do not name it. The same post
    twice in ``records`` counts once. A record whose native id no row can hold is
    counted as refused and costs its neighbours nothing.
    """
    incoming = {
        record.native_id: record
        for record in reversed(records)
        if rows.usable_id(record.native_id)
    }
    refused = sum(not rows.usable_id(record.native_id) for record in records)
    if not incoming:
        return StoreResult(refused=refused)
    now = timezone.now()
    hashes = {key: rows.content_hash(record) for key, record in incoming.items()}
    tag_ids = _tag_ids(incoming.values(), listed_under)
    items = _known(provider, incoming)
    authors = _authors(
        provider,
        [
            record
            for key, record in incoming.items()
            if key not in items or items[key].content_hash != hashes[key]
        ],
    )
    missing = {key: r for key, r in incoming.items() if key not in items}
    if missing:
        MediaItem.objects.bulk_create(
            [
                rows.new_item(
                    provider, record, hashes[key], _author(authors, record), now
                )
                for key, record in sorted(missing.items())
            ],
            ignore_conflicts=True,
        )
        # Another worker may have stored one of them between our two looks. Whose
        # it is, is told by the journal: its entry was committed with its item.
        items = _known(provider, incoming)
    journalled = _journalled([items[key].pk for key in missing])
    new = {key for key in missing if items[key].pk not in journalled}
    changed = {
        key
        for key, item in items.items()
        if key not in new and item.content_hash != hashes[key]
    }
    for key in changed:
        item, record = items[key], incoming[key]
        rows.change_item(item, record, hashes[key], _author(authors, record), now)
    joined = _unlisted(items, tag_ids, incoming, listed_under, new)
    for key in joined - changed - new:
        items[key].changed_at = now
    for key in (joined | changed) - new:
        items[key].revision += 1
    _write_changes([items[key] for key in sorted((joined | changed) - new)])
    _write_children(
        [(items[k], incoming[k]) for k in incoming if k in new or k in changed], now
    )
    result = StoreResult(refused=refused)
    for key, record in incoming.items():
        item = items[key]
        if key in new:
            recording.add(item, JournalKind.ARCHIVED)
            result.new.append(item.pk)
        elif key in changed or key in joined:
            recording.add(item, JournalKind.CHANGED)
            result.changed.append(item.pk)
        else:
            result.unchanged.append(item.pk)
            continue
        for tag, given in _tags_of(record, listed_under).items():
            recording.list_under(item, tag_ids[tag], given=given)
    return result


def _known(provider: str, native_ids: Iterable[str]) -> dict[str, MediaItem]:
    """The stored items, locked in one order so that two pages cannot deadlock."""
    found = (
        MediaItem.objects.filter(provider=provider, native_id__in=list(native_ids))
        .order_by("native_id")
        .select_for_update()
    )
    return {item.native_id: item for item in found}


def _journalled(ids: Sequence[int]) -> set[int]:
    if not ids:
        return set()
    return set(
        JournalEntry.objects.filter(
            item_id__in=ids, kind=JournalKind.ARCHIVED
        ).values_list("item_id", flat=True)
    )


def _tags_of(record: IncomingMedia, listed_under: str | None) -> dict[str, bool]:
    """Normal form → whether the post itself names it. What is no tag is left out:
    the raw document keeps it."""
    tags: dict[str, bool] = {}
    for text in record.tags:
        try:
            tags[normalise_tag(text)] = True
        except InvalidTag:
            continue
    if listed_under is not None:
        tags.setdefault(listed_under, False)
    return tags


def _tag_ids(
    records: Iterable[IncomingMedia], listed_under: str | None
) -> dict[str, int]:
    names = {tag for record in records for tag in _tags_of(record, listed_under)}
    found = dict(Tag.objects.filter(name__in=names).values_list("name", "id"))
    if missing := sorted(names - found.keys()):
        Tag.objects.bulk_create(
            [Tag(name=name) for name in missing], ignore_conflicts=True
        )
        found |= dict(Tag.objects.filter(name__in=missing).values_list("name", "id"))
    return found


def _authors(provider: str, records: Iterable[IncomingMedia]) -> dict[str, Author]:
    """The authors' rows, made or brought up to date; nothing known is blanked."""
    said = {
        record.author.native_id: record.author
        for record in records
        if record.author is not None and rows.usable_id(record.author.native_id)
    }
    known = {
        author.native_id: author
        for author in Author.objects.filter(provider=provider, native_id__in=said)
    }
    write = []
    for key, author in sorted(said.items()):
        row = known.get(key) or Author(provider=provider, native_id=key)
        if rows.update_author(row, author) or row.pk is None:
            write.append(row)
    if write:
        Author.objects.bulk_create(
            [rows.copy_of_author(row) for row in write],
            update_conflicts=True,
            unique_fields=["provider", "native_id"],
            update_fields=["username", "name", "avatar_url"],
        )
        known = {
            author.native_id: author
            for author in Author.objects.filter(provider=provider, native_id__in=said)
        }
    return known


def _author(authors: dict[str, Author], record: IncomingMedia) -> Author | None:
    if record.author is None:
        return None
    return authors.get(record.author.native_id)


def _unlisted(
    items: dict[str, MediaItem],
    tag_ids: dict[str, int],
    incoming: dict[str, IncomingMedia],
    listed_under: str | None,
    new: set[str],
) -> set[str]:
    """Native ids of known items that some tag does not list yet."""
    listed = set(
        MediaTag.objects.filter(
            item_id__in=[item.pk for key, item in items.items() if key not in new],
            tag_id__in=list(tag_ids.values()),
        ).values_list("item_id", "tag_id")
    )
    return {
        key
        for key, record in incoming.items()
        if key not in new
        and any(
            (items[key].pk, tag_ids[tag]) not in listed
            for tag in _tags_of(record, listed_under)
        )
    }


def _write_changes(items: Sequence[MediaItem]) -> None:
    if items:
        MediaItem.objects.bulk_update(items, rows.CHANGEABLE)


def _write_children(
    pairs: Sequence[tuple[MediaItem, IncomingMedia]], now: datetime
) -> None:
    if not pairs:
        return
    RawDocument.objects.bulk_create(
        [rows.raw_document(item, record, now) for item, record in pairs],
        update_conflicts=True,
        unique_fields=["item"],
        update_fields=["document", "received_at"],
    )
    assets = [a for item, record in pairs for a in rows.assets(item, record)]
    MediaAsset.objects.bulk_create(
        assets,
        update_conflicts=True,
        unique_fields=["item", "position"],
        update_fields=["kind", "alt_text", "sources"],
    )
    for item, record in pairs:
        if item.revision > 1:
            MediaAsset.objects.filter(
                item=item, position__gte=len(record.assets)
            ).delete()
