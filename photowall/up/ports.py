"""Loopback ports: which is free, who answers."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from photowall.up.console import Refusal

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether we could listen there. Somebody on all addresses counts as taken."""
    with socket.socket() as caller:
        caller.settimeout(0.3)
        if caller.connect_ex((HOST, port)) == 0:
            return False
    with socket.socket() as listener:
        # A connection that has just ended does not make a port taken.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
    return True


def given_port(port: int) -> int:
    """The port a person asked for, or Refusal."""
    if not is_free(port):
        raise Refusal(
            f"Port {port} on {HOST} is taken or not ours to use; stop what listens "
            "there, or choose another one with --port."
        )
    return port


def next_free(first: int, but_not: Collection[int] = ()) -> int:
    """The first free port from `first` on."""
    for port in range(first, min(first + 200, 65536)):
        if port not in but_not and is_free(port):
            return port
    raise Refusal(f"No port from {first} to {first + 199} is free on {HOST}.")


def any_free() -> int:
    """A port the system picks."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def answers_http(port: int, path: str = "/healthz") -> bool:
    """Whether a web server there answers 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def answers_redis(url: str) -> bool:
    """Whether something speaks the Redis protocol there (a password is not tried)."""
    place = urlsplit(url)
    address = (place.hostname or HOST, place.port or 6379)
    try:
        with socket.create_connection(address, timeout=1) as connection:
            if place.scheme == "rediss":
                return True
            connection.settimeout(1)
            connection.sendall(b"PING\r\n")
            return connection.recv(1) in (b"+", b"-")
    except OSError:
        return False
