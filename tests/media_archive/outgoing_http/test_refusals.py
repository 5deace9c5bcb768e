from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from media_archive import guarded_connections, outgoing_http
from media_archive.errors import (
    OutgoingError,
    OutgoingTimeout,
    RefusedAddress,
)
from tests.media_archive.outgoing_http.raw_servers import (
    QUICK,
)


def test_loopback_is_refused_when_connecting(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("here")
    with pytest.raises(RefusedAddress):
        outgoing_http.request("GET", httpserver.url_for("/"))
    assert httpserver.log == []


def test_loopback_passes_as_an_exact_pair(
    httpserver: HTTPServer, inside: Callable[[str], str]
) -> None:
    httpserver.expect_request("/").respond_with_data("here")
    inside(f"{httpserver.host}:{httpserver.port}")
    answer = outgoing_http.request("GET", httpserver.url_for("/"))
    assert (answer.status, answer.body) == (200, b"here")
    assert answer.headers["content-type"].startswith("text/plain")
    assert len(httpserver.log) == 1


def test_a_pair_allows_neither_another_port_nor_another_name(
    httpserver: HTTPServer, inside: Callable[[str], str]
) -> None:
    httpserver.expect_request("/").respond_with_data("here")
    inside(f"127.0.0.1:{httpserver.port + 1}")
    with pytest.raises(RefusedAddress):
        outgoing_http.request("GET", f"http://127.0.0.1:{httpserver.port}/")
    inside(f"127.0.0.1:{httpserver.port}")
    with pytest.raises(RefusedAddress):
        outgoing_http.request("GET", f"http://localhost:{httpserver.port}/")
    assert httpserver.log == []
    assert outgoing_http.request("GET", f"http://127.0.0.1:{httpserver.port}/").body


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "localhost.",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "\uff11\uff12\uff17.0.0.1",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_private_hosts_are_refused_before_any_connection(
    host: str, scheme: str, dialled: list[Any]
) -> None:
    with pytest.raises(RefusedAddress):
        outgoing_http.request("GET", f"{scheme}://{host}/")
    assert dialled == []


def test_a_name_with_one_private_answer_among_public_ones_is_refused(
    outside: Callable[..., list[str]], dialled: list[Any]
) -> None:
    outside(["93.184.215.14", "10.0.0.1"])
    with pytest.raises(RefusedAddress):
        outgoing_http.request("GET", "http://wall.example/")
    assert dialled == []

    outside(["93.184.215.14", "2606:4700::1111"])
    with pytest.raises(OutgoingError) as caught:
        outgoing_http.request("GET", "http://wall.example/")
    assert not isinstance(caught.value, RefusedAddress)
    assert [address[0] for address in dialled] == ["93.184.215.14", "2606:4700::1111"]


def test_a_name_that_turns_private_after_the_check_reaches_nobody(
    httpserver: HTTPServer,
    inside: Callable[[str], str],
    outside: Callable[..., list[str]],
    dialled: list[Any],
) -> None:
    """DNS rebinding: the second answer is never asked for, let alone called."""
    httpserver.expect_request("/").respond_with_data("secret")
    asked = outside(["93.184.215.14"], ["127.0.0.1"])
    with pytest.raises(OutgoingError):
        outgoing_http.request("GET", "http://wall.example/")
    assert asked == ["wall.example"]
    assert dialled == [("93.184.215.14", 80)]
    assert httpserver.log == []

    # The other way round it is refused at connect, with the same well-formed URL.
    outside(["127.0.0.1"])
    with pytest.raises(RefusedAddress):
        outgoing_http.request("GET", "http://wall.example/")
    assert dialled == [("93.184.215.14", 80)]

    # And the name does lead to the server once it is allowed to.
    outside(["127.0.0.1"])
    inside(f"wall.example:{httpserver.port}")
    url = f"http://wall.example:{httpserver.port}/"
    assert outgoing_http.request("GET", url).body == b"secret"
    assert httpserver.log[0][0].host == f"wall.example:{httpserver.port}"


def test_other_ports_are_refused_without_asking_for_the_name(
    outside: Callable[..., list[str]],
) -> None:
    asked = outside(["93.184.215.14"])
    with pytest.raises(RefusedAddress, match="Port 6379"):
        outgoing_http.request("GET", "http://wall.example:6379/")
    assert asked == []


def test_an_unknown_name_is_an_error_that_may_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(guarded_connections.socket, "getaddrinfo", unknown)
    with pytest.raises(OutgoingError) as caught:
        outgoing_http.request("GET", "http://wall.example/")
    assert caught.value.retryable


def test_a_name_service_that_hangs_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hanging(*_: Any, **__: Any) -> list[Any]:
        release.wait(10)
        return []

    monkeypatch.setattr(guarded_connections.socket, "getaddrinfo", hanging)
    started = time.monotonic()
    with pytest.raises(OutgoingTimeout):
        outgoing_http.request("GET", "http://wall.example/", limits=QUICK)
    release.set()
    assert time.monotonic() - started < 6


def test_a_name_is_judged_anew_on_every_hop(
    httpserver: HTTPServer,
    inside: Callable[[str], str],
    outside: Callable[..., list[str]],
    dialled: list[Any],
) -> None:
    """It was public for the first hop; for the second it says the loopback."""
    inside(f"wall.example:{httpserver.port}")
    httpserver.expect_request("/").respond_with_data(
        "", status=302, headers={"Location": "http://pictures.example/inside"}
    )
    asked = outside(["127.0.0.1"], ["127.0.0.1"])
    with pytest.raises(RefusedAddress):
        outgoing_http.request(
            "GET",
            f"http://wall.example:{httpserver.port}/",
            limits=outgoing_http.PICTURE,
        )
    assert asked == ["wall.example", "pictures.example"]
    assert dialled == [("127.0.0.1", httpserver.port)]
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:93.184.215.14",
        "::93.184.215.14",
        "64:ff9b::5db8:d70e",
        "2002:5db8:d70e::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "fec0::1",
        "ff02::1",
        "fd00::1",
        "100.64.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "224.0.0.1",
    ],
)
def test_special_answers_of_the_name_service_reach_nobody(
    address: str, outside: Callable[..., list[str]], dialled: list[Any]
) -> None:
    outside([address])
    with pytest.raises(RefusedAddress):
        outgoing_http.request("GET", "https://wall.example/")
    assert dialled == []


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
        "file:///etc/passwd",
        "gopher://wall.example/_x",
        "data:image/png;base64,aGk=",
        "http://ada:pw@wall.example/",
        "http://wall.example\\@127.0.0.1/",
        "http://wall.example/\r\nHost: other",
        "http://wall.example:22/",
    ],
)
@pytest.mark.parametrize("how", ["request", "fetch"])
def test_tricks_are_refused_before_a_name_is_asked_for(
    url: str,
    how: str,
    outside: Callable[..., list[str]],
    dialled: list[Any],
    tmp_path: Path,
) -> None:
    asked = outside(["127.0.0.1"])
    call: Callable[[], object] = partial(outgoing_http.request, "GET", url)
    if how == "fetch":
        into = tmp_path / "part-1"
        call = partial(
            outgoing_http.fetch, url, into=into, limits=outgoing_http.PICTURE
        )
    with pytest.raises(RefusedAddress):
        call()
    assert asked in ([], ["127.0.0.1"])
    assert dialled == []
    assert list(tmp_path.iterdir()) == []
