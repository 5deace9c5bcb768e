"""What a client may say, how much and how often."""

from __future__ import annotations

import json
from dataclasses import dataclass

LARGEST = 4 * 1024
"""Bytes of one message."""

A_MINUTE = 50
"""Messages."""

LARGEST_CURSOR = 2**63 - 1
WORDS = frozenset({"ack", "pong", "resume"})

BAD_MESSAGE = 4400
TOO_LARGE = 4408
TOO_MANY = 4429


class BadMessage(Exception):
    """Not a message of the protocol; ``code`` is what the connection is closed
    with."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a client; ``cursor`` is 0 for a pong."""

    word: str
    cursor: int = 0


def parse(text: str | None) -> Said:
    """Read a message. Raises ``BadMessage`` for anything but the three words."""
    if text is None:
        raise BadMessage(BAD_MESSAGE)
    if len(text) > LARGEST or len(text.encode("utf-8", "replace")) > LARGEST:
        raise BadMessage(TOO_LARGE)
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessage(BAD_MESSAGE) from error
    word = body.get("type") if isinstance(body, dict) else None
    if not isinstance(word, str) or word not in WORDS:
        raise BadMessage(BAD_MESSAGE)
    return Said(word, 0 if word == "pong" else a_cursor(body.get("cursor")))


def a_cursor(value: object) -> int:
    """``value`` as a journal number. Raises ``BadMessage``."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadMessage(BAD_MESSAGE)
    if not 0 <= value <= LARGEST_CURSOR:
        raise BadMessage(BAD_MESSAGE)
    return value


def since_of(values: list[str]) -> int | None:
    """The ``since`` of an address; None if there is none. Raises ``BadMessage``."""
    if not values:
        return None
    text = values[-1]
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise BadMessage(BAD_MESSAGE)
    return a_cursor(int(text))


class Patience:
    """``A_MINUTE`` messages at once, and as many again every minute."""

    def __init__(self, now: float) -> None:
        self._left = float(A_MINUTE)
        self._at = now

    def spend(self, now: float) -> bool:
        """Whether one more message at ``now`` (seconds) is still fine."""
        gained = (now - self._at) * A_MINUTE / 60
        self._left = min(float(A_MINUTE), self._left + gained)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def give_back(self) -> None:
        """That message was called for; it does not count."""
        self._left = min(float(A_MINUTE), self._left + 1)
