"""How many scans a JPEG has: each of them goes over all pixels once more.

Only markers are walked over. What libjpeg skips is skipped here, so that no scan can
hide, and a thumbnail in the camera's notes does not count.
"""

from __future__ import annotations

import mmap
import re
import struct
from typing import BinaryIO

from media_archive.decoder.messages import BROKEN, Refusal

MOST_SCANS = 100
"""Cameras write 1, progressive ones have about 10."""
MOST_MARKERS = 100_000

# Not: stuffed zeros, parameterless TEM, restarts, fill bytes. One byte and then one:
# the search goes over the file once, whatever is in it.
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])", re.DOTALL)
_START_OF_SCAN, _END, _START = 0xDA, 0xD9, 0xD8
_FIRST_WITH_LENGTH = 0xC0
_LENGTH = struct.Struct(">H")


def refuse_too_many(file: BinaryIO) -> None:
    """Raises ``Refusal`` for a JPEG with more than ``MOST_SCANS`` scans, or of too
    many parts to tell."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if _scans(content) > MOST_SCANS:
            words = f"It is stored in more than {MOST_SCANS} scans, which is the limit."
            raise Refusal(BROKEN, words)


def _scans(content: mmap.mmap) -> int:
    """At most ``MOST_SCANS`` + 1."""
    found, at = 0, 2
    for _ in range(MOST_MARKERS):
        marker = _MARKER.search(content, at)
        if marker is None or found > MOST_SCANS:
            return found
        at = marker.end()
        (code,) = marker[1]
        if code == _END:
            return found
        found += code == _START_OF_SCAN
        if code < _FIRST_WITH_LENGTH or code == _START:
            continue  # no segment that a decoder would skip as a whole
        length = content[at : at + 2]
        if len(length) == 2:
            at += max(2, _LENGTH.unpack(length)[0])
    words = f"It is in more than {MOST_MARKERS:,} parts, which is the limit."
    raise Refusal(BROKEN, words)
