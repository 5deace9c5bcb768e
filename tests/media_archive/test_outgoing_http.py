"""The only way out, tried against servers of our own on the loopback.

``inside`` makes a loopback server callable as the settings would; a name that
"resolves" elsewhere is played by replacing ``getaddrinfo``.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from media_archive import guarded_sockets, outgoing_http
from media_archive.errors import (
    AnswerTooLarge,
    OutgoingError,
    OutgoingTimeout,
    RefusedAddress,
)
from media_archive.outgoing_http import CHALLENGE, DELIVERY, PICTURE, UPSTREAM, Limits

QUICK = Limits(connect=0.5, read=0.5, total=0.5, max_bytes=4_096)

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


@pytest.fixture
def inside(settings: Any) -> Callable[[str], str]:
    """Allows ``host:port`` and gives it back."""

    def allow(pair: str) -> str:
        settings.PHOTOWALL_PRIVATE_HOSTS = [pair]
        return pair

    return allow


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Plays the name service: each look-up takes the next list of addresses."""

    def answering(*answers: list[str]) -> list[str]:
        asked: list[str] = []
        left = list(answers)

        def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
            asked.append(host)
            found = []
            for address in left.pop(0):
                six = ":" in address
                family = socket.AF_INET6 if six else socket.AF_INET
                end = (address, port, 0, 0) if six else (address, port)
                found.append((family, socket.SOCK_STREAM, 6, "", end))
            return found

        monkeypatch.setattr(outgoing_http.socket, "getaddrinfo", getaddrinfo)
        return asked

    return answering


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address a socket of ours connects to. None of them is really called,
    unless it is on the loopback."""
    addresses: list[Any] = []
    really = guarded_sockets.GuardedSocket.connect

    def connect(sock: socket.socket, address: Any) -> None:
        addresses.append(address)
        if not ipaddress.ip_address(address[0]).is_loopback:
            raise ConnectionRefusedError
        really(sock, address)

    monkeypatch.setattr(guarded_sockets.GuardedSocket, "connect", connect)
    return addresses


# Refusals


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
        outgoing_http.request("GET", f"{scheme}://{host}/", limits=QUICK)
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

    monkeypatch.setattr(outgoing_http.socket, "getaddrinfo", unknown)
    with pytest.raises(OutgoingError) as caught:
        outgoing_http.request("GET", "http://wall.example/")
    assert caught.value.retryable


def test_a_name_service_that_hangs_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hanging(*_: Any, **__: Any) -> list[Any]:
        release.wait(10)
        return []

    monkeypatch.setattr(outgoing_http.socket, "getaddrinfo", hanging)
    started = time.monotonic()
    with pytest.raises(OutgoingTimeout):
        outgoing_http.request("GET", "http://wall.example/", limits=QUICK)
    release.set()
    assert time.monotonic() - started < 3


# Time and size


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
        assert 0.4 < time.monotonic() - started < 2


def test_silence_ends_at_the_read_limit(inside: Callable[[str], str]) -> None:
    def silent(connection: socket.socket) -> None:
        connection.recv(65_536)
        time.sleep(0.8)

    limits = Limits(connect=1, read=0.3, total=20, max_bytes=10)
    with raw_server(silent) as port:
        url = f"http://{inside(f'127.0.0.1:{port}')}/"
        started = time.monotonic()
        with pytest.raises(OutgoingTimeout):
            outgoing_http.request("GET", url, limits=limits)
        assert time.monotonic() - started < 0.8


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
            outgoing_http.request("GET", url, limits=QUICK)


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
        assert outgoing_http.request("GET", url, limits=QUICK).body == b"x" * 4_096


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
            outgoing_http.request("GET", url, limits=QUICK)
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


# Redirects


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
    answer = outgoing_http.Answer(429, {"retry-after": said}, b"", "http://a.example/")
    assert answer.retry_after == seconds


# TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for wall.example that is its own authority; key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wall.example")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("wall.example")]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder


@pytest.fixture
def trusted(authority: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "certificate.pem"))
    outgoing_http._tls_context.cache_clear()
    yield
    outgoing_http._tls_context.cache_clear()


def tls(authority: Path, serve: Serve, names: list[str | None]) -> Serve:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "certificate.pem", authority / "key.pem")
    context.sni_callback = lambda _, name, __: names.append(name)

    def wrapped(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            serve(secure)

    return wrapped


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.usefixtures("trusted")
def test_tls_keeps_the_name_while_the_address_is_pinned(
    authority: Path,
    inside: Callable[[str], str],
    outside: Callable[..., list[str]],
    dialled: list[Any],
) -> None:
    names: list[str | None] = []
    with raw_server(tls(authority, saying(OK), names)) as port:
        pair = inside(f"wall.example:{port}")
        outside(["127.0.0.1"])
        assert outgoing_http.request("GET", f"https://{pair}/").body == b"ok"
        assert names == ["wall.example"]
        assert dialled == [("127.0.0.1", port)]

        pair = inside(f"other.example:{port}")
        outside(["127.0.0.1"])
        with pytest.raises(OutgoingError, match="certificate"):
            outgoing_http.request("GET", f"https://{pair}/")


def test_an_unknown_authority_is_refused(
    authority: Path,
    inside: Callable[[str], str],
    outside: Callable[..., list[str]],
) -> None:
    names: list[str | None] = []
    with raw_server(tls(authority, saying(OK), names)) as port:
        pair = inside(f"wall.example:{port}")
        outside(["127.0.0.1"])
        with pytest.raises(OutgoingError, match="certificate"):
            outgoing_http.request("GET", f"https://{pair}/")
    assert names == ["wall.example"]


@pytest.mark.usefixtures("trusted")
def test_the_deadline_and_the_limit_hold_below_tls(
    authority: Path,
    inside: Callable[[str], str],
    outside: Callable[..., list[str]],
) -> None:
    slow = dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", b"x")
    with raw_server(tls(authority, slow, [])) as port:
        pair = inside(f"wall.example:{port}")
        outside(["127.0.0.1"])
        started = time.monotonic()
        with pytest.raises(OutgoingTimeout):
            outgoing_http.request("GET", f"https://{pair}/", limits=QUICK)
        assert time.monotonic() - started < 2.5
    endless = saying(b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000)
    with raw_server(tls(authority, endless, [])) as port:
        pair = inside(f"wall.example:{port}")
        outside(["127.0.0.1"])
        with pytest.raises(AnswerTooLarge):
            outgoing_http.request("GET", f"https://{pair}/", limits=QUICK)


def test_a_handshake_that_never_comes_ends_at_the_deadline(
    inside: Callable[[str], str],
) -> None:
    with raw_server(lambda _: time.sleep(1)) as port:
        url = f"https://{inside(f'127.0.0.1:{port}')}/"
        started = time.monotonic()
        with pytest.raises(OutgoingTimeout):
            outgoing_http.request("GET", url, limits=QUICK)
        assert time.monotonic() - started < 2.5
