"""The only way out of the house.

Every address may come from a stranger. So: http(s) only; the name is resolved once,
*every* answer must be public, and the socket connects to the very address that was
checked, while ``Host`` and TLS keep the name; no cookies, no credentials, no proxies
or netrc of the environment, nothing compressed; one deadline and one byte limit for
the whole exchange. Exceptions are exact ``host:port`` pairs in the setting
``PHOTOWALL_PRIVATE_HOSTS``. Why this is our own: docs/decisions/0003-outgoing-http.md

``request`` keeps the answer in memory; ``fetch`` brings a file.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode, urljoin

import urllib3
from django.conf import settings

from media_archive.addresses import Target, parse_target
from media_archive.arriving import ArrivingFile
from media_archive.errors import AnswerTooLarge, OutgoingError, RefusedAddress
from media_archive.guarded_connections import pool
from media_archive.guarded_sockets import Guard

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
PICTURE = Limits(
    connect=3,
    read=10,
    total=30,
    max_bytes=settings.PHOTOWALL_PICTURE_BYTES,
    redirects=3,
)
PORTRAIT = Limits(connect=3, read=5, total=5, max_bytes=5 * 2**20, redirects=3)
"""A picture waits for the portrait of who posted it, and not for long."""
FILM = Limits(
    connect=3,
    read=10,
    total=120,
    max_bytes=settings.PHOTOWALL_FILM_BYTES,
    redirects=3,
)
CHALLENGE = Limits(connect=2, read=2, total=2, max_bytes=2**10)
DELIVERY = Limits(connect=3, read=10, total=15, max_bytes=64 * 2**10)


@dataclass(frozen=True, slots=True)
class Head:
    """How an answer begins. ``headers`` has lower-case names; ``url`` is where it
    came from in the end."""

    status: int
    headers: Mapping[str, str]
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


@dataclass(frozen=True, slots=True)
class Answer(Head):
    """What came back."""

    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fetched(Head):
    """What was brought. Unless ``status`` is 200 there is no file: ``sha256`` is
    empty and ``size`` 0."""

    sha256: str = ""
    size: int = 0


class Body(Protocol):
    """Where the bytes of an answer go."""

    @property
    def compressed(self) -> type[OutgoingError]:
        """What a compressed answer is to it: nobody knows how much it becomes."""

    def wants(self, status: int) -> bool:
        """Whether the body of an answer with this status is read at all."""

    def take(self, chunk: bytes) -> None:
        """More bytes."""


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
    read = _InMemory()
    head = _follow(method, url, body, sent, limits, read)
    return Answer(head.status, head.headers, head.url, bytes(read.content))


def fetch(url: str, *, into: Path, limits: Limits) -> Fetched:
    """Bring what is at ``url`` into the file ``into``, hashed while it arrives.

    Any status is an answer; only the body of a 200 is read. ``into`` is there
    afterwards if and only if it is the whole body of a 200: short of its
    ``Content-Length`` it is an error, and one that is announced larger than the limit
    is not read. Raises as ``request`` does, ``CompressedAnswer``, and ``DiskFull`` when
    ``into`` cannot be written.
    """
    with ArrivingFile(into) as file:
        head = _follow("GET", url, None, {"accept": "*/*"}, limits, file)
        if head.status != 200:
            return Fetched(head.status, head.headers, head.url)
        size = file.keep()
        return Fetched(head.status, head.headers, head.url, file.sha256, size)


@dataclass(slots=True)
class _InMemory:
    compressed: type[OutgoingError] = OutgoingError
    content: bytearray = field(default_factory=bytearray)

    def wants(self, status: int) -> bool:
        self.content.clear()
        return True

    def take(self, chunk: bytes) -> None:
        self.content += chunk


def _follow(
    method: str,
    url: str,
    body: bytes | None,
    sent: Mapping[str, str],
    limits: Limits,
    into: Body,
) -> Head:
    """One exchange, with as many redirects as allowed; each address is judged."""
    target = parse_target(url)
    guard = Guard(
        pair=target.pair,
        deadline=time.monotonic() + limits.total,
        read=limits.read,
        bytes_left=limits.max_bytes + limits.max_bytes // 8 + HEADER_BYTES,
    )
    hops = limits.redirects if method in ("GET", "HEAD") else 0
    for left in range(hops, -1, -1):
        head = _exchange(method, target, body, sent, limits, guard, into)
        location = head.headers.get("location")
        if not hops or head.status not in REDIRECTS or not location:
            return head
        if not left:
            break
        following = parse_target(_joined(target.url, location))
        if following.pair != target.pair:
            # What the caller meant for one host is not for another.
            sent = {name: sent[name] for name in ("accept",) if name in sent}
        target = following
        guard.pair = target.pair
    raise OutgoingError(f"{target.pair} redirects too often.")


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise RefusedAddress("The address is malformed.") from error


def _exchange(
    method: str,
    target: Target,
    body: bytes | None,
    headers: Mapping[str, str],
    limits: Limits,
    guard: Guard,
    into: Body,
) -> Head:
    """One request to one host. urllib3 speaks HTTP and TLS, over our socket."""
    connections = pool(target, guard, limits.connect)
    try:
        response = connections.urlopen(
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
        try:
            if into.wants(response.status):
                encoding = answered.get("content-encoding", "").strip().lower()
                if encoding not in ("", "identity"):
                    message = f"{guard.pair} compresses though asked not to."
                    raise into.compressed(message)
                _read(response, limits.max_bytes, guard, into)
        finally:
            response.close()
        return Head(status=response.status, headers=answered, url=target.url)
    except (TimeoutError, urllib3.exceptions.TimeoutError) as error:
        raise guard.timeout() from error
    except urllib3.exceptions.SSLError as error:
        raise OutgoingError(f"{guard.pair} has no valid certificate.") from error
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise OutgoingError(f"The exchange with {guard.pair} failed.") from error
    finally:
        connections.close()


def _read(
    response: urllib3.BaseHTTPResponse, most: int, guard: Guard, into: Body
) -> None:
    read = 0
    if (response.length_remaining or 0) > most:
        raise AnswerTooLarge(f"The answer of {guard.pair} is too large.")
    while chunk := response.read(CHUNK_BYTES, decode_content=False):
        read += len(chunk)
        if read > most:
            raise AnswerTooLarge(f"The answer of {guard.pair} is too large.")
        into.take(chunk)


def _user_agent() -> str:
    return f"Photowall/{getattr(settings, 'PHOTOWALL_VERSION', '0')}"
