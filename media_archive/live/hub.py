"""One hub per process: reads the journal once for all its viewers.

On a hint, or a slow tick when hints are lost, it reads the new entries from its own
cursor, encodes each frame once and hands it to the audiences of the item's tags.
It lives as long as somebody looks.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.db import DatabaseError

from media_archive import journal, walls
from media_archive.live import frames, hints
from media_archive.live.audience import Audience
from media_archive.live.frames import Batch, Frame, batches_of
from media_archive.live.viewers import Viewer

logger = logging.getLogger(__name__)
TICK = 2.0
"""Seconds after which the journal is looked at without a hint."""

CHUNK = 100
"""Entries read at once: one message for the viewers of a busy tag."""

Replay = list[Batch] | None
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some of the journal: it reaches to ``last``. ``whole`` is False when the
    journal is not the one that was read so far (numbers are missing, or it ends
    before our cursor): it was restored or set up afresh."""

    last: int
    whole: bool
    told: dict[str, list[Frame]]


class Hub:
    """The journal's reader in this process and running loop."""

    current: ClassVar[Hub | None] = None

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.cursor = 0
        self.audiences: dict[str, Audience] = {}
        self._heard = asyncio.Event()
        self._reading = asyncio.Lock()
        self._listening = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._replays: dict[tuple[str, int, int], asyncio.Task[Replay]] = {}
        self._failing = False

    async def join(self, viewer: Viewer, since: int | None) -> None:
        """Greet ``viewer``, replay what came after ``since`` (None: nothing), then
        send what happens. Raises ``DatabaseError`` when the journal cannot be read.
        """
        upto = await self._register(viewer, since)
        viewer.say(frames.hello(upto))
        await self._catch_up(viewer, since, upto)

    async def resume(self, viewer: Viewer, since: int) -> None:
        """The same for a viewer that is here already."""
        viewer.acknowledge(since)
        upto = await self._register(viewer, since)
        await self._catch_up(viewer, since, upto)

    def leave(self, viewer: Viewer) -> None:
        """Forget ``viewer``; the last one turns out the light."""
        audience = self.audiences.get(viewer.tag)
        if audience is None:
            return
        audience.viewers.pop(viewer, None)
        if not audience.viewers:
            audience.stop()
            del self.audiences[viewer.tag]
        if not self.audiences:
            self._stop()

    def ping(self, viewer: Viewer) -> None:
        """Ask ``viewer`` for a sign of life and tell it how far it has come."""
        audience = self.audiences.get(viewer.tag)
        hears = audience is not None and viewer in audience.viewers
        if hears and viewer.is_live and audience is not None and audience.has_all:
            viewer.cursor = max(viewer.cursor, self.cursor)
        viewer.ping(viewer.cursor)

    def hear(self, seq: int) -> None:
        """A hint: the journal is at ``seq``."""
        if seq > self.cursor:
            self._heard.set()

    async def _register(self, viewer: Viewer, since: int | None) -> int:
        """Put ``viewer`` into its audience, unless it was closed meanwhile; the
        number up to which it will not be told by the audience. No reading is under
        way at that moment, so the audience tells it everything later."""
        async with self._reading:
            if not self._tasks:
                self.cursor = await _in_thread(journal.head)
            elif since is not None and since > self.cursor:
                # It knows more than we do: a snapshot was faster than the hint.
                await self._read_on()
            if viewer.closed:
                return self.cursor
            if not self._tasks:
                # It is the first, or all others left while the journal was read.
                self._start()
            audience = self.audiences.get(viewer.tag)
            if audience is None:
                audience = self.audiences[viewer.tag] = Audience(viewer.tag)
            viewer.begin_joining()
            audience.viewers[viewer] = None
            return self.cursor

    async def _catch_up(self, viewer: Viewer, since: int | None, upto: int) -> None:
        replayed: Replay = []
        if since is not None:
            stretch = (viewer.tag, since, upto)
            replayed = await self._replay(stretch) if since <= upto else None
        if not viewer.is_joining:
            return  # closed meanwhile, or sent away: the journal was replaced
        if replayed is None:
            self._send_away(viewer, upto)
        else:
            viewer.joined(replayed, upto)

    async def _replay(self, stretch: tuple[str, int, int]) -> Replay:
        """Messages of one stretch of the journal. Viewers that come back together,
        after the server or the network was away, share one look at the database."""
        task = self._replays.get(stretch)
        if task is None:
            task = asyncio.ensure_future(_in_thread(_replayed, *stretch))
            self._replays[stretch] = task
            task.add_done_callback(lambda _: self._replays.pop(stretch, None))
        return await asyncio.shield(task)

    def _send_away(self, viewer: Viewer, cursor: int) -> None:
        viewer.send_away(cursor)
        self.leave(viewer)

    def _start(self) -> None:
        self._tasks = [
            asyncio.ensure_future(self._run()),
            asyncio.ensure_future(self._listen()),
        ]

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    async def _listen(self) -> None:
        # After the one before: its good-bye closes the connection they would share.
        async with self._listening:
            await hints.listen(self.hear)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._heard.wait()
            self._heard.clear()
            try:
                async with self._reading:
                    await self._read_on()
            except DatabaseError as error:
                if not self._failing:
                    logger.warning("The journal cannot be read: %s", error)
                self._failing = True
            except Exception:
                # A bug; the hub outlives it and tries the same entries again.
                if not self._failing:
                    logger.exception("The journal cannot be told")
                self._failing = True
            else:
                self._failing = False

    async def _read_on(self) -> None:
        """Read to the end of the journal and hand over what it says."""
        while True:
            chunk = await _in_thread(_read_chunk, self.cursor, set(self.audiences))
            if not chunk.whole:
                self._start_over(chunk.last)
                return
            if chunk.last == self.cursor:
                return
            self.cursor = chunk.last
            for tag, told in chunk.told.items():
                if told and tag in self.audiences:
                    self.audiences[tag].push(told)
            for audience in list(self.audiences.values()):
                await audience.room()

    def _start_over(self, cursor: int) -> None:
        logger.error(
            "The journal was read up to %d and goes on at %d: it is another one. "
            "All viewers reload.",
            self.cursor,
            cursor,
        )
        self.cursor = cursor
        for audience in list(self.audiences.values()):
            audience.pending.clear()
            for viewer in list(audience.viewers):
                viewer.send_away(cursor)
                audience.viewers.pop(viewer, None)


def _replayed(tag: str, since: int, upto: int) -> Replay:
    told = walls.replay(tag, since, upto)
    return None if told is None else batches_of(told)


def _read_chunk(cursor: int, tags: set[str]) -> Chunk:
    entries = journal.read(cursor, CHUNK)
    if not entries:
        head = journal.head()
        # A larger head was committed since; the next look finds its entries.
        return Chunk(min(head, cursor), head >= cursor, {})
    expected = range(cursor + 1, cursor + 1 + len(entries))
    if [entry.seq for entry in entries] != list(expected):
        return Chunk(journal.head(), False, {})
    return Chunk(entries[-1].seq, True, walls.frames(entries, tags))


async def _in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    # Not thread-sensitive: a slow view must not hold up the wall.
    call = database_sync_to_async(function, thread_sensitive=False)
    return await call(*args, **kwargs)


def current_hub() -> Hub:
    """The hub of this process, made for the running loop when first asked."""
    hub = Hub.current
    if hub is None or hub.loop is not asyncio.get_running_loop():
        hub = Hub.current = Hub()
    return hub


def tell(seq: int) -> None:
    """Give the hint to this process' own hub, from any thread."""
    hub = Hub.current
    # RuntimeError: its loop was closed meanwhile, so nobody is looking.
    with contextlib.suppress(RuntimeError):
        if hub is not None:
            hub.loop.call_soon_threadsafe(hub.hear, seq)
