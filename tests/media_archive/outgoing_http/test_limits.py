from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from media_archive import outgoing_http
from media_archive.errors import (
    AnswerTooLarge,
    OutgoingError,
    OutgoingTimeout,
)
from media_archive.outgoing_http import CHALLENGE, DELIVERY, PICTURE, UPSTREAM, Limits
from tests.media_archive.outgoing_http.raw_servers import (
    QUICK,
    ROOMY,
    dripping,
    raw_server,
    saying,
)


@pytest.mark.parametrize(
    ("start", "drip"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    ],
    ids=["status", "headers", "continues", "body", "chunks", "until-close"],
)
def test_a_slow_drip_ends_at_the_deadline(
    start: bytes, drip: bytes, inside: Callable[[str], str]
) -> None:
    with raw_server(dripping(start, drip)) as port:
        url = f"http://{inside(f'127.0.0.1:{port}')}/"
        started = time.monotonic()
        with pytest.raises(OutgoingTimeout):
            outgoing_http.request("GET", url, limits=QUICK)
        assert 0.4 < time.monotonic() - started < 6


def test_silence_ends_at_the_read_limit(inside: Callable[[str], str]) -> None:
    done = threading.Event()
    limits = Limits(connect=5, read=0.3, total=20, max_bytes=10)
    with raw_server(lambda _: (done.wait(15), None)[1]) as port:
        url = f"http://{inside(f'127.0.0.1:{port}')}/"
        started = time.monotonic()
        with pytest.raises(OutgoingTimeout):
            outgoing_http.request("GET", url, limits=limits)
        assert time.monotonic() - started < 6
        done.set()


def test_a_server_that_takes_nothing_in_ends_at_the_deadline(
    inside: Callable[[str], str],
) -> None:
    done = threading.Event()
    with raw_server(lambda _: (done.wait(10), None)[1]) as port:
        url = f"http://{inside(f'127.0.0.1:{port}')}/"
        with pytest.raises(OutgoingTimeout):
            outgoing_http.request("POST", url, body=b"x" * 2**25, limits=QUICK)
        done.set()


ENDLESS = b"x" * 200_000


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4097\r\n\r\n" + b"x" * 4_097,
        b"HTTP/1.1 200 OK\r\n\r\n" + ENDLESS,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1000\r\n" + b"x" * 4_096 + b"\r\n1\r\nx\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"x" * 30_000 + b"\r\n" * 2,
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 90 + b"X-B: " + ENDLESS,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1;" + ENDLESS + b"\r\nx\r\n0\r\n\r\n",
    ],
    ids=["length", "until-close", "chunks", "header", "headers", "continues", "ext"],
)  # fmt: skip
def test_too_large_an_answer_is_thrown_away(
    answer: bytes, inside: Callable[[str], str]
) -> None:
    with raw_server(saying(answer)) as port:
        url = f"http://{inside(f'127.0.0.1:{port}')}/"
        with pytest.raises(AnswerTooLarge):
            outgoing_http.request("GET", url, limits=ROOMY)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n" + b"x" * 4_096,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 4_096,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"1000\r\n" + b"x" * 4_096 + b"\r\n0\r\n\r\n",
    ],
)
def test_exactly_the_limit_is_an_answer(
    answer: bytes, inside: Callable[[str], str]
) -> None:
    with raw_server(saying(answer)) as port:
        url = f"http://{inside(f'127.0.0.1:{port}')}/"
        assert outgoing_http.request("GET", url, limits=ROOMY).body == b"x" * 4_096


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x01\x02",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b",
    ],
)
def test_a_broken_answer_is_an_outgoing_error(
    answer: bytes, inside: Callable[[str], str]
) -> None:
    with raw_server(saying(answer)) as port:
        url = f"http://{inside(f'127.0.0.1:{port}')}/?access_token=hunter2"
        with pytest.raises(OutgoingError) as caught:
            outgoing_http.request("GET", url, limits=ROOMY)
    assert caught.value.retryable
    assert "hunter2" not in str(caught.value)


def test_a_closed_port_is_an_outgoing_error(inside: Callable[[str], str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(OutgoingError, match="cannot be reached"):
        outgoing_http.request("GET", f"http://{inside(f'127.0.0.1:{port}')}/")


def test_the_limits_are_those_of_the_house() -> None:
    assert (UPSTREAM.connect, UPSTREAM.read, UPSTREAM.total) == (3, 10, 30)
    assert UPSTREAM.max_bytes == 8 * 1024 * 1024
    assert (CHALLENGE.total, CHALLENGE.max_bytes) == (2, 1024)
    assert (DELIVERY.total, DELIVERY.max_bytes) == (15, 64 * 1024)
    assert (PICTURE.max_bytes, PICTURE.redirects) == (20 * 1024 * 1024, 3)
    assert [each.redirects for each in (UPSTREAM, CHALLENGE, DELIVERY)] == [0, 0, 0]
