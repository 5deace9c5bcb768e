"""Posts pictures: into the archive of this instance, whose facade then tells
everybody who follows.

The picture's file is written first and the row second: whoever hears of a post can
fetch its picture.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from threading import Event

from django.conf import settings
from django.db import DatabaseError, connection

from media_archive import ingest, journal
from media_archive.errors import PhotowallError
from media_archive.journal import Recording
from media_archive.models import JournalEntry, JournalKind, MediaItem
from media_archive.tags import normalise_tag
from photowall.facades.models import Endpoint, EndpointState
from photowall.sandbox.gallery import picture_path, seed_of
from photowall.sandbox.led import left_to_us
from photowall.sandbox.native_ids import NativeIds
from photowall.sandbox.pace import Pace
from photowall.sandbox.pictures import SIZES, shot_of
from photowall.sandbox.posts import PROVIDER, compose

logger = logging.getLogger(__name__)
BURST_PICTURES = 42
"""A burst goes through this many different pictures: it would otherwise wait for
the drawing."""
TRIES = 5
"""Ids asked for until one is new."""


@dataclass(frozen=True, slots=True)
class Published:
    """A post that is stored. ``time`` is the moment of posting in seconds since
    1970; ``seq`` its number in this instance's journal."""

    native_id: str
    tag: str
    time: float
    seq: int


class IdTaken(PhotowallError):
    """Another publisher has just used the same id; nothing was stored."""

    code = "id_taken"


class Publisher:
    """Posts one picture after the other.

    ``first`` is the number of its first post; without it, it goes on after all
    that are stored. The same number and tag make the same post.
    """

    def __init__(
        self, *, base_url: str | None = None, first: int | None = None
    ) -> None:
        self.base_url = (base_url or settings.PHOTOWALL_BASE_URL).rstrip("/")
        self.number = _stored() if first is None else first
        self._ids = NativeIds()

    def publish(
        self,
        tag: str,
        count: int = 1,
        every: float = 0,
        *,
        end: float = inf,
        alike: bool = False,
    ) -> Iterator[Published]:
        """Posts ``count`` pictures under ``tag``, ``every`` seconds apart (0 = a
        burst, as fast as they can be stored), yielding each when it is stored. None
        is begun when the monotonic clock has come to ``end``. If ``alike``, they are
        near-identical shots of one picture by one person.

        Raises ``InvalidTag``.
        """
        tag = normalise_tag(tag)
        burst = not every
        first = self.number
        pictures = [
            shot_of(seed_of(first), index)
            if alike
            else seed_of(first + (index % BURST_PICTURES if burst else index))
            for index in range(count)
        ]
        if burst:
            for picture in pictures[:BURST_PICTURES]:
                if time.monotonic() < end:
                    _draw(picture)
        due = time.monotonic()
        for picture in pictures:
            if max(due, time.monotonic()) >= end:
                return
            _draw(picture)
            time.sleep(max(0.0, due - time.monotonic()))
            due += every
            number = self.number
            self.number += 1
            yield self._post(tag, number, picture, first if alike else None)

    def run(self, every: float, stop: Event) -> None:
        """Posts every ``every`` seconds to each followed tag (as ``Pace`` bounds
        it), until ``stop`` is set. Not to a tag that is posted to by hand."""
        pace = Pace(every)
        try:
            while not stop.wait(pace.gap):
                try:
                    tag = pace.turn(left_to_us(followed_tags()), time.monotonic())
                    if tag is not None:
                        list(self.publish(tag))
                except (PhotowallError, DatabaseError, OSError):
                    # A full disk or a locked file today is no end of the show.
                    logger.exception("A picture could not be published")
        finally:
            connection.close()

    def _post(
        self, tag: str, number: int, picture: int, words_of: int | None
    ) -> Published:
        for _ in range(TRIES):
            try:
                return self._store(tag, number, picture, words_of)
            except IdTaken:
                continue
        raise IdTaken(f"No free id for a post after {TRIES} tries.")

    def _store(
        self, tag: str, number: int, picture: int, words_of: int | None
    ) -> Published:
        now = time.time()
        record = compose(
            number,
            tag,
            native_id=self._ids.next(now),
            posted_at=datetime.fromtimestamp(now, UTC),
            base_url=self.base_url,
            picture=picture,
            words_of=words_of,
        )

        def work(recording: Recording) -> int:
            result = ingest.store(recording, PROVIDER, [record], listed_under=tag)
            if not result.new:
                raise IdTaken(f"The id {record.native_id} is taken.")
            return result.new[0]

        item = journal.recorded(work)
        # It got its number after the work, with the commit.
        told = JournalEntry.objects.filter(item_id=item, kind=JournalKind.ARCHIVED)
        return Published(record.native_id, tag, now, told.get().seq)


def followed_tags() -> list[str]:
    """The tags somebody follows at this instance, in alphabetical order.

    A follower who does not answer at the moment still follows: what is posted
    meanwhile is what it must catch up on.
    """
    return sorted(
        set(
            Endpoint.objects.filter(
                object="tag",
                state__in=[EndpointState.ACTIVE, EndpointState.FAILING],
            ).values_list("object_id", flat=True)
        )
    )


def _draw(picture: int) -> None:
    for size in SIZES:
        picture_path(picture, size)


def _stored() -> int:
    return MediaItem.objects.filter(provider=PROVIDER).count()
