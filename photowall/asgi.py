"""HTTP and WebSocket entrance."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application

from photowall.body_limit import BodyLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "photowall.settings")
django_application = get_asgi_application()

# Django must be set up before anything below imports a model.
from media_archive.handing_out.door import FileDoor  # noqa: E402
from media_archive.live.routing import websocket_urlpatterns  # noqa: E402
from subscriptions.callback_door import CallbackDoor  # noqa: E402

callback_door = CallbackDoor(django_application)
file_door = FileDoor(callback_door)
application = ProtocolTypeRouter(
    {
        "http": BodyLimit(file_door, settings.PHOTOWALL_LARGEST_BODY),
        "websocket": AllowedHostsOriginValidator(URLRouter(websocket_urlpatterns)),
    }
)
