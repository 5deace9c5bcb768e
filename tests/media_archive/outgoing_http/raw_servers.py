"""Servers of our own on the loopback that misbehave as told."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

from media_archive.outgoing_http import Limits

QUICK = Limits(connect=0.5, read=0.5, total=0.5, max_bytes=4_096)
"""For what has to end in time."""
ROOMY = Limits(connect=10, read=10, total=20, max_bytes=4_096)
"""For what has to end for another reason, on a busy machine too."""

Serve = Callable[[socket.socket], None]


@contextlib.contextmanager
def raw_server(serve: Serve, host: str = "127.0.0.1") -> Iterator[int]:
    """A server that does with each connection what ``serve`` does; yields its port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind((host, 0))
        listener.listen()

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    serve(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


def saying(answer: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(answer)

    return serve


def dripping(start: bytes, drip: bytes) -> Serve:
    """Keeps the line busy: a byte every now and then, well within the read limit."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(start)
        for _ in range(200):
            time.sleep(0.05)
            connection.sendall(drip)

    return serve
