"""The web server: daphne, with a limit on what one request may cost.

``python -m photowall.serving -b HOST -p PORT`` takes daphne's options and serves
Photowall. Daphne by itself writes a body of any size to the disk, and into memory,
before the application is asked; here a body above ``PHOTOWALL_LARGEST_BODY`` is
answered 413 while it arrives, and nothing of it is kept.
"""

from __future__ import annotations

import signal
import sys
import time
from typing import Any

# Installs the event loop that the server runs on; before anything else of Twisted.
import daphne.server
from daphne.cli import CommandLineInterface
from daphne.http_protocol import HTTPFactory
from django.conf import settings
from twisted.internet import reactor

from photowall.slow_takers import PacedRequest

APPLICATION = "photowall.asgi:application"
SECONDS = 60
"""How long a request may arrive, and how long it may be worked on."""
LARGEST_FRAME = 8 * 1024
"""Bytes of a viewer's frame: more is not even read to its end."""
LARGEST_MESSAGE = 4 * 1024 * 1024
"""Bytes of a message. The WebSocket library holds ours to the limit as well, and a
hundred photos with long captions are some megabytes: a smaller one loses photos."""
LINGER = 2.0
"""Seconds a refused sender may go on before the line is cut: who hangs up on a talker
at once, takes back the answer that is still under way."""


class LimitedRequest(PacedRequest):
    """A request whose body stays below the server's limit, or is not kept."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._began = time.monotonic()
        self._received = 0
        self._refused = False
        # Who wants a form reads it. Twisted would read each POST's, for nobody, and
        # that takes a sixth of a small request's time.
        kwargs.setdefault("parsePOSTFormSubmission", False)
        super().__init__(*args, **kwargs)

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """The headers are read; ``length`` is the Content-Length, if there is one."""
        super().gotLength(length)
        if length is not None and length > self.server.largest_body:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """A piece of the body, however it was sent."""
        self._received += len(data)
        if not self._refused and self._received > self.server.largest_body:
            self._refuse()
        if not self._refused:
            super().handleContentChunk(data)

    def requestReceived(  # noqa: N802 - Twisted's name
        self, command: bytes, path: bytes, version: bytes
    ) -> None:
        """All of it is read: to the application, unless it was refused."""
        if self._refused:
            self.channel.loseConnection()
        else:
            super().requestReceived(command, path, version)

    def check_timeouts(self) -> None:
        """Called every two seconds. Daphne looks only at requests that are complete."""
        still_arriving = not hasattr(self, "request_start")
        late = time.monotonic() - self._began > (self.server.http_timeout or SECONDS)
        if still_arriving and late and self.channel is not None:
            self.channel.forceAbortClient()
        else:
            super().check_timeouts()

    def _refuse(self) -> None:
        self._refused = True
        # Nobody is to be told "100 Continue" after that.
        self.requestHeaders.removeHeader(b"Expect")
        self.content.seek(0)
        self.content.truncate()
        text = b"The body is larger than %d bytes.\n" % self.server.largest_body
        self.channel.persistent = False
        self.channel.transport.write(
            b"HTTP/1.1 413 Content Too Large\r\n"
            b"Content-Type: text/plain\r\n"
            b"Connection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(text), text)
        )
        self.channel.transport.loseWriteConnection()
        reactor.callLater(LINGER, self._hang_up)  # type: ignore[arg-type]

    def _hang_up(self) -> None:
        if self.channel is not None:
            self.channel.forceAbortClient()


class LimitedFactory(HTTPFactory):
    """Makes connections whose requests are limited."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = LimitedRequest
        return protocol


class Server(daphne.server.Server):
    """Daphne's server; ``largest_body`` in bytes, by default from the settings."""

    def __init__(
        self, *args: Any, largest_body: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.largest_body = (
            settings.PHOTOWALL_LARGEST_BODY if largest_body is None else largest_body
        )

    async def handle_reply(self, protocol: Any, message: Any) -> None:
        """Pass on a message of the application, which goes on when there is room for
        the next one."""
        await super().handle_reply(protocol, message)
        if pace := getattr(protocol, "pace", None):
            await pace.room()

    @property
    def http_factory(self) -> LimitedFactory:
        return self._http_factory

    @http_factory.setter
    def http_factory(self, daphnes: HTTPFactory) -> None:
        # Daphne's run() makes its own and offers no other way to choose another.
        self._http_factory = LimitedFactory(daphnes.server)

    def run(self) -> None:
        """Serve until INT or TERM, also when we were started with INT ignored."""
        if self.signal_handlers:
            # Twisted leaves an ignored INT ignored (a job of a shell's background).
            signal.signal(signal.SIGINT, signal.default_int_handler)
        super().run()


class CommandLine(CommandLineInterface):
    """Daphne's options with our defaults."""

    description = "Photowall's web server"
    server_class = Server

    def __init__(self) -> None:
        super().__init__()
        self.parser.set_defaults(
            http_timeout=SECONDS,
            server_name="Photowall",
            # Daphne's access log would hold query strings, and with them tokens.
            verbosity=0,
            websocket_max_frame_size=LARGEST_FRAME,
            websocket_max_message_size=LARGEST_MESSAGE,
        )


if __name__ == "__main__":
    CommandLine().run([*sys.argv[1:], APPLICATION])
