"""How many frames a picture has, counted from its structure: nothing is decoded, and
counting ends as soon as there are too many."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from typing import BinaryIO

from media_archive.decoder.messages import BROKEN, Refusal

MOST_PARTS = 100_000
"""Parts of a file that are walked over; frames behind them are not known of."""
MOST_BLOCKS = 250_000
"""Blocks of a GIF, of up to 255 bytes: three times what our largest file needs. Each
costs time here and in Pillow, however short it is."""


def count(file: BinaryIO, content_type: str, most: int) -> int | None:
    """Frames of ``file``, at most ``most`` + 1; ``None`` where only the decoder knows
    (AVIF). A file cut off counts what is there: that it is broken shows later.

    Raises ``Refusal`` for a GIF in too many blocks, a PNG in too many parts."""
    counter = _COUNTERS.get(content_type)
    if counter is None:
        return None if content_type == "image/avif" else 1
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return max(counter(content, most), 1)


def _gif(content: mmap.mmap, most: int) -> int:
    end = len(content)
    found, at, blocks = 0, 13, 0
    if end > at and content[10] & 0x80:
        at += _colours(content[10])
    for _ in range(MOST_PARTS):
        mark = content[at : at + 1]
        if mark == b",":
            found += 1
            if found > most or at + 9 >= end:
                break
            shape = content[at + 9]
            at += 11 + (_colours(shape) if shape & 0x80 else 0)
        elif mark == b"!":
            at += 2
        else:
            break
        while at < end and content[at]:
            at += content[at] + 1
            blocks += 1
            if blocks > MOST_BLOCKS:
                words = (
                    f"It is in more than {MOST_BLOCKS:,} blocks, which is the limit."
                )
                raise Refusal(BROKEN, words)
        at += 1
    return found


def _colours(flags: int) -> int:
    """Bytes of a colour table."""
    return 3 * 2 ** ((flags & 7) + 1)


def _webp(content: mmap.mmap, most: int) -> int:
    found, at = 0, 12
    for _ in range(MOST_PARTS):
        head = content[at : at + 8]
        if len(head) < 8 or found > most:
            break
        found += head[:4] == b"ANMF"
        (length,) = struct.unpack("<I", head[4:])
        at += 8 + length + length % 2
    return found


def _png(content: mmap.mmap, _most: int) -> int:
    found, at, before = 1, 8, True
    for _ in range(MOST_PARTS):
        head = content[at : at + 12]
        if len(head) < 12 or head[4:8] == b"IEND":
            return found
        before = before and head[4:8] != b"IDAT"
        if before and head[4:8] == b"acTL":
            found = struct.unpack(">I", head[8:])[0]
        (length,) = struct.unpack(">I", head[:4])
        at += 12 + length
    words = f"It is in more than {MOST_PARTS:,} parts, which is the limit."
    raise Refusal(BROKEN, words)


_COUNTERS: dict[str, Callable[[mmap.mmap, int], int]] = {
    "image/gif": _gif,
    "image/webp": _webp,
    "image/png": _png,
}
