"""The limit on a request's body under any server.

``photowall.serving`` stops a body while it arrives. Other servers hand it over piece by
piece, and Django would keep all of it before a view looks: here it ends at the limit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class BodyLimit:
    """An ASGI application around another: 413 for a body above ``largest`` bytes."""

    def __init__(self, application: Application, largest: int) -> None:
        self._application = application
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            if received > self._largest:
                return {"type": "http.disconnect"}
            message = await receive()
            received += len(message.get("body", b""))
            # To the application it looks as if the sender had given up.
            gone = {"type": "http.disconnect"}
            return gone if received > self._largest else message

        async def send_unless_refused(message: Message) -> None:
            if received <= self._largest:
                await send(message)

        if self._announced(scope) > self._largest:
            await self._refuse(send)
            return
        await self._application(scope, receive_limited, send_unless_refused)
        if received > self._largest:
            await self._refuse(send)

    def _announced(self, scope: Scope) -> int:
        """The Content-Length; 0 without one that is a number of sane length."""
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and len(value) < 20:
                return int(value)
        return 0

    async def _refuse(self, send: Send) -> None:
        text = b"The body is larger than %d bytes.\n" % self._largest
        headers = [
            (b"content-type", b"text/plain"),
            (b"content-length", b"%d" % len(text)),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": text})
