"""A screen as the tests have it: connects, takes messages in, keeps what it saw."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar
from urllib.parse import quote

from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator

from photowall.asgi import application
from tests.media_archive.live.held import LONG

T = TypeVar("T")
ORIGIN = [(b"origin", b"http://localhost")]
TAG = "nofilter"


class Line(WebsocketCommunicator):
    """A line that lets the application close its database connections. The one of
    Channels suppresses that, and the hub's would stay open after the test."""

    async def send_input(self, message: dict[str, Any]) -> None:
        await ApplicationCommunicator.send_input(self, message)

    async def receive_output(self, timeout: float = 1) -> dict[str, Any]:
        output: dict[str, Any] = await ApplicationCommunicator.receive_output(
            self, timeout
        )
        return output


class Screen:
    """One WebSocket to the wall of a tag."""

    def __init__(self, tag: str, since: object, headers: Any = None) -> None:
        query = "" if since is None else f"?since={since}"
        self.socket = Line(
            application,
            f"/ws/wall/{quote(tag)}/{query}",
            headers=ORIGIN if headers is None else headers,
        )
        # The communicator passes the path as given; a server passes it decoded.
        self.socket.scope["path"] = f"/ws/wall/{tag}/"
        self.seen: list[dict[str, Any]] = []
        self.cursor = 0

    async def next(self, timeout: float = LONG) -> dict[str, Any]:
        """The next message."""
        message: dict[str, Any] = json.loads(
            await self.socket.receive_from(timeout=timeout)
        )
        if message["type"] == "frames":
            self.seen += message["frames"]
            self.cursor = message["cursor"]
        return message

    async def until(self, seq: int, timeout: float = LONG) -> list[dict[str, Any]]:
        """Take messages in until ``seq`` was seen; all frames so far."""
        async with asyncio.timeout(timeout):
            while not self.seen or self.seen[-1]["seq"] < seq:
                await self.next(timeout)
        return self.seen

    async def say(self, **message: Any) -> None:
        await self.socket.send_to(text_data=json.dumps(message))

    async def closed_with(self, timeout: float = LONG) -> int:
        """Take messages in until the server closes; its code."""
        async with asyncio.timeout(timeout):
            while True:
                output = await self.socket.receive_output(timeout)
                if output["type"] == "websocket.close":
                    code: int = output["code"]
                    return code

    @property
    def seqs(self) -> list[int]:
        return [frame["seq"] for frame in self.seen]


@contextlib.asynccontextmanager
async def a_screen(
    tag: str = TAG, since: object = None, *, greeted: bool = True
) -> AsyncIterator[Screen]:
    """A connected screen, hello taken in."""
    screen = Screen(tag, since)
    connected, _ = await screen.socket.connect(timeout=LONG)
    assert connected
    try:
        if greeted:
            hello = await screen.next()
            assert hello["type"] == "hello"
            screen.cursor = hello["cursor"]
        yield screen
    finally:
        # A wait in vain has ended the application: that failure is the one to tell.
        if not screen.socket.future.cancelled():
            await screen.socket.disconnect(timeout=LONG)


async def in_thread(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a function that uses the database."""
    return await database_sync_to_async(function, thread_sensitive=False)(
        *args, **kwargs
    )
