"""A server whose connections can break: the sandbox's process only.

The application says so with a message of its own, ``sandbox.cut``, in place of what
it would still have to say.
"""

from __future__ import annotations

from typing import Any

from daphne.http_protocol import HTTPFactory

from photowall.serving import LimitedFactory, LimitedRequest, Server

RESET = "sandbox.reset"
"""The connection is reset: the other side reads an error."""
HANG_UP = "sandbox.hang_up"
"""What was said is sent; then the connection is closed, whatever was announced."""


class BreakableRequest(LimitedRequest):
    """A request whose answer may end in the middle."""

    def handle_reply(self, message: dict[str, Any]) -> None:
        """What the application says."""
        if message.get("type") not in (RESET, HANG_UP):
            super().handle_reply(message)
        elif not self.finished and self.channel is not None:
            if message["type"] == RESET:
                self.channel.forceAbortClient()
            else:
                self.channel.loseConnection()


class BreakableFactory(LimitedFactory):
    """Makes connections that can break."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = BreakableRequest
        return protocol


class BreakableServer(Server):
    """Photowall's server, with connections that can break."""

    @property
    def http_factory(self) -> LimitedFactory:
        return self._http_factory

    @http_factory.setter
    def http_factory(self, daphnes: HTTPFactory) -> None:
        self._http_factory = BreakableFactory(daphnes.server)
