"""``store()``: insert or update media items by (provider, native id).

A page of records is written by a few statements, whatever its size. What is
already stored with the same content hash writes nothing and journals nothing.

Two workers may store the same post at once. Rows are locked in one order, so that
they wait and do not deadlock. Whose post it was is told by the insert, which returns
only its own rows; what has changed is decided under the rows' locks.

What was erased for good has a tombstone and is not stored again. Tombstones are looked
at once more after the insert: it waits for whoever is erasing the same post, and their
tombstone is there when it goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from media_archive import item_rows, names, tombstones
from media_archive import rows_of_records as rows
from media_archive.journal import Recording
from media_archive.models import JournalKind
from media_archive.records import IncomingMedia
from media_archive.rows_of_records import Held


@dataclass
class StoreResult:
    """Primary keys of the media items of one ``store()``, by what happened."""

    new: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)
    refused: int = 0
    entombed: list[str] = field(default_factory=list)
    """Native ids of posts that were erased for good: nothing of them is stored."""

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
    counted as refused and costs its neighbours nothing. An item with nothing new but
    the signatures of its addresses is unchanged; if a picture of it waits for a new
    address, it has one then.
    """
    usable = [r for r in reversed(records) if rows.usable_id(r.native_id)]
    result = StoreResult(refused=len(records) - len(usable))
    incoming = {record.native_id: record for record in usable}
    if not incoming:
        return result
    hashes = {key: rows.content_hash(record) for key, record in incoming.items()}
    seen = item_rows.see(provider, incoming, listed_under)
    buried = tombstones.entombed(provider, [k for k in incoming if k not in seen])
    news = [
        key
        for key in incoming
        if (key not in seen and key not in buried)
        or (key in seen and _has_news(seen[key], hashes[key]))
    ]
    held = item_rows.hold(provider, [key for key in news if key in seen])
    page = _Page(provider, incoming, hashes, held)
    page.needing = {key for key in news if key in seen and seen[key].needs_address}
    if news:
        page.write(recording, news, listed_under)
    buried |= page.entombed
    for key in incoming:
        if key in buried:
            result.entombed.append(key)
        elif key in page.new:
            result.new.append(page.new[key])
        elif key in page.changed or key in page.joined:
            result.changed.append(page.held[key].pk)
        else:
            result.unchanged.append((page.held.get(key) or seen[key]).pk)
    return result


def _has_news(seen: item_rows.Seen, digest: str) -> bool:
    differs = not seen.is_listed or seen.content_hash != digest
    return differs or seen.needs_address


def remap(
    recording: Recording, provider: str, records: Sequence[IncomingMedia]
) -> StoreResult:
    """Bring stored items up to ``records``, read anew from their own raw documents.

    What differs is journalled as changed, with the detail ``remapped``. The raw
    document and the time it was received stay. So do an author's names where a
    newer document has told them; only what is not known is filled in then. The rows
    must be locked (``hold``) before the documents are read: a newer word of the
    provider may arrive meanwhile. What is not stored is left out.
    """
    incoming = {record.native_id: record for record in records}
    hashes = {key: rows.content_hash(record) for key, record in incoming.items()}
    held = item_rows.hold(provider, incoming)
    page = _Page(provider, incoming, hashes, held, remaps=True)
    page.write(recording, [key for key in incoming if key in held], None)
    written = {*page.changed, *page.joined}
    return StoreResult(
        changed=[held[key].pk for key in incoming if key in written],
        unchanged=[held[k].pk for k in incoming if k in held and k not in written],
    )


@dataclass
class _Page:
    """What becomes of a page's records, by native id."""

    provider: str
    records: Mapping[str, IncomingMedia]
    hashes: Mapping[str, str]
    held: dict[str, Held]
    """Stored items whose rows are locked."""
    remaps: bool = False
    """The records were read from the stored raw documents: nothing new was told."""
    now: datetime = field(default_factory=timezone.now)
    new: dict[str, int] = field(default_factory=dict)
    """Primary keys of those that this transaction has inserted."""
    changed: list[str] = field(default_factory=list)
    needing: set[str] = field(default_factory=set)
    """Those that wait for a new address, whatever else is new."""
    joined: set[str] = field(default_factory=set)
    """Stored items that some tag did not list yet."""
    entombed: set[str] = field(default_factory=set)
    """What was erased for good while this transaction was under way."""

    def write(
        self, recording: Recording, news: Sequence[str], listed_under: str | None
    ) -> None:
        """Bring the rows of ``news`` (oldest first) up to date, and note it."""
        tags = {key: names.tags_of(self.records[key], listed_under) for key in news}
        tag_ids = names.tag_ids({tag for given in tags.values() for tag in given})
        authors = self._authors(
            [
                key
                for key in news
                if key not in self.held or key in self.needing or self._differs(key)
            ]
        )
        self._insert([key for key in news if key not in self.held], authors)
        listed = item_rows.listed(
            [held.pk for held in self.held.values()], tag_ids.values()
        )
        self.changed = [k for k in news if k in self.held and self._differs(k)]
        self.joined = {
            key
            for key, held in self.held.items()
            if any((held.pk, tag_ids[tag]) not in listed for tag in tags[key])
        }
        self._change(authors)
        for key in news:
            if not self._note(recording, key):
                continue
            pk, dated_at = self._place(key)
            for tag, given in tags[key].items():
                if (pk, tag_ids[tag]) not in listed:
                    recording.list_under(pk, tag_ids[tag], dated_at, given=given)

    def _authors(self, keys: Sequence[str]) -> dict[str, int]:
        said = {k: a for k in keys if (a := self.records[k].author) is not None}
        last = item_rows.told_last(self.provider, said) if self.remaps else None
        return names.author_ids(
            self.provider,
            said.values(),
            older={
                author.native_id
                for key, author in said.items()
                if last is not None and last.get(key) != author.native_id
            },
        )

    def _insert(self, missing: list[str], authors: Mapping[str, int]) -> None:
        while missing:
            self.new |= item_rows.insert(
                [
                    rows.new_item(
                        self.provider,
                        self.records[key],
                        self.hashes[key],
                        self._author(key, authors),
                        self.now,
                    )
                    for key in missing
                ]
            )
            # What another worker has stored since we looked is not new. Again, if it
            # was also deleted since.
            late = [key for key in missing if key not in self.new]
            self.held |= item_rows.hold(self.provider, late)
            missing = [key for key in late if key not in self.held]
        self._bury()
        records = {pk: self.records[key] for key, pk in self.new.items()}
        item_rows.write_raw(records, self.now)
        item_rows.write_assets(records)

    def _bury(self) -> None:
        """Take back what was erased since this transaction looked."""
        self.entombed = tombstones.entombed(self.provider, self.new)
        if self.entombed:
            item_rows.take_back([self.new.pop(key) for key in self.entombed])

    def _change(self, authors: Mapping[str, int]) -> None:
        item_rows.change(
            [
                rows.changed_item(
                    self.held[key],
                    self.records[key],
                    self.hashes[key],
                    self._author(key, authors),
                    self.now,
                )
                for key in self.changed
            ]
        )
        told = [*self.changed, *self.needing.difference(self.changed)]
        records = {
            self.held[key].pk: self.records[key] for key in told if key in self.held
        }
        if not self.remaps:
            item_rows.write_raw(records, self.now)
        item_rows.change_assets(records)
        only_joined = self.joined.difference(self.changed)
        item_rows.touch([self.held[key].pk for key in only_joined], self.now)

    def _note(self, recording: Recording, key: str) -> bool:
        """Journal what happened to the item; False if nothing did."""
        if key in self.new:
            recording.note(self.new[key], 1, JournalKind.ARCHIVED, self.now)
        elif key in self.joined or key in self.changed:
            held = self.held[key]
            detail = {"remapped": True} if self.remaps else {}
            recording.note(
                held.pk, held.revision + 1, JournalKind.CHANGED, self.now, detail=detail
            )
        else:
            return False
        return True

    def _place(self, key: str) -> tuple[int, datetime]:
        """Primary key, and the time by which lists are sorted."""
        if key in self.new:
            return self.new[key], rows.dated_at(self.records[key], self.now)
        return self.held[key].pk, self.held[key].dated_at

    def _differs(self, key: str) -> bool:
        return self.held[key].content_hash != self.hashes[key]

    def _author(self, key: str, authors: Mapping[str, int]) -> int | None:
        said = self.records[key].author
        return authors.get(said.native_id) if said is not None else None
