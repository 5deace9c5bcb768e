"""The bytes of an answer, read beside the loop and a piece at a time: however large a
film is, and however slowly it is taken, a request holds one piece of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor

from media_archive import files
from media_archive.handing_out.answers import Answer, Shown

READERS = 16
"""Threads of a process that read files. A store that is slow to answer must not keep
the process' other threads waiting."""

_readers = ThreadPoolExecutor(READERS, "files")


async def body_of(answer: Answer, file: Shown) -> AsyncGenerator[bytes, None]:
    """The pieces of the body; the first one is read before this returns. Raises
    ``OSError`` (``FileNotFoundError``, ``Damaged``) for what cannot be read."""
    pieces = files.read(file.name, answer.start, answer.length, size=file.size)
    return _all(await _next(pieces), pieces)


async def _all(first: bytes, pieces: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    piece = first
    try:
        while piece:
            yield piece
            piece = await _next(pieces)
    finally:
        if close := getattr(pieces, "close", None):
            # Whoever hung up left a thread reading: it lets go of the file by itself.
            with contextlib.suppress(ValueError):
                close()


async def _next(pieces: Iterator[bytes]) -> bytes:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_readers, next, pieces, b"")
