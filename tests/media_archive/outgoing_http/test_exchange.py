from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from media_archive import outgoing_http
from media_archive.errors import (
    OutgoingError,
    RefusedAddress,
)
from media_archive.outgoing_http import PICTURE
from tests.media_archive.outgoing_http.raw_servers import (
    raw_server,
)


def test_a_redirect_is_an_answer_unless_allowed(
    httpserver: HTTPServer, inside: Callable[[str], str]
) -> None:
    inside(f"{httpserver.host}:{httpserver.port}")
    httpserver.expect_request("/from").respond_with_data(
        "", status=302, headers={"Location": "/to"}
    )
    httpserver.expect_request("/to").respond_with_data("there")
    url = httpserver.url_for("/from")
    assert outgoing_http.request("GET", url).status == 302
    assert [request.path for request, _ in httpserver.log] == ["/from"]
    followed = outgoing_http.request("GET", url, limits=PICTURE)
    assert (followed.status, followed.body) == (200, b"there")
    assert followed.url == httpserver.url_for("/to")
    posted = outgoing_http.request("POST", url, body=b"", limits=PICTURE)
    assert posted.status == 302


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "//[::1]/",
        "file:///etc/passwd",
        "http://user@wall.example/",
    ],
)
def test_each_hop_is_checked_again(
    location: str, httpserver: HTTPServer, inside: Callable[[str], str]
) -> None:
    inside(f"{httpserver.host}:{httpserver.port}")
    httpserver.expect_request("/").respond_with_data(
        "", status=301, headers={"Location": location}
    )
    with pytest.raises(RefusedAddress):
        outgoing_http.request("GET", httpserver.url_for("/"), limits=PICTURE)
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(
    "location",
    [
        "http://[bad",
        "http://x]",
        "//[",
        "//]",
        "http://[::1",
        "http://[v1.x]/",
        "http://[::1]x/",
        "//[\xff]/",
        "http://a.example:70000/",
        "http://a.example:x/",
        "?\x00",
        "/there",
    ],
)
def test_an_address_that_cannot_be_read_is_refused_on_the_way_too(
    location: str, inside: Callable[[str], str]
) -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(65_536).partition(b" HTTP")[0])
        head = b"HTTP/1.1 200 OK\r\n"
        if heard[-1] == b"GET /":
            moved = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n"
            head = moved.encode("latin-1")
        connection.sendall(head + b"Content-Length: 0\r\n\r\n")

    with raw_server(listen) as port:
        url = f"http://{inside(f'127.0.0.1:{port}')}/"
        if location == "/there":
            assert outgoing_http.request("GET", url, limits=PICTURE).status == 200
            assert heard == [b"GET /", b"GET /there"]
        else:
            with pytest.raises(RefusedAddress):
                outgoing_http.request("GET", url, limits=PICTURE)
            assert heard == [b"GET /"]


def test_redirects_in_a_circle_end(
    httpserver: HTTPServer, inside: Callable[[str], str]
) -> None:
    inside(f"{httpserver.host}:{httpserver.port}")
    httpserver.expect_request("/").respond_with_data(
        "", status=307, headers={"Location": "/"}
    )
    with pytest.raises(OutgoingError, match="too often"):
        outgoing_http.request("GET", httpserver.url_for("/"), limits=PICTURE)
    assert len(httpserver.log) == 4


def test_headers_for_one_host_are_not_shown_to_another(
    httpserver: HTTPServer, settings: Any
) -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with raw_server(listen) as port:
        ours = f"{httpserver.host}:{httpserver.port}"
        settings.PHOTOWALL_PRIVATE_HOSTS = [ours, f"127.0.0.1:{port}"]
        httpserver.expect_request("/").respond_with_data(
            "", status=302, headers={"Location": f"http://127.0.0.1:{port}/"}
        )
        sent = {"Authorization": "Bearer hunter2", "Accept": "image/png"}
        url = httpserver.url_for("/")
        outgoing_http.request("GET", url, headers=sent, limits=PICTURE)
    assert httpserver.log[0][0].headers["Authorization"] == "Bearer hunter2"
    assert b"hunter2" not in heard[0]
    assert b"accept: image/png" in heard[0].lower()


# What we send


def test_what_is_sent_and_what_never_is(
    httpserver: HTTPServer,
    inside: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    settings: Any,
) -> None:
    settings.PHOTOWALL_VERSION = "9.9"
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1/")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1/")
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {httpserver.host} login ada password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response("ok", headers={"Set-Cookie": "a=b"})

    httpserver.expect_request("/p").respond_with_handler(answer)
    inside(f"{httpserver.host}:{httpserver.port}")
    url = httpserver.url_for("/p?a=1")
    for _ in range(2):
        outgoing_http.request(
            "POST", url, params={"b": "ü &"}, data={"object": "tag", "object_id": "狐"}
        )
    headers = seen[1].headers
    assert headers["User-Agent"] == "Photowall/9.9"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["Host"] == f"{httpserver.host}:{httpserver.port}"
    assert "Cookie" not in headers
    assert "Authorization" not in headers
    assert seen[1].args.to_dict() == {"a": "1", "b": "ü &"}
    assert seen[1].form.to_dict() == {"object": "tag", "object_id": "狐"}


def test_a_header_cannot_be_broken_in_two(
    httpserver: HTTPServer, inside: Callable[[str], str]
) -> None:
    inside(f"{httpserver.host}:{httpserver.port}")
    with pytest.raises(OutgoingError):
        outgoing_http.request(
            "GET", httpserver.url_for("/"), headers={"x-a": "b\r\nx-evil: 1"}
        )
    assert httpserver.log == []


def test_ipv6_is_spoken(inside: Callable[[str], str]) -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with raw_server(listen, "::1") as port:
        pair = inside(f"[::1]:{port}")
        assert outgoing_http.request("GET", f"http://{pair}/").status == 204
    assert f"host: [::1]:{port}".encode() in heard[0].lower()


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("999999999999", 3600.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 3600.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("\u0661", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(said: str, seconds: float | None) -> None:
    answer = outgoing_http.Answer(429, {"retry-after": said}, "http://a.example/", b"")
    assert answer.retry_after == seconds
