"""WebSocket addresses of this floor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from django.urls import path, re_path

from media_archive.live.consumers import WallConsumer

Channel = Callable[..., Awaitable[Any]]


async def nowhere(scope: dict[str, Any], receive: Channel, send: Channel) -> None:
    """Every other address: the handshake is refused (403 to the browser). Without
    it the router would raise, and a stranger could fill the log with tracebacks."""
    await receive()
    await send({"type": "websocket.close"})


websocket_urlpatterns = [
    path("ws/wall/<str:tag>/", cast(Any, WallConsumer.as_asgi())),
    re_path(r"", cast(Any, nowhere)),
]
