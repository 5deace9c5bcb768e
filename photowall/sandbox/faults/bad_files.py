"""Files that say they are pictures and are not, or are too much of one.

All are made here, small on the wire, and the same each time.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from functools import cache

BOMB_SIDE = 30_000
"""900 megapixels: 2.7 GB for whoever unpacks it, a hundred kilobytes to send."""
GIF_FRAMES = 20_000
GZIP_BYTES = 64 * 2**20

PAGE = b"""<!doctype html>
<title>Sign in</title>
<h1>Please sign in to see this picture.</h1>
<script>alert(document.cookie)</script>
"""
SVG = b"""<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" width="640" height="640">
<image href="file:///etc/passwd" width="640" height="640"/>
<script>alert(document.cookie)</script>
</svg>
"""


@cache
def bomb() -> bytes:
    """A PNG of ``BOMB_SIDE`` squared black dots."""
    packing = zlib.compressobj(9)
    rows = bytes((BOMB_SIDE // 8 + 1) * 100)
    packed = [packing.compress(rows) for _ in range(BOMB_SIDE // 100)]
    head = struct.pack(">IIBBBBB", BOMB_SIDE, BOMB_SIDE, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", b"".join([*packed, packing.flush()]))
        + _chunk(b"IEND", b"")
    )


@cache
def many_frames() -> bytes:
    """A GIF of ``GIF_FRAMES`` frames of one dot each, endlessly."""
    screen = struct.pack("<HHBBB", 1, 1, 0x80, 0, 0)
    colours = b"\x00\x00\x00\xff\xff\xff"
    endless = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
    frame = (
        b"\x21\xf9\x04\x00\x02\x00\x00\x00"
        b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    )
    return b"GIF89a" + screen + colours + endless + frame * GIF_FRAMES + b"\x3b"


@cache
def packed() -> bytes:
    """What becomes ``GZIP_BYTES`` when it is unpacked."""
    return gzip.compress(bytes(GZIP_BYTES), mtime=0)


def _chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)
