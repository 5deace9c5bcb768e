from __future__ import annotations

import datetime as dt
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

from media_archive import guarded_connections, outgoing_http
from media_archive.errors import (
    AnswerTooLarge,
    OutgoingError,
    OutgoingTimeout,
)
from tests.media_archive.outgoing_http.raw_servers import (
    QUICK,
    ROOMY,
    Serve,
    dripping,
    raw_server,
    saying,
)


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
    guarded_connections.tls_context.cache_clear()
    yield
    guarded_connections.tls_context.cache_clear()


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
        assert time.monotonic() - started < 6
    endless = saying(b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000)
    with raw_server(tls(authority, endless, [])) as port:
        pair = inside(f"wall.example:{port}")
        outside(["127.0.0.1"])
        with pytest.raises(AnswerTooLarge):
            outgoing_http.request("GET", f"https://{pair}/", limits=ROOMY)


def test_a_handshake_that_never_comes_ends_at_the_deadline(
    inside: Callable[[str], str],
) -> None:
    done = threading.Event()
    with raw_server(lambda _: (done.wait(10), None)[1]) as port:
        url = f"https://{inside(f'127.0.0.1:{port}')}/"
        started = time.monotonic()
        with pytest.raises(OutgoingTimeout):
            outgoing_http.request("GET", url, limits=QUICK)
        assert time.monotonic() - started < 6
        done.set()
