"""urllib3's connections over sockets of our own: to addresses that were checked.

One step of urllib3 is overridden, how a socket is made. The name is resolved here,
once, *every* answer must be public, and the socket connects to the very address that
was checked, while ``Host`` and TLS keep the name. Only ``outgoing_http`` uses this.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from functools import cache
from typing import Any

import certifi
import urllib3
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection

from media_archive.addresses import PORTS, Target, is_public
from media_archive.errors import OutgoingError, OutgoingTimeout, RefusedAddress
from media_archive.guarded_sockets import Guard, GuardedSocket, GuardedTLSSocket


def pool(
    target: Target, guard: Guard, connect_seconds: float
) -> urllib3.HTTPConnectionPool:
    ours: dict[str, Any] = {
        "target": target,
        "guard": guard,
        "connect_seconds": connect_seconds,
    }
    if target.scheme == "https":
        context = tls_context()
        return _HTTPSPool(target.host, target.port, ssl_context=context, **ours)
    return _HTTPPool(target.host, target.port, **ours)


class _Guarded:
    """The part of a connection that differs from urllib3's own."""

    def __init__(
        self,
        *args: Any,
        target: Target,
        guard: Guard,
        connect_seconds: float,
        **kwargs: Any,
    ) -> None:
        self._target = target
        self._guard = guard
        self._connect_seconds = connect_seconds
        super().__init__(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        return connect(self._target, self._guard, self._connect_seconds)


class _HTTPConnection(_Guarded, HTTPConnection):
    pass


class _HTTPSConnection(_Guarded, HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        if isinstance(self.sock, GuardedTLSSocket):
            self.sock.guard = self._guard


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


def connect(target: Target, guard: Guard, seconds: float) -> GuardedSocket:
    """A socket to an address that has been checked, the first that answers."""
    until = time.monotonic() + guard.seconds(seconds)
    addresses = checked_addresses(target, guard.seconds(seconds))
    failure: OSError | None = None
    for family, address in addresses:
        sock = GuardedSocket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(guard.seconds(max(until - time.monotonic(), 0.001)))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            failure = error
            continue
        # TLS shakes hands in one call, under this time-out.
        sock.settimeout(guard.seconds())
        sock.guard = guard
        return sock
    if isinstance(failure, TimeoutError):
        raise guard.timeout() from failure
    raise OutgoingError(f"{target.pair} cannot be reached.") from failure


def checked_addresses(
    target: Target, seconds: float
) -> list[tuple[socket.AddressFamily, Any]]:
    """Resolve, once. Raises ``RefusedAddress`` if a single answer is not public."""
    allowed = target.pair in {pair.lower() for pair in _private_hosts()}
    if not allowed and target.port not in PORTS.values():
        raise RefusedAddress(f"Port {target.port} is not one we call.")
    found = _resolve(target, seconds)
    if not allowed and not all(is_public(address[0]) for _, address in found):
        raise RefusedAddress(f"{target.pair} is not a public address.")
    return found


def _resolve(target: Target, seconds: float) -> list[tuple[socket.AddressFamily, Any]]:
    """``getaddrinfo`` knows no time-out, so it runs in a thread that we may leave."""
    answers: queue.SimpleQueue[list[Any] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(
                socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            )
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty as error:
        message = f"The name {target.host} was not resolved in time."
        raise OutgoingTimeout(message) from error
    if not isinstance(answer, list):
        raise OutgoingError(f"The name {target.host} is unknown.") from answer
    return [(family, address) for family, _, _, _, address in answer]


def _private_hosts() -> list[str]:
    return list(getattr(settings, "PHOTOWALL_PRIVATE_HOSTS", ()))


@cache
def tls_context() -> ssl.SSLContext:
    """The system's authorities (``SSL_CERT_FILE`` adds an inside one) and certifi's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.sslsocket_class = GuardedTLSSocket
    return context
