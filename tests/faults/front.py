"""What stands before the web processes, as in production: it passes each connection
on to the first backend that takes it, and can be told to pass none."""

from __future__ import annotations

import contextlib
import selectors
import socket
import socketserver
from threading import Thread

HOST = "127.0.0.1"


class _Passing(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        front = self.server
        assert isinstance(front, _Server)
        with contextlib.suppress(OSError), front.connected() as backend:
            _pass(self.request, backend)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Passing)
        self.backends: list[int] = []

    def connected(self) -> socket.socket:
        """A connection to a backend. Raises ``OSError`` when there is none."""
        for port in list(self.backends):
            with contextlib.suppress(OSError):
                return socket.create_connection((HOST, port), timeout=2)
        raise ConnectionRefusedError("no backend")


class Front:
    """A port that stays while web processes come and go."""

    def __init__(self) -> None:
        self._server = _Server()
        self.port = int(self._server.server_address[1])
        Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def send_to(self, *ports: int) -> None:
        """From now on connections go to the first of these that answers."""
        self._server.backends = list(ports)

    def end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _pass(one: socket.socket, other: socket.socket) -> None:
    """Until either side has nothing more to say."""
    one.settimeout(None)
    other.settimeout(None)
    facing = {one: other, other: one}
    with selectors.DefaultSelector() as both:
        for each in facing:
            both.register(each, selectors.EVENT_READ)
        while True:
            for key, _ in both.select():
                side = key.fileobj
                if not isinstance(side, socket.socket):
                    raise TypeError(side)
                said = side.recv(65536)
                if not said:
                    return
                facing[side].sendall(said)
