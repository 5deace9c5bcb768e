"""The live protocol's words in one place (``docs/reference/live-protocol.md``).

A journal entry becomes one frame, encoded once; the same text goes to every viewer.
Text is ASCII (other characters as ``\\uXXXX``): a server turns it into bytes by
copying, and no character of a caption can end a line or a script element.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from media_archive.live.posts import is_settled, post_of
from media_archive.live.tiles import Tile
from media_archive.models import JournalEntry, JournalKind, MediaItem, Visibility

HEARTBEAT = 25
"""Seconds between two pings."""

MOST_FRAMES = 100
MOST_CHARACTERS = 256 * 1024
"""Of one message; a single larger frame still travels alone."""

LATE = timedelta(hours=1)
"""A post whose picture came later than this is no news: it takes its place."""

REMOVALS = frozenset({JournalKind.HIDDEN, JournalKind.REMOVED, JournalKind.PURGED})
ARRIVALS = frozenset({JournalKind.ARCHIVED, JournalKind.SHOWN})
PINS = {JournalKind.PINNED: True, JournalKind.UNPINNED: False}


@dataclass(frozen=True, slots=True)
class Frame:
    """One encoded journal entry as the viewers of a tag see it."""

    seq: int
    item_id: int
    text: str
    removes: bool = False
    shows: int | None = None
    """The item whose post it carries: of near-identical shots the face."""

    def without(self, item_id: int) -> Frame | None:
        """What is left to tell when that item is not to be seen any more."""
        if self.item_id == item_id:
            return None
        if self.shows != item_id:
            return self
        # What its cluster shows now is told with the removal.
        return _removal(self.seq, self.item_id)


def frame_of(
    entry: JournalEntry,
    item: MediaItem | None,
    *,
    new_here: bool = False,
    pictured: int | None = None,
    tile: Tile | None = None,
) -> Frame | None:
    """What viewers see of ``entry``; None if nothing.

    ``item`` is the row as it is now, loaded with ``.whole()``, or None if it is
    gone. A removal is always told. Anything else only while the item is visible and
    its first picture settled: if it was hidden later, the entry of that follows.
    ``new_here``: with this entry the item joined the tag, so its viewers see it for
    the first time. ``pictured`` is the number with which the first picture was
    settled (None: it had none to wait for): with that entry the post appears, and
    nothing of it is told before. ``tile`` is what the viewers see now of the item's
    near-identical shots: its face is told in the item's place.
    """
    if entry.kind in REMOVALS:
        instead = tile if tile is not None and _is_shown(tile.face) else None
        return _removal(entry.seq, entry.item_id, instead)
    if item is None or not _is_shown(item):
        return None
    if pictured is not None and entry.seq < pictured:
        return None
    face, more = (tile.face, tile.more) if tile is not None else (item, 0)
    if not _is_shown(face):
        return None
    appears = entry.seq == pictured
    body: dict[str, Any]
    if entry.kind in PINS and not new_here and not more:
        pinned = PINS[JournalKind(entry.kind)]
        body = {"type": "pinned", "seq": entry.seq, "id": str(item.pk)}
        body["pinned"] = pinned
        return Frame(entry.seq, entry.item_id, encode(body))
    added = new_here or appears or entry.kind in ARRIVALS
    word = "added" if added else "changed"
    body = {"type": word, "seq": entry.seq, "post": post_of(face, more)}
    if face.pk != item.pk:
        body["folded"] = str(item.pk)
    if entry.detail.get("backfilled") or (
        appears and entry.at - item.archived_at > LATE
    ):
        body["past"] = True
    return Frame(entry.seq, entry.item_id, encode(body), shows=face.pk)


def _is_shown(item: MediaItem) -> bool:
    return item.visibility == Visibility.VISIBLE and is_settled(item)


def _removal(seq: int, item_id: int, instead: Tile | None = None) -> Frame:
    body: dict[str, Any] = {"type": "removed", "seq": seq, "id": str(item_id)}
    shows = None
    if instead is not None:
        body["instead"] = post_of(instead.face, instead.more)
        shows = instead.face.pk
    return Frame(seq, item_id, encode(body), removes=True, shows=shows)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some frames in order, and the message that carries them, encoded once."""

    frames: tuple[Frame, ...]
    text: str

    @property
    def first(self) -> int:
        return self.frames[0].seq

    @property
    def last(self) -> int:
        return self.frames[-1].seq

    def after(self, cursor: int) -> Batch | None:
        """What of it is newer than ``cursor``; itself when all of it is."""
        if cursor < self.first:
            return self
        rest = tuple(frame for frame in self.frames if frame.seq > cursor)
        return batch_of(rest) if rest else None


def batch_of(frames: tuple[Frame, ...]) -> Batch:
    """One message of ``frames`` (at least one)."""
    inside = ",".join(frame.text for frame in frames)
    text = f'{{"type":"frames","cursor":{frames[-1].seq},"frames":[{inside}]}}'
    return Batch(frames, text)


def how_many_fit(frames: Sequence[Frame]) -> int:
    """How many of ``frames`` one message may carry; at least one of any."""
    size = 0
    for count, frame in enumerate(frames[:MOST_FRAMES]):
        size += len(frame.text)
        if count and size > MOST_CHARACTERS:
            return count
    return min(len(frames), MOST_FRAMES)


def batches_of(frames: Sequence[Frame]) -> list[Batch]:
    """As few messages as the limits of one message allow, in order."""
    batches: list[Batch] = []
    while frames:
        count = how_many_fit(frames)
        batches.append(batch_of(tuple(frames[:count])))
        frames = frames[count:]
    return batches


def hello(cursor: int) -> str:
    """Sent once, first of all."""
    return encode({"type": "hello", "cursor": cursor, "heartbeat": HEARTBEAT})


def reload(cursor: int) -> str:
    """The gap is too large to replay: fetch the snapshot, then ``resume``."""
    return encode({"type": "reload", "cursor": cursor})


def ping(cursor: int) -> str:
    """The viewer has everything up to ``cursor`` and is asked to answer."""
    return encode({"type": "ping", "cursor": cursor})


def encode(value: Any) -> str:
    """Compact ASCII JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)
