"""A body above the limit costs nothing, however it is sent; others arrive whole."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.server_process import free_port

ROOT = Path(__file__).resolve().parents[1]
MIB = 1024 * 1024
LIMIT = int(1.2 * MIB)
FLOOD = 60 * MIB
PROBE = """
import sys
from photowall.serving import Server

async def application(scope, receive, send):
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    text = b"%d" % size
    length = (b"content-length", b"%d" % len(text))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": text})

port, limit, seconds = map(int, sys.argv[1:])
Server(application, [f"tcp:port={port}:interface=127.0.0.1"], http_timeout=seconds,
       largest_body=limit, verbosity=0).run()
"""


@dataclass
class Running:
    """A server process on a port of the loopback."""

    port: int
    process: subprocess.Popen[bytes]
    most: int = field(default=0)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def look(self) -> None:
        """Remember how large its open temporary files are in all."""
        size = 0
        for entry in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                if "(deleted)" in str(entry.readlink()):
                    size += entry.stat().st_size
            except FileNotFoundError:
                continue  # closed while we looked
        self.most = max(self.most, size)

    def memory(self) -> int:
        """Resident bytes."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def started(words: list[str], port: int, **environment: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        env=os.environ | environment,
        # As a background shell starts its jobs.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509
    )
    running = Running(port, process)
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None
            try:
                running.connect().close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, "not up in time"
                time.sleep(0.05)
        yield running
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    port = free_port()
    with started(["-c", PROBE, str(port), str(LIMIT), "60"], port) as running:
        yield running


def heard(connection: socket.socket) -> bytes:
    """All that is said until the other side has ended."""
    said = b""
    while piece := connection.recv(65536):
        said += piece
    return said


def pour(server: Running, connection: socket.socket, size: int) -> int:
    """Send chunks until all is sent or the line is cut; how much was taken."""
    piece = b"x" * 65536
    chunk = b"%x\r\n%s\r\n" % (len(piece), piece)
    sent = 0
    try:
        while sent < size:
            connection.sendall(chunk)
            sent += len(piece)
            if sent % MIB == 0:
                server.look()
        connection.sendall(b"0\r\n\r\n")
    except (BrokenPipeError, ConnectionResetError):
        return sent
    return sent


HEAD = b"POST /callbacks/x/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"


def test_a_length_above_the_limit_is_refused_before_the_body(server: Running) -> None:
    with closing(server.connect()) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n" % (LIMIT + 1))
        connection.sendall(b"Expect: 100-continue\r\n\r\n")
        said = heard(connection)
    assert said.startswith(b"HTTP/1.1 413 Content Too Large\r\n")
    assert said.endswith(b"The body is larger than %d bytes.\n" % LIMIT)
    assert said.count(b"HTTP/1.1") == 1


def test_a_body_without_a_length_is_cut_and_not_kept(server: Running) -> None:
    server.most, before = 0, server.memory()
    with closing(server.connect()) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        pour(server, connection, FLOOD)
        server.look()
    assert server.most <= LIMIT
    assert server.memory() - before < 20 * MIB


def test_whoever_stops_talking_hears_the_refusal(server: Running) -> None:
    with closing(server.connect()) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        assert pour(server, connection, 4 * MIB) >= LIMIT
        assert heard(connection).startswith(b"HTTP/1.1 413 ")


def test_whoever_never_stops_is_cut_off(server: Running) -> None:
    began = time.monotonic()
    with closing(server.connect()) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        with suppress(BrokenPipeError, ConnectionResetError):
            while time.monotonic() - began < 30:
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("size", [0, 1, MIB, LIMIT])
def test_a_body_below_the_limit_arrives_whole(server: Running, size: int) -> None:
    with closing(server.connect()) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % size + b"x" * size)
        said = heard(connection)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"\r\n\r\n%d" % size)


def test_a_body_in_chunks_below_the_limit_arrives_whole(server: Running) -> None:
    server.most = 0
    with closing(server.connect()) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        deadline = time.monotonic() + 20
        while server.most == 0:  # the look at the temporary files does see them
            assert time.monotonic() < deadline
            time.sleep(0.01)
            server.look()
        assert pour(server, connection, MIB) == MIB
        assert heard(connection).endswith(b"\r\n\r\n%d" % (MIB + 65536))


def test_a_request_that_never_gets_complete_is_dropped() -> None:
    port = free_port()
    words = ["-c", PROBE, str(port), str(LIMIT), "1"]
    with started(words, port) as server, closing(server.connect()) as connection:
        connection.sendall(HEAD + b"Content-Length: 100\r\n\r\nx")
        began = time.monotonic()
        with suppress(ConnectionResetError):
            assert heard(connection) == b""
        assert time.monotonic() - began < 15


def test_the_program_serves_photowall_with_the_setting(tmp_path: Path) -> None:
    port = free_port()
    words = ["-m", "photowall.serving", "-b", "127.0.0.1", "-p", str(port)]
    with started(words, port, PHOTOWALL_LARGEST_BODY="5000") as server:
        with closing(server.connect()) as connection:
            connection.sendall(HEAD + b"Content-Length: 5001\r\n\r\n")
            assert heard(connection).startswith(b"HTTP/1.1 413 ")
        with closing(server.connect()) as connection:
            connection.sendall(HEAD + b"Content-Length: 5000\r\n\r\n" + b"x" * 5000)
            said = heard(connection)
        assert b"Server: Photowall" in said or b"server: Photowall" in said
        assert not said.startswith(b"HTTP/1.1 413 ")
        server.process.send_signal(signal.SIGINT)  # ignored when it was started
        assert server.process.wait(20) == 0


TALKER = """
import sys
from photowall.serving import CommandLine

async def application(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "x" * 2_000_000})
    while (await receive())["type"] != "websocket.disconnect":
        pass

CommandLine().run(["-b", "127.0.0.1", "-p", sys.argv[1], "__main__:application"])
"""
UPGRADE = (
    b"GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def test_a_viewer_is_sent_large_messages_and_may_send_small_ones() -> None:
    port = free_port()
    with started(["-c", TALKER, str(port)], port) as server:
        with closing(server.connect()) as connection:
            connection.sendall(UPGRADE)
            heard_so_far = 0
            while heard_so_far < 2_000_000:
                piece = connection.recv(65_536)
                assert piece, "the line was closed before the message was whole"
                heard_so_far += piece.count(b"x")
            # A masked text frame of 9,000 bytes (RFC 6455, section 5.2).
            frame = b"\x81\xfe" + (9_000).to_bytes(2, "big") + bytes(4) + b"y" * 9_000
            answer = b""
            with suppress(ConnectionResetError):
                connection.sendall(frame)
                answer = connection.recv(1_024)
        # A close frame with status 1009, "message too big", or the line cut.
        assert answer == b"" or answer[2:4] == (1009).to_bytes(2, "big")
