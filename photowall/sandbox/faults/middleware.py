"""Around the sandbox's application: counts the v1 calls, and answers them badly, and
those for pictures."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from channels.db import database_sync_to_async

from media_archive.errors import InvalidTag
from media_archive.tags import normalise_tag
from photowall.body_limit import Application, Message, Receive, Scope, Send
from photowall.facades.instagram_v1.errors import DialectError
from photowall.sandbox import changing
from photowall.sandbox.counting import counts
from photowall.sandbox.faults import pictures, signing
from photowall.sandbox.faults.answers import JSON, Said, answer_badly, say, typed
from photowall.sandbox.faults.board import Fault, board
from photowall.sandbox.faults.kinds import Family, names_of
from photowall.sandbox.faults.listing import spoil
from subscriptions.providers.instagram_v1.wire import envelope

LISTING = re.compile(r"/v1/tags/(?P<tag>[^/]+)/media/recent(?:\.json)?/?")
ANSWERS = names_of(Family.ANSWER)
LISTINGS = names_of(Family.LISTING)
CHANGES = frozenset({"edits", "deletions"})
NEEDS_TRUTH = frozenset({"slow", "truncated", "half_json"})
LATEST = "max_tag_id"
PICTURES = "/sandbox/pictures/"
EXPIRY = frozenset({"picture_expired"})
OF_PICTURES = names_of(Family.PICTURE)
AT_A_PICTURE = OF_PICTURES - EXPIRY


@dataclass
class Exchange:
    """One v1 call, with its body read."""

    scope: Scope
    receive: Receive
    body: bytes = b""
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.scope["query_string"].decode("latin-1")))

    @property
    def client(self) -> str:
        """Who says to be calling, wherever they say it."""
        form = dict(parse_qsl(self.body.decode("latin-1"))) if self.body else {}
        said = form | self.query
        return said.get("client_id") or said.get("access_token", "")[:8] or "(nobody)"

    @property
    def kind(self) -> str:
        known = self.scope["path"].startswith("/v1/subscriptions")
        return "subscriptions" if known else "media"

    @property
    def tag(self) -> str:
        """The tag whose listing is asked for; else empty."""
        match = LISTING.fullmatch(self.scope["path"])
        if match is None:
            return ""
        try:
            return normalise_tag(unquote(match["tag"]))
        except InvalidTag:
            return ""

    async def read(self) -> None:
        """The body: it is small, the server has seen to that."""
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
                return
            self.body += message.get("body", b"")
            more = message.get("more_body", False)

    async def until_gone(self) -> None:
        """Until the caller hangs up."""
        while not self.gone.is_set():
            if (await self.receive())["type"] == "http.disconnect":
                self.gone.set()

    def replay(self) -> Receive:
        """The body once more, then nothing until the caller hangs up."""
        waiting: list[Message] = [
            {"type": "http.request", "body": self.body, "more_body": False}
        ]

        async def receive() -> Message:
            if waiting:
                return waiting.pop()
            await self.gone.wait()
            return {"type": "http.disconnect"}

        return receive


class FaultyUpstream:
    """An ASGI application around the sandbox's."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if (
            path.startswith(PICTURES)
            and path != PICTURES
            and scope["method"] in ("GET", "HEAD")
        ):
            await self._picture(Exchange(scope, receive), send)
            return
        if not path.startswith("/v1/"):
            await self._application(scope, receive, send)
            return
        exchange = Exchange(scope, receive)
        await exchange.read()
        client = exchange.client
        counts.arrived(client, exchange.kind, exchange.tag)

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                counts.answered(client, message["status"])
            await send(message)

        watch = asyncio.ensure_future(exchange.until_gone())
        try:
            await self._answer(exchange, counted)
        finally:
            watch.cancel()

    async def _answer(self, exchange: Exchange, send: Send) -> None:
        tag = exchange.tag
        if board.drawn({"revoked_token"}, tag):
            await say(send, _revoked())
            return
        if exchange.kind == "subscriptions" or exchange.scope["method"] != "GET":
            await self._application(exchange.scope, exchange.replay(), send)
            return
        for change in board.drawn(CHANGES, tag) if tag else ():
            await database_sync_to_async(changing.change_some)(
                tag, change.kind.name, change.random
            )
        answers = board.drawn(ANSWERS, tag)
        if answers:
            true = Said(200, [(b"content-type", JSON)], b"")
            if answers[0].kind.name in NEEDS_TRUTH:
                true = await self._asked(exchange, exchange.query)
            await answer_badly(answers[0], true, send, exchange.gone.wait)
            return
        spoilt = board.drawn(LISTINGS, tag) if tag else []
        signs = board.is_set(OF_PICTURES, tag or None)
        if not (spoilt or signs):
            await self._application(exchange.scope, exchange.replay(), send)
            return
        said = await self._listing(exchange, tag, spoilt)
        await say(send, _signed(said, tag) if signs else said)

    async def _picture(self, exchange: Exchange, send: Send) -> None:
        query = exchange.scope["query_string"].decode("latin-1")
        if refused := signing.refusal(exchange.scope["path"], query):
            await say(send, Said(403, typed(pictures.TEXT), refused.encode()))
            return
        faults = board.drawn(AT_A_PICTURE, signing.tag_of(query))
        if not faults:
            await self._application(exchange.scope, exchange.receive, send)
            return
        await exchange.read()
        true = Said(200, [], b"")
        if faults[0].kind.name in pictures.NEEDS_TRUTH:
            true = await self._asked(exchange, {})
        watch = asyncio.ensure_future(exchange.until_gone())
        try:
            await pictures.serve_badly(faults[0], true, send, exchange.gone.wait)
        finally:
            watch.cancel()

    async def _listing(self, exchange: Exchange, tag: str, spoilt: list[Fault]) -> Said:
        query = exchange.query
        for fault in spoilt:
            if fault.kind.name == "stale_listing":
                seconds = fault.option("delay")
                below = await database_sync_to_async(changing.joined_since)(
                    tag, seconds
                )
                query = _not_above(query, below)
        true = await self._asked(exchange, query)
        if true.status != 200 or not spoilt:
            return true
        page, first = json.loads(true.body), None
        if LATEST in exchange.query:
            again = {name: text for name, text in query.items() if name != LATEST}
            first = json.loads((await self._asked(exchange, again)).body)
        for fault in spoilt:
            page = spoil(page, fault, first)
        return Said(true.status, true.headers, envelope.encode(page))

    async def _asked(self, exchange: Exchange, query: Mapping[str, str]) -> Said:
        """What the application answers, whole, to the call with another query."""
        scope = {**exchange.scope, "query_string": urlencode(query).encode("ascii")}
        status, headers, body = 500, [], b""

        async def keep(message: Message) -> None:
            nonlocal status, headers, body
            if message["type"] == "http.response.start":
                status, headers = message["status"], list(message.get("headers", []))
            else:
                body += message.get("body", b"")

        await self._application(scope, exchange.replay(), keep)
        return Said(status, [(n.lower(), v) for n, v in headers], body)


def _not_above(query: dict[str, str], below: int | None) -> dict[str, str]:
    if below is None:
        return query
    asked = query.get(LATEST, "")
    top = min(below, int(asked)) if asked.isdigit() else below
    return {**query, LATEST: str(top)}


def _signed(said: Said, tag: str) -> Said:
    """The answer with its picture addresses signed anew. Only those of a listing are
    good for as short as a fault has it: who asks for one post gets a good one."""
    if said.status != 200 or (b"content-type", JSON) not in said.headers:
        return said

    def good_for() -> float:
        expired = board.drawn(EXPIRY, tag) if tag else []
        return expired[0].option("delay") if expired else signing.GOOD_FOR

    page = signing.sign(json.loads(said.body), tag, good_for)
    return Said(said.status, said.headers, envelope.encode(page))


def _revoked() -> Said:
    error = DialectError(
        "OAuthAccessTokenException", "The access_token provided is invalid."
    )
    body: Any = envelope.encode(error.document())
    return Said(400, [(b"content-type", JSON)], body)
