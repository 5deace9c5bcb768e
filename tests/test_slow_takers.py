"""An answer in pieces is made as fast as it is taken, and no faster."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.server_process import free_port
from tests.test_serving import MIB, started

PIECES = 32
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
PROBE = f"""
import pathlib, sys
from photowall.serving import Server
from twisted.web.http import HTTPChannel

HTTPChannel.abortTimeout = 1
port, told, seconds = int(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])

async def application(scope, receive, send):
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    if scope["path"] == "/at-once":
        await send({{"type": "http.response.body", "body": bytes({PIECES} * 2**20)}})
        return
    for number in range({PIECES}):
        await send(
            {{"type": "http.response.body", "body": bytes(2**20), "more_body": True}}
        )
        told.write_text(str(number + 1))
    await send({{"type": "http.response.body", "body": b"the end"}})

Server(application, [f"tcp:port={{port}}:interface=127.0.0.1"], http_timeout=seconds,
       verbosity=0).run()
"""


def heard(connection: socket.socket) -> bytes:
    """All that is said until the other side has ended."""
    pieces = []
    while piece := connection.recv(MIB):
        pieces.append(piece)
    return b"".join(pieces)


def made(told: Path) -> int:
    """How many pieces the application has got rid of."""
    return int(told.read_text() or 0) if told.exists() else 0


def settled(told: Path) -> int:
    """The same, once it does not change any more."""
    deadline = time.monotonic() + 20
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < 0.5 or seen < 1:
        assert time.monotonic() < deadline
        if (now := made(told)) != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.02)
    return seen


def connections(port: int) -> int:
    """How many the server on ``port`` has not given back (states: Linux's tcp.h)."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = [row for row in rows if int(row[1].partition(":")[2], 16) == port]
    return sum(row[9] != "0" and row[3] != "0A" for row in ours)


def all_closed(port: int) -> None:
    """Return once it has none."""
    deadline = time.monotonic() + 20
    while connections(port):
        assert time.monotonic() < deadline, "not cut off"
        time.sleep(0.05)


def test_no_more_is_made_than_is_taken(tmp_path: Path) -> None:
    port, told = free_port(), tmp_path / "told"
    with started(["-c", PROBE, str(port), str(told), "60"], port) as server:
        before = server.memory()
        with closing(server.connect()) as connection:
            connection.sendall(GET)
            # What the system's own buffers hold is little.
            assert settled(told) < PIECES // 2
            assert server.memory() - before < 20 * MIB
            said = heard(connection)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.count(bytes(2**20)) == PIECES
    assert b"the end" in said[-20:]
    assert made(told) == PIECES


def test_who_hangs_up_lets_the_application_go(tmp_path: Path) -> None:
    port, told = free_port(), tmp_path / "told"
    with started(["-c", PROBE, str(port), str(told), "60"], port) as server:
        with closing(server.connect()) as connection:
            connection.sendall(GET)
            assert settled(told) < PIECES // 2
        deadline = time.monotonic() + 20
        while made(told) < PIECES:  # nobody is there: nothing is waited for
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_only_who_takes_nothing_is_cut_off(tmp_path: Path) -> None:
    port, told = free_port(), tmp_path / "told"
    with started(["-c", PROBE, str(port), str(told), "1"], port) as server:
        with closing(server.connect()) as connection:
            connection.sendall(GET)
            taken, began = 0, time.monotonic()
            while time.monotonic() - began < 4:  # longer than a request may last
                taken += len(connection.recv(2 * MIB))
                time.sleep(0.05)
            rest = heard(connection)
        assert taken + len(rest) > PIECES * MIB
        told.unlink()
        all_closed(port)
        with closing(server.connect()) as connection:
            connection.sendall(GET)
            assert settled(told) < PIECES // 2
            assert connections(port) == 1
            all_closed(port)  # while we go on not to read
            with pytest.raises(ConnectionResetError):
                heard(connection)


def test_an_answer_in_one_piece_that_is_not_taken_is_cut_off(tmp_path: Path) -> None:
    port, told = free_port(), tmp_path / "told"
    at_once = GET.replace(b" / ", b" /at-once ")
    with started(["-c", PROBE, str(port), str(told), "1"], port) as server:
        with closing(server.connect()) as connection:
            connection.sendall(at_once)
            assert heard(connection).count(bytes(MIB)) == PIECES
        all_closed(port)
        with closing(server.connect()) as connection:
            connection.sendall(at_once)
            assert connection.recv(1)
            assert connections(port) == 1
            all_closed(port)
            with pytest.raises(ConnectionResetError):
                heard(connection)
