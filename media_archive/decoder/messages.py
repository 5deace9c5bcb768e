"""What ``media_archive.imaging`` and the decoding process say to each other.

A message is four bytes of length, big-endian, then JSON. Paths travel as text; what
is not UTF-8 in them stays, because JSON escapes it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

LARGEST = 1024 * 1024
"""Bytes of a message. The decoding process is not trusted more than its input."""
HEAD = struct.Struct(">I")

LOOK, RENDER = "look", "render"

NOT_AN_IMAGE = "not_an_image"
TOO_MANY_PIXELS = "too_many_pixels"
TOO_MANY_FRAMES = "too_many_frames"
BROKEN = "broken_image"
TOO_LONG = "decoding_took_too_long"
TOO_MUCH_MEMORY = "decoding_took_too_much_memory"
DISK = "disk"
"""The reasons of refusals; ``DISK`` is not the picture's fault."""


class Limits(TypedDict):
    """What a picture may cost; see ``docs/reference/limits.md``."""

    pixels: int
    frames: int
    seconds: int


class Refusal(Exception):
    """The picture is not taken. ``code`` as above, ``sentence`` is for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


def pack(message: Mapping[str, Any]) -> bytes:
    """One message as bytes."""
    body = json.dumps(message).encode("ascii")
    return HEAD.pack(len(body)) + body


def unpack(read: Callable[[int], bytes]) -> dict[str, Any] | None:
    """The next message; ``None`` when the other side has ended. ``read(n)`` gives
    exactly ``n`` bytes, fewer only at the end.

    Raises ``ValueError`` for what is no message.
    """
    head = read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    (length,) = HEAD.unpack(head)
    if length > LARGEST:
        raise ValueError("a message that is too long")
    body = read(length)
    if len(body) < length:
        return None
    try:
        message = json.loads(body, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("a message that is too deep") from error
    if not isinstance(message, dict):
        raise ValueError("a message that is no object")
    return message


def _refuse_constant(name: str) -> None:
    """Python reads ``NaN`` and ``Infinity``, which are no JSON."""
    raise ValueError(f"a message with {name}")
