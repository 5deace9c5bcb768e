"""Sockets that know one deadline and one byte limit for a whole exchange.

A time-out of a socket starts afresh with every byte that drips in, and a limit on
the body sees neither headers nor chunk sizes. So both are watched where the bytes
arrive: below TLS they pass through ``recv_into``, every one of them.
"""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from media_archive.errors import AnswerTooLarge, NoAnswer, OutgoingTimeout

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


@dataclass(slots=True)
class Guard:
    """What is left of an exchange with ``pair`` (for messages).

    ``deadline`` is monotonic time, ``read`` the longest silence in seconds,
    ``bytes_left`` what may still arrive: headers, framing and body.
    """

    pair: str
    deadline: float
    read: float
    bytes_left: int

    def seconds(self, most: float | None = None) -> float:
        """How long the next step may take. Raises ``OutgoingTimeout``."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise self.timeout()
        return min(left, self.read if most is None else most)

    def timeout(self) -> OutgoingTimeout:
        return OutgoingTimeout(f"{self.pair} did not answer in time.")

    def silence(self) -> NoAnswer:
        return NoAnswer(self.timeout().message)

    def count(self, arrived: int) -> None:
        """Raises ``AnswerTooLarge``."""
        self.bytes_left -= arrived
        if self.bytes_left < 0:
            raise AnswerTooLarge(f"The answer of {self.pair} is too large.")


class GuardedSocket(socket.socket):
    """A socket under a guard; without one (before ``connect``) it is plain."""

    guard: Guard | None = None

    def recv_into(
        self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0
    ) -> int:
        if self.guard is None:
            return super().recv_into(buffer, nbytes, flags)
        try:
            self.settimeout(self.guard.seconds())
            arrived = super().recv_into(buffer, nbytes, flags)
        except (TimeoutError, OutgoingTimeout) as error:
            # Nobody reads before everything is sent.
            raise self.guard.silence() from error
        self.guard.count(arrived)
        return arrived

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        if self.guard is None:
            return super().sendall(data, flags)
        self.settimeout(self.guard.seconds())
        try:
            return super().sendall(data, flags)
        except TimeoutError as error:
            raise self.guard.timeout() from error


class GuardedTLSSocket(ssl.SSLSocket):
    """The same on top of TLS. Its guard is set when the handshake is done; the
    handshake itself is one call under the time-out of the plain socket."""

    guard: Guard | None = None

    def recv_into(
        self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0
    ) -> int:
        if self.guard is None:
            return super().recv_into(buffer, nbytes, flags)
        try:
            self.settimeout(self.guard.seconds())
            arrived = super().recv_into(buffer, nbytes, flags)
        except (TimeoutError, OutgoingTimeout) as error:
            # Nobody reads before everything is sent.
            raise self.guard.silence() from error
        self.guard.count(arrived)
        return arrived

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        # ``sendall`` of a TLS socket is a loop around this.
        if self.guard is None:
            return super().send(data, flags)
        self.settimeout(self.guard.seconds())
        try:
            return super().send(data, flags)
        except TimeoutError as error:
            raise self.guard.timeout() from error
