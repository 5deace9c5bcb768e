"""The only way out of the house.

Every address may come from a stranger. So: http(s) only; the name is resolved once,
*every* answer must be public, and the socket connects to the very address that was
checked, while ``Host`` and TLS keep the name; no cookies, no credentials, no proxies
or netrc of the environment, nothing compressed; one deadline and one byte limit for
the whole exchange. Exceptions are exact ``host:port`` pairs in the setting
``PHOTOWALL_PRIVATE_HOSTS``. Why this is our own: docs/decisions/0003-outgoing-http.md
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode, urljoin

import certifi
import urllib3
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection

from media_archive.addresses import PORTS, Target, is_public, parse_target
from media_archive.errors import (
    AnswerTooLarge,
    OutgoingError,
    OutgoingTimeout,
    RefusedAddress,
)
from media_archive.guarded_sockets import Guard, GuardedSocket, GuardedTLSSocket

HEADER_BYTES = 16_384
CHUNK_BYTES = 65_536
MAX_RETRY_AFTER = 3_600.0
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect, of silence, and in all; bytes of body; redirects.

    Headers may take 16 KiB more. ``total`` spans the name look-up, TLS and all
    redirects.
    """

    connect: float
    read: float
    total: float
    max_bytes: int
    redirects: int = 0


UPSTREAM = Limits(connect=3, read=10, total=30, max_bytes=8 * 2**20)
PICTURE = Limits(connect=3, read=10, total=30, max_bytes=20 * 2**20, redirects=3)
CHALLENGE = Limits(connect=2, read=2, total=2, max_bytes=2**10)
DELIVERY = Limits(connect=3, read=10, total=15, max_bytes=64 * 2**10)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``headers`` has lower-case names; ``url`` is where it came
    from in the end."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str = field(repr=False)

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait as the other side said (a number or a date), ≤ 1 h."""
        said = self.headers.get("retry-after", "").strip()
        if said.isascii() and said.isdigit():
            return min(float(said[:9]), MAX_RETRY_AFTER)
        try:
            at = parsedate_to_datetime(said)
        except (ValueError, OverflowError):
            return None
        aware = at if at.tzinfo else at.replace(tzinfo=UTC)
        left = (aware - datetime.now(UTC)).total_seconds()
        return min(max(left, 0.0), MAX_RETRY_AFTER)


def request(
    method: str,
    url: str,
    *,
    params: Mapping[str, str] | None = None,
    data: Mapping[str, str] | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    limits: Limits = UPSTREAM,
) -> Answer:
    """One exchange. ``params`` are added to the query, ``data`` is sent as a form.

    Any status is an answer; redirects too, unless ``limits`` allows some and the
    method is GET or HEAD. Raises ``RefusedAddress``, ``OutgoingTimeout``,
    ``AnswerTooLarge`` or plain ``OutgoingError``; their messages name the host and
    never the query, which may hold secrets.
    """
    if params:
        url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
    sent = {name.lower(): value for name, value in (headers or {}).items()}
    if data is not None:
        body = urlencode(data).encode("ascii")
        sent.setdefault("content-type", "application/x-www-form-urlencoded")
    target = parse_target(url)
    guard = Guard(
        pair=target.pair,
        deadline=time.monotonic() + limits.total,
        read=limits.read,
        bytes_left=limits.max_bytes + limits.max_bytes // 8 + HEADER_BYTES,
    )
    hops = limits.redirects if method in ("GET", "HEAD") else 0
    for left in range(hops, -1, -1):
        answer = _exchange(method, target, body, sent, limits, guard)
        location = answer.headers.get("location")
        if not hops or answer.status not in REDIRECTS or not location:
            return answer
        if not left:
            break
        following = parse_target(urljoin(target.url, location))
        if following.pair != target.pair:
            # What the caller meant for one host is not for another.
            sent = {name: sent[name] for name in ("accept",) if name in sent}
        target = following
        guard.pair = target.pair
    raise OutgoingError(f"{target.pair} redirects too often.")


def _exchange(
    method: str,
    target: Target,
    body: bytes | None,
    headers: Mapping[str, str],
    limits: Limits,
    guard: Guard,
) -> Answer:
    """One request to one host. urllib3 speaks HTTP and TLS, over our socket."""
    pool = _pool(target, guard, limits.connect)
    try:
        response = pool.urlopen(
            method,
            target.path,
            body=body,
            headers={
                "user-agent": _user_agent(),
                "connection": "close",
                **headers,
                "host": target.authority,
                "accept-encoding": "identity",
            },
            retries=False,
            redirect=False,
            timeout=urllib3.Timeout(connect=limits.connect, read=limits.read),
            preload_content=False,
            decode_content=False,
        )
        answered = {name.lower(): text for name, text in response.headers.itermerged()}
        if answered.get("content-encoding", "identity").strip() not in ("", "identity"):
            raise OutgoingError(f"{guard.pair} compresses though asked not to.")
        return Answer(
            status=response.status,
            headers=answered,
            body=_read(response, limits.max_bytes, guard),
            url=target.url,
        )
    except (TimeoutError, urllib3.exceptions.TimeoutError) as error:
        raise guard.timeout() from error
    except urllib3.exceptions.SSLError as error:
        raise OutgoingError(f"{guard.pair} has no valid certificate.") from error
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise OutgoingError(f"The exchange with {guard.pair} failed.") from error
    finally:
        pool.close()


def _read(response: urllib3.BaseHTTPResponse, most: int, guard: Guard) -> bytes:
    read = bytearray()
    try:
        if (response.length_remaining or 0) > most:
            raise AnswerTooLarge(f"The answer of {guard.pair} is too large.")
        while chunk := response.read(CHUNK_BYTES, decode_content=False):
            read += chunk
            if len(read) > most:
                raise AnswerTooLarge(f"The answer of {guard.pair} is too large.")
    finally:
        response.close()
    return bytes(read)


def _pool(
    target: Target, guard: Guard, connect_seconds: float
) -> urllib3.HTTPConnectionPool:
    ours: dict[str, Any] = {
        "target": target,
        "guard": guard,
        "connect_seconds": connect_seconds,
    }
    if target.scheme == "https":
        context = _tls_context()
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


def _user_agent() -> str:
    return f"Photowall/{getattr(settings, 'PHOTOWALL_VERSION', '0')}"


@cache
def _tls_context() -> ssl.SSLContext:
    """The system's authorities (``SSL_CERT_FILE`` adds an inside one) and certifi's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.sslsocket_class = GuardedTLSSocket
    return context
