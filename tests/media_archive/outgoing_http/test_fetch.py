"""Files that are brought: whole, hashed on the way, or not there at all."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from media_archive import outgoing_http
from media_archive.errors import (
    AnswerTooLarge,
    CompressedAnswer,
    DiskFull,
    OutgoingError,
    OutgoingTimeout,
    RefusedAddress,
)
from media_archive.outgoing_http import FILM, PICTURE
from tests.media_archive.outgoing_http.raw_servers import (
    QUICK,
    ROOMY,
    dripping,
    raw_server,
    saying,
)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "part-1"


def test_a_file_is_brought_and_hashed(
    httpserver: HTTPServer, inside: Callable[[str], str], into: Path
) -> None:
    inside(f"{httpserver.host}:{httpserver.port}")
    content = bytes(range(256)) * 1_000
    httpserver.expect_request("/p.jpg").respond_with_data(
        content, content_type="image/jpeg"
    )
    httpserver.expect_request("/old").respond_with_data(
        "moved" * 1_000, status=301, headers={"Location": "/p.jpg"}
    )
    fetched = outgoing_http.fetch(httpserver.url_for("/old"), into=into, limits=PICTURE)
    assert fetched.status == 200
    assert fetched.headers["content-type"] == "image/jpeg"
    assert fetched.url == httpserver.url_for("/p.jpg")
    assert (fetched.size, fetched.sha256) == (
        len(content),
        hashlib.sha256(content).hexdigest(),
    )
    assert into.read_bytes() == content


def test_a_file_that_was_there_is_replaced(
    httpserver: HTTPServer, inside: Callable[[str], str], into: Path
) -> None:
    inside(f"{httpserver.host}:{httpserver.port}")
    into.write_bytes(b"what a worker left here when it was lost")
    httpserver.expect_request("/").respond_with_data(b"new")
    outgoing_http.fetch(httpserver.url_for("/"), into=into, limits=PICTURE)
    assert into.read_bytes() == b"new"


@pytest.mark.parametrize("status", [204, 206, 304, 403, 404, 410, 429, 500, 503])
def test_what_is_not_a_200_leaves_nothing(
    status: int, httpserver: HTTPServer, inside: Callable[[str], str], into: Path
) -> None:
    inside(f"{httpserver.host}:{httpserver.port}")
    httpserver.expect_request("/").respond_with_data(
        "no such picture",
        status=status,
        headers={"Retry-After": "7", "Content-Encoding": "gzip"},
    )
    fetched = outgoing_http.fetch(httpserver.url_for("/"), into=into, limits=PICTURE)
    assert (fetched.status, fetched.sha256, fetched.size) == (status, "", 0)
    assert fetched.retry_after == 7.0
    assert list(into.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", OutgoingError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", OutgoingError),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            OutgoingError,
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4097\r\n\r\n", AnswerTooLarge),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1" + b"0" * 30 + b"\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000, AnswerTooLarge),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1000\r\n" + b"x" * 4_096 + b"\r\n1\r\nx\r\n0\r\n\r\n",
            AnswerTooLarge,
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b",
            CompressedAnswer,
        ),
    ],
    ids=[
        "nothing",
        "short",
        "cut-chunk",
        "announced",
        "announced-absurd",
        "endless",
        "chunks",
        "gzip",
    ],
)
def test_what_is_not_whole_leaves_nothing(
    answer: bytes,
    error: type[OutgoingError] | None,
    inside: Callable[[str], str],
    into: Path,
) -> None:
    with raw_server(saying(answer)) as port:
        url = f"http://{inside(f'127.0.0.1:{port}')}/?sig=hunter2"
        with pytest.raises(error or OutgoingError) as caught:
            outgoing_http.fetch(url, into=into, limits=ROOMY)
    assert "hunter2" not in str(caught.value)
    assert list(into.parent.iterdir()) == []


def test_a_body_as_long_as_the_limit_is_whole(
    inside: Callable[[str], str], into: Path
) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n" + b"x" * 4_096
    with raw_server(saying(answer)) as port:
        url = f"http://{inside(f'127.0.0.1:{port}')}/"
        assert outgoing_http.fetch(url, into=into, limits=ROOMY).size == 4_096
    assert into.stat().st_size == 4_096


@pytest.mark.parametrize("said", ["identity", "Identity", " IDENTITY ", ""])
def test_what_says_that_it_is_not_compressed_is_brought(
    said: str, inside: Callable[[str], str], into: Path
) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {said}\r\nContent-Length: 2\r\n\r\n"
    with raw_server(saying(head.encode() + b"ok")) as port:
        url = f"http://{inside(f'127.0.0.1:{port}')}/"
        assert outgoing_http.fetch(url, into=into, limits=ROOMY).size == 2
    assert into.read_bytes() == b"ok"


@pytest.mark.parametrize("said", ["GZip", "identity, gzip", "x-identity"])
def test_what_says_anything_else_is_not(
    said: str, inside: Callable[[str], str], into: Path
) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {said}\r\nContent-Length: 2\r\n\r\n"
    with raw_server(saying(head.encode() + b"ok")) as port:
        url = f"http://{inside(f'127.0.0.1:{port}')}/"
        with pytest.raises(CompressedAnswer):
            outgoing_http.fetch(url, into=into, limits=ROOMY)
    assert list(into.parent.iterdir()) == []


def test_a_slow_drip_ends_at_the_deadline_and_leaves_nothing(
    inside: Callable[[str], str], into: Path
) -> None:
    slow = dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x")
    with raw_server(slow) as port:
        url = f"http://{inside(f'127.0.0.1:{port}')}/"
        with pytest.raises(OutgoingTimeout):
            outgoing_http.fetch(url, into=into, limits=QUICK)
    assert list(into.parent.iterdir()) == []


def test_the_limit_holds_for_the_whole_way_with_its_redirects(
    inside: Callable[[str], str], into: Path
) -> None:
    hop = (
        b"HTTP/1.1 302 Found\r\nLocation: /\r\nX-Pad: "
        + b"x" * 15_000
        + b"\r\nContent-Length: 0\r\n\r\n"
    )
    with raw_server(saying(hop)) as port:
        url = f"http://{inside(f'127.0.0.1:{port}')}/"
        with pytest.raises(AnswerTooLarge):
            outgoing_http.fetch(url, into=into, limits=replace(ROOMY, redirects=3))


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "http://[::ffff:169.254.169.254]/",
    ],
)
def test_a_redirect_to_the_inside_leaves_nothing(
    location: str, httpserver: HTTPServer, inside: Callable[[str], str], into: Path
) -> None:
    inside(f"{httpserver.host}:{httpserver.port}")
    httpserver.expect_request("/").respond_with_data(
        "", status=302, headers={"Location": location}
    )
    with pytest.raises(RefusedAddress):
        outgoing_http.fetch(httpserver.url_for("/"), into=into, limits=PICTURE)
    assert len(httpserver.log) == 1
    assert list(into.parent.iterdir()) == []


def test_a_full_disk_is_told_from_a_broken_line(
    httpserver: HTTPServer,
    inside: Callable[[str], str],
    into: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside(f"{httpserver.host}:{httpserver.port}")
    httpserver.expect_request("/").respond_with_data(b"x" * 200_000)

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    class Full(FileIO):
        write = full

    monkeypatch.setattr("media_archive.arriving.FileIO", Full)
    with pytest.raises(DiskFull, match="No space left"):
        outgoing_http.fetch(httpserver.url_for("/"), into=into, limits=PICTURE)
    assert list(into.parent.iterdir()) == []


def test_a_folder_that_is_not_there_is_told_as_the_disk_s_fault(
    httpserver: HTTPServer, inside: Callable[[str], str], tmp_path: Path
) -> None:
    inside(f"{httpserver.host}:{httpserver.port}")
    httpserver.expect_request("/").respond_with_data(b"x")
    nowhere = tmp_path / "nowhere" / "part-1"
    with pytest.raises(DiskFull):
        outgoing_http.fetch(httpserver.url_for("/"), into=nowhere, limits=PICTURE)


def test_films_may_be_larger_and_take_longer_than_pictures() -> None:
    assert FILM.max_bytes > PICTURE.max_bytes
    assert FILM.total > PICTURE.total
    assert PICTURE.redirects == FILM.redirects == 3
