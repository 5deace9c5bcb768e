"""One viewer: what it has, what it has not acknowledged yet, how it is reached.

A viewer is *joining* (what happens meanwhile is kept aside until the replay is
through), *live*, or *away* (told to reload, silent until it resumes).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from media_archive.live import frames
from media_archive.live.frames import Batch
from media_archive.live.sending import DirectSender, Send

MOST_UNACKED = 200
"""Messages; also of those kept aside while joining."""

MOST_UNACKED_SIZE = 1024 * 1024
"""Bytes."""

MOST_UNANSWERED = 2
"""Pings. A send is no sign of life: only an answer is."""

TOO_SLOW = 4408


class Freed(NamedTuple):
    """What an acknowledgement covered; ``size`` in bytes."""

    messages: int
    size: int


class Viewer:
    """A connection that looks at the wall of ``tag``.

    ``left`` is called once, when the viewer is closed or found gone.
    ``cursor`` is the number up to which it was sent everything that concerns it.
    """

    def __init__(self, tag: str, send: Send, left: Callable[[Viewer], None]) -> None:
        self.tag = tag
        self.cursor = 0
        self.closed = False
        self.aside: list[Batch] | None = None
        self.unanswered = 0
        self._left = left
        self._sender = DirectSender(send, self._gone)
        self._unacked: deque[tuple[int, int]] = deque()
        self._unacked_size = 0

    @property
    def is_live(self) -> bool:
        return self.aside is None and not self.closed

    @property
    def is_joining(self) -> bool:
        return self.aside is not None

    def say(self, text: str) -> None:
        """Send one message that needs no acknowledgement."""
        self._sender.send({"type": "websocket.send", "text": text})

    def take(self, batch: Batch) -> None:
        """Send what of ``batch`` is new to this viewer; close it if it is too slow."""
        if self.closed:
            return
        if self.aside is not None:
            self.aside.append(batch)
            if len(self.aside) > MOST_UNACKED:
                self.close(TOO_SLOW)
            return
        if (news := batch.after(self.cursor)) is not None:
            self._deliver(news.last, news.text)

    def begin_joining(self) -> None:
        """From now on keep aside what is taken."""
        self.aside = []

    def joined(self, replayed: Sequence[Batch], upto: int) -> None:
        """Send the replay, which reaches up to ``upto``, then what was kept aside."""
        aside, self.aside = self.aside or [], None
        for batch in replayed:
            if not self.closed:
                self._deliver(batch.last, batch.text)
        self.cursor = max(self.cursor, upto)
        for batch in aside:
            self.take(batch)

    def send_away(self, cursor: int) -> None:
        """Tell it to reload; it is silent until it resumes."""
        self.aside = None
        if not self.closed:
            self._deliver(cursor, frames.reload(cursor))

    def acknowledge(self, cursor: int) -> Freed:
        """It has everything up to ``cursor``; what that took off its account."""
        messages = size = 0
        while self._unacked and self._unacked[0][0] <= cursor:
            messages += 1
            size += self._unacked.popleft()[1]
        self._unacked_size -= size
        return Freed(messages, size)

    def ping(self, cursor: int) -> None:
        """Ask for a sign of life; close if the last ones were not answered."""
        if self.unanswered >= MOST_UNANSWERED:
            self.close(TOO_SLOW)
        elif not self.closed:
            self.unanswered += 1
            self.say(frames.ping(cursor))

    def close(self, code: int) -> None:
        """End the connection from our side."""
        if not self.closed:
            self._sender.close(code)
            self._gone()

    def abandon(self) -> None:
        """The connection has ended from the other side."""
        if not self.closed:
            self._sender.abandon()
            self._gone()

    def _deliver(self, cursor: int, text: str) -> None:
        size = self._unacked_size + len(text)
        full = len(self._unacked) >= MOST_UNACKED or size > MOST_UNACKED_SIZE
        if full and self._unacked:
            self.close(TOO_SLOW)
            return
        self._unacked.append((cursor, len(text)))
        self._unacked_size = size
        self.cursor = cursor
        self.say(text)

    def _gone(self) -> None:
        if not self.closed:
            self.closed = True
            self.aside = None
            self._unacked.clear()
            self._left(self)
