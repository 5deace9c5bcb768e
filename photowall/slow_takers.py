"""Answers that are taken slowly: no more of them is made than there is room for.

Daphne writes what an application sends into the connection's buffer, and the buffer has
no end: a film that a phone takes in ten minutes would lie in memory whole. Here an
application that sends in pieces waits until the other side has taken the last one.

Who takes nothing for as long as a request may last is cut off, and what was made for it
is thrown away: to close in the usual way would wait until all of it was taken.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from daphne.http_protocol import WebRequest


class Pace:
    """What Twisted tells of a connection's buffer (its ``IPushProducer``)."""

    def __init__(self) -> None:
        self._room = asyncio.Event()
        self._room.set()
        self.moved_at = time.monotonic()
        """When the other side last took something."""

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The buffer is full."""
        self._room.clear()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """All of it was taken."""
        self._room.set()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Nobody takes it any more."""
        self._room.set()

    @property
    def is_full(self) -> bool:
        """Whether the buffer waits for the other side."""
        return not self._room.is_set()

    async def room(self) -> None:
        """Returns when there is room, or nobody is there any more."""
        await self._room.wait()
        self.moved_at = time.monotonic()


class PacedRequest(WebRequest):
    """A request whose answer goes out as fast as it is taken."""

    pace: Pace | None = None

    def handle_reply(self, message: dict[str, Any]) -> None:
        """One message of the application's answer."""
        is_piece = message["type"] == "http.response.body" and message.get("more_body")
        if is_piece and self.pace is None and self.channel is not None:
            self.pace = Pace()
            self.registerProducer(self.pace, streaming=True)
        super().handle_reply(message)

    def finish(self) -> None:
        """The answer is complete, or given up."""
        channel = self.channel
        self._let_go()
        super().finish()
        if not getattr(channel, "persistent", True):
            # Twisted closes it once the rest is taken. Only a connection that is kept
            # has a limit for that; without one this would be for good.
            channel.setTimeout(self.server.http_timeout or None)

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        """The other side has hung up."""
        self._let_go()
        super().connectionLost(reason)

    def check_timeouts(self) -> None:
        """An answer that is being taken has all the time it needs."""
        limit, pace = self.server.http_timeout, self.pace
        if not limit or (pace and time.monotonic() - pace.moved_at < limit):
            return
        if pace and pace.is_full and self.channel is not None:
            self.channel.forceAbortClient()
        else:
            super().check_timeouts()

    def _let_go(self) -> None:
        if self.pace is not None:
            self.pace.stopProducing()
            if self.producer is not None:
                self.unregisterProducer()
