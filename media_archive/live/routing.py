"""WebSocket addresses of this floor."""

from __future__ import annotations

from typing import Any, cast

from django.urls import path

from media_archive.live.consumers import WallConsumer

websocket_urlpatterns = [
    path("ws/wall/<str:tag>/", cast(Any, WallConsumer.as_asgi())),
]
