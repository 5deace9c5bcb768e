"""``inside`` makes a loopback server callable as the settings would; ``outside``
plays the name service; ``dialled`` lists what was connected to."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import pytest

from media_archive import guarded_connections, guarded_sockets


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

        monkeypatch.setattr(guarded_connections.socket, "getaddrinfo", getaddrinfo)
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
