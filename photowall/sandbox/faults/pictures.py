"""Faults of a picture: said to the wire in place of the true file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from photowall.body_limit import Send
from photowall.sandbox.faults import bad_files
from photowall.sandbox.faults.answers import Said, drip, piece, say, start, typed
from photowall.sandbox.faults.board import Fault
from photowall.sandbox.faults.connections import RESET

INSIDE = b"http://169.254.169.254/latest/meta-data/"
"""Where a redirect leads that wants to see what is inside."""
ENDLESS = 64 * 2**20
"""An endless picture ends here, by a broken line: a forgotten asker is not fed for
ever."""
PIECE = 2**18
PACE = 0.005
"""Seconds between two pieces: what nobody takes lies in our memory."""
NEEDS_TRUTH = frozenset({"picture_cut_off", "picture_slow", "picture_truncated"})
JPEG = b"image/jpeg"
TEXT = b"text/plain; charset=utf-8"

Gone = Callable[[], Awaitable[object]]


async def serve_badly(fault: Fault, true: Said, send: Send, gone: Gone) -> None:
    """Says the picture ``true`` as ``fault`` has it. ``gone()`` ends when the asker
    hangs up."""
    half = true.body[: len(true.body) // 2]
    match fault.kind.name:
        case "picture_cut_off":
            await start(send, true.status, true.headers, len(true.body))
            await piece(send, half, more=True)
            # What was said is on its way before the line breaks.
            await asyncio.sleep(0.05)
            await send({"type": RESET})
        case "picture_slow":
            await drip(true, send, fault.option("delay"), gone)
        case "picture_500":
            await say(send, Said(500, typed(TEXT), b"Internal Server Error"))
        case "picture_429":
            again = (b"retry-after", b"%d" % fault.option("retry_after"))
            headers = [*typed(TEXT), again]
            await say(send, Said(429, headers, b"Too Many Requests"))
        case "picture_404":
            await say(send, Said(404, typed(TEXT), b"Not Found"))
        case "picture_truncated":
            await say(send, Said(200, true.headers, half))
        case "picture_html":
            await say(send, Said(200, typed(JPEG), bad_files.PAGE))
        case "picture_svg":
            await say(send, Said(200, typed(JPEG), bad_files.SVG))
        case "picture_endless":
            await _endless(send, gone)
        case "picture_bomb":
            bomb = await asyncio.to_thread(bad_files.bomb)
            await say(send, Said(200, typed(b"image/png"), bomb))
        case "picture_frames":
            frames = await asyncio.to_thread(bad_files.many_frames)
            await say(send, Said(200, typed(b"image/gif"), frames))
        case "picture_gzip":
            packed = await asyncio.to_thread(bad_files.packed)
            headers = [*typed(JPEG), (b"content-encoding", b"gzip")]
            await say(send, Said(200, headers, packed))
        case "picture_redirect":
            await say(send, Said(302, [*typed(TEXT), (b"location", INSIDE)], b""))
        case other_kind:
            raise LookupError(other_kind)


async def _endless(send: Send, gone: Gone) -> None:
    """A JPEG that begins, and goes on without a word of its length."""
    headers = typed(JPEG)
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await piece(send, b"\xff\xd8\xff\xe0", more=True)
    left = asyncio.ensure_future(gone())
    try:
        for _ in range(ENDLESS // PIECE):
            await piece(send, bytes(PIECE), more=True)
            done, _ = await asyncio.wait([left], timeout=PACE)
            if done:
                return
    finally:
        left.cancel()
    await send({"type": RESET})
