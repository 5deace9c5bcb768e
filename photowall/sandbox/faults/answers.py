"""Faults of an answer: said to the wire in place of the true one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from photowall.body_limit import Send
from photowall.facades.instagram_v1.errors import ours, too_many
from photowall.sandbox.faults.board import Fault
from photowall.sandbox.faults.connections import HANG_UP, RESET
from subscriptions.providers.instagram_v1.wire import envelope

Headers = list[tuple[bytes, bytes]]
JSON = envelope.CONTENT_TYPE.encode()
HTML = b"<!doctype html><title>Oops</title><h1>We will be back soon.</h1>\n"
PIECES = 20
"""A slow answer comes in so many pieces."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as the application gave it."""

    status: int
    headers: Headers
    body: bytes


async def answer_badly(
    fault: Fault, true: Said, send: Send, gone: Callable[[], Awaitable[object]]
) -> None:
    """Says ``true`` as ``fault`` has it. ``gone()`` ends when the asker hangs up."""
    match fault.kind.name:
        case "rate_limited":
            body = envelope.encode(too_many().document(enveloped=False))
            await say(send, Said(429, _again(fault, JSON), body))
        case "error_500":
            body = envelope.encode(ours().document())
            await say(send, Said(500, typed(JSON), body))
        case "error_503":
            await say(send, Said(503, _again(fault, b"text/html"), HTML))
        case "html":
            await say(send, Said(200, typed(b"text/html; charset=utf-8"), HTML))
        case "wrong_envelope":
            other = {"status": "ok", "items": [], "more_available": False}
            await say(send, Said(200, typed(JSON), json.dumps(other).encode()))
        case "half_json":
            half = true.body[: len(true.body) // 2]
            await say(send, Said(true.status, true.headers, half))
        case "truncated":
            await start(send, true.status, true.headers, len(true.body))
            half = true.body[: len(true.body) // 2]
            await piece(send, half, more=True)
            await send({"type": HANG_UP})
        case "cut_off":
            await send({"type": RESET})
        case "timeout":
            await _within(gone(), fault.option("delay"))
            await send({"type": RESET})
        case "slow":
            await drip(true, send, fault.option("delay"), gone)
        case other_kind:
            raise LookupError(other_kind)


async def say(send: Send, said: Said) -> None:
    """The whole answer, with its true length."""
    await start(send, said.status, said.headers, len(said.body))
    await piece(send, said.body, more=False)


async def drip(
    true: Said, send: Send, seconds: float, gone: Callable[[], Awaitable[object]]
) -> None:
    """The whole answer, in ``PIECES`` over ``seconds``."""
    await start(send, true.status, true.headers, len(true.body))
    size = max(1, -(-len(true.body) // PIECES))
    left = asyncio.ensure_future(gone())
    try:
        for at in range(0, len(true.body), size):
            await piece(send, true.body[at : at + size], more=True)
            done, _ = await asyncio.wait([left], timeout=seconds / PIECES)
            if done:
                return
        await piece(send, b"", more=False)
    finally:
        left.cancel()


async def _within(waited_for: Awaitable[object], seconds: float) -> None:
    task = asyncio.ensure_future(waited_for)
    await asyncio.wait([task], timeout=seconds)
    task.cancel()


async def start(send: Send, status: int, headers: Headers, length: int) -> None:
    """The status and the headers, with the length that is announced."""
    kept = [(name, value) for name, value in headers if name != b"content-length"]
    start: dict[str, Any] = {
        "type": "http.response.start",
        "status": status,
        "headers": [*kept, (b"content-length", b"%d" % length)],
    }
    await send(start)


async def piece(send: Send, body: bytes, *, more: bool) -> None:
    """Some of the body."""
    await send({"type": "http.response.body", "body": body, "more_body": more})


def typed(content_type: bytes) -> Headers:
    """Headers that say the type."""
    return [(b"content-type", content_type)]


def _again(fault: Fault, content_type: bytes) -> Headers:
    seconds = b"%d" % fault.option("retry_after")
    return [*typed(content_type), (b"retry-after", seconds)]
