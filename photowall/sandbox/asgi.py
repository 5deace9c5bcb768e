"""HTTP and WebSocket entrance of the sandbox: Photowall's, with faults around it."""

from __future__ import annotations

from photowall.asgi import application as photowall
from photowall.sandbox.faults.middleware import FaultyUpstream

application = FaultyUpstream(photowall)
