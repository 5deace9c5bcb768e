"""Speaks to the whole ASGI application as a server does, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from asgiref.sync import async_to_sync

from photowall import asgi
from subscriptions.models import Subscription
from tests.subscriptions.upstream import signed

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Knock:
    """One request. ``pieces`` is the body as it arrives; ``breaks_off`` means that the
    sender goes away after them."""

    path: str
    pieces: Sequence[bytes] = (b"",)
    headers: Headers = ()
    method: str = "POST"
    query: bytes = b""
    scheme: str = "http"
    host: bytes | None = b"localhost"
    breaks_off: bool = False


@dataclass
class Answer:
    """What came back; empty if nothing did."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def all_of_it(self) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """For comparing: two refusals that look alike have the same."""
        return self.status, tuple(sorted(self.headers.items())), self.body


def to(
    subscription: Subscription | None, body: bytes, *more: Any, **said: Any
) -> Knock:
    """A notification for ``subscription``, or for nobody; ``more`` are headers."""
    callback_id = subscription.callback_id if subscription else uuid4()
    pieces = said.pop("pieces", (body,))
    return Knock(f"/callbacks/{callback_id}/", pieces, headers=more, **said)


def good(subscription: Subscription, body: bytes, **said: Any) -> Knock:
    """A notification that is signed as it must be."""
    return to(subscription, body, *raw(signed(body)), **said)


def raw(headers: Mapping[str, str]) -> Headers:
    """Headers as they come over the wire."""
    return [(k.encode(), v.encode("latin-1")) for k, v in headers.items()]


def ask(knock: Knock, application: Any = asgi.application) -> Answer:
    """The answer to one request."""
    return ask_all([knock], application)[0]


def ask_all(
    knocks: Sequence[Knock], application: Any = asgi.application
) -> list[Answer]:
    """The answers to requests that come at once, in the order of ``knocks``."""

    async def together() -> list[Answer]:
        talks = [asyncio.create_task(talk(each, application)) for each in knocks]
        return list(await asyncio.gather(*talks))

    return async_to_sync(together)()


async def talk(knock: Knock, application: Any = asgi.application) -> Answer:
    """One exchange, as a server would have it."""
    left = list(knock.pieces)
    answer = Answer()

    async def receive() -> dict[str, Any]:
        if left:
            body = left.pop(0)
            more = bool(left) or knock.breaks_off
            return {"type": "http.request", "body": body, "more_body": more}
        if not knock.breaks_off:
            await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {
                name.decode().lower(): value.decode("latin-1")
                for name, value in message["headers"]
            }
        else:
            answer.body += message.get("body", b"")

    await application(scope_of(knock), receive, send)
    return answer


def scope_of(knock: Knock) -> dict[str, Any]:
    """What a server tells of the request before its body."""
    host = [] if knock.host is None else [(b"host", knock.host)]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": knock.method,
        "path": knock.path,
        "raw_path": knock.path.encode(),
        "root_path": "",
        "scheme": knock.scheme,
        "query_string": knock.query,
        "headers": [*host, *knock.headers],
        "client": ["127.0.0.1", 40_000],
        "server": ["127.0.0.1", 80],
    }
