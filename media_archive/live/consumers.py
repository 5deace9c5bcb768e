"""The WebSocket door: who may listen, from which cursor, and with what manners."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from urllib.parse import parse_qs

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from media_archive.errors import InvalidTag
from media_archive.live.frames import HEARTBEAT
from media_archive.live.hub import Hub, current_hub
from media_archive.live.manners import (
    BAD_MESSAGE,
    TOO_MANY,
    BadMessage,
    Patience,
    parse,
    since_of,
)
from media_archive.live.sending import Message, Send
from media_archive.live.viewers import Viewer
from media_archive.tags import normalise_tag

TRY_LATER = 1013
"""The journal cannot be read just now."""

A_LOT_MESSAGES = 50
A_LOT_BYTES = 256 * 1024
"""An acknowledgement of so much is called for, and not counted."""


class WallConsumer(AsyncWebsocketConsumer):
    """One viewer of ``/ws/wall/<tag>/``.

    It has no channel of its own in the channel layer: the hub reaches it directly.
    It never touches the database.
    """

    channel_layer_alias = None
    hub: Hub
    viewer: Viewer | None = None
    timer: asyncio.TimerHandle | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.forget()

    async def dispatch(self, message: Message) -> None:
        # The inherited one closes old database connections, in a thread, for every
        # message; there are none here.
        match message["type"]:
            case "websocket.connect":
                await self.connect()
            case "websocket.receive":
                await self.receive(message.get("text"), message.get("bytes"))
            case "websocket.disconnect":
                self.forget()
                raise StopConsumer

    async def connect(self) -> None:
        await self.accept()
        try:
            tag = normalise_tag(self.scope["url_route"]["kwargs"]["tag"])
            since = since_of(parse_qs(_query(self.scope)).get("since", []))
        except (InvalidTag, BadMessage):
            await self.close(BAD_MESSAGE)
            return
        self.hub = current_hub()
        self.patience = Patience(self.hub.loop.time())
        self.viewer = Viewer(tag, self.base_send, self.left)
        self.wind()
        try:
            await self.hub.join(self.viewer, since)
        except DatabaseError:
            self.viewer.close(TRY_LATER)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        viewer = self.viewer
        if viewer is None or viewer.closed:
            return
        if not self.patience.spend(self.hub.loop.time()):
            viewer.close(TOO_MANY)
            return
        try:
            said = parse(text_data)
            viewer.unanswered = 0
            if said.word == "ack":
                freed = viewer.acknowledge(said.cursor)
                if freed.messages >= A_LOT_MESSAGES or freed.size >= A_LOT_BYTES:
                    self.patience.give_back()
            elif said.word == "resume":
                await self.hub.resume(viewer, said.cursor)
        except BadMessage as error:
            viewer.close(error.code)
        except DatabaseError:
            viewer.close(TRY_LATER)

    def wind(self) -> None:
        """Start the next heartbeat: a timer, for a task would cost ten times more."""
        self.timer = self.hub.loop.call_later(HEARTBEAT, self.beat)

    def beat(self) -> None:
        if self.viewer is not None and not self.viewer.closed:
            self.hub.ping(self.viewer)
            self.wind()

    def left(self, viewer: Viewer) -> None:
        """The viewer was closed or found gone."""
        if self.timer is not None:
            self.timer.cancel()
        self.hub.leave(viewer)

    def forget(self) -> None:
        """The connection has ended, one way or another."""
        if self.viewer is not None:
            self.viewer.abandon()


def _query(scope: dict[str, Any]) -> str:
    with contextlib.suppress(UnicodeDecodeError):
        return bytes(scope.get("query_string", b"")).decode("ascii")
    raise BadMessage(BAD_MESSAGE)
