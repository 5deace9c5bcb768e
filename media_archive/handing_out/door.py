"""The door for pictures and films: an ASGI application in front of Django.

A wall with a thousand viewers asks for each new picture a thousand times in a second.
What everybody may see is answered here: requests that arrive together are looked up
together, by one query that begins after they have come, so that nothing is shown that
was hidden before. All else goes on inside, where the Django view answers.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from media_archive.batches import Batches, Limits
from media_archive.before_django import (
    Application,
    Receive,
    Scope,
    Send,
    headers_of,
    is_for_us,
)
from media_archive.errors import DoorBusy
from media_archive.handing_out.answers import Answer, Shown, answer_to, sent_on
from media_archive.handing_out.bodies import body_of
from media_archive.handing_out.rights import look_up
from media_archive.stores.shape import is_name

WAITING = 5_000
"""Requests whose file is being looked up; more go on inside, and wait there."""


class FileDoor:
    """Answers what everybody may see; ``inside`` answers everything else."""

    def __init__(self, inside: Application) -> None:
        self._inside = inside
        self._lookups: Batches[str, Shown | None] = Batches(
            "file-lookups", _look_up, Limits(WAITING, WAITING)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        file = None
        name = scope["path"].removeprefix(settings.MEDIA_URL)
        if (
            scope["method"] in ("GET", "HEAD")
            and name != scope["path"]
            and is_name(name)
            and is_for_us(scope, headers)
        ):
            file = await self._shown(name)
        if file is None or not await _answered(scope, headers, file, receive, send):
            await self._inside(scope, receive, send)

    def rest(self) -> None:
        """Finish what is waiting and give the connection back."""
        self._lookups.rest()

    async def _shown(self, name: str) -> Shown | None:
        """The file, if everybody may see it. Whatever goes wrong, the view says it."""
        with contextlib.suppress(DatabaseError, InterfaceError, DoorBusy):
            file = await self._lookups.do(name)
            return file if file and file.to_all else None
        return None


def _look_up(names: Sequence[str]) -> list[Shown | Exception | None]:
    wanted = set(names)
    try:
        found = look_up(wanted)
    except (DatabaseError, InterfaceError):
        # It may have been cut since it was last used, and a new one may do.
        connection.close()
        try:
            found = look_up(wanted)
        except (DatabaseError, InterfaceError) as error:
            connection.close()
            return [error] * len(names)
    return [found.get(name) for name in names]


async def _answered(
    scope: Scope, headers: dict[str, str], file: Shown, receive: Receive, send: Send
) -> bool:
    """False, with nothing said yet, when the file cannot be read."""
    prefix = settings.PHOTOWALL_ACCEL_REDIRECT
    if prefix and not settings.S3_OPTIONS["bucket_name"]:
        answer = sent_on(file, prefix)
        answer.headers["Content-Length"] = "0"
    else:
        answer = answer_to(scope["method"], headers, file)
    if not answer.length:
        await _begin(send, answer)
        await send({"type": "http.response.body", "body": b""})
        return True
    try:
        pieces = await body_of(answer, file)
    except OSError:
        return False
    left = answer.length
    gone = asyncio.ensure_future(_hung_up(receive))
    try:
        await _begin(send, answer)
        async for piece in pieces:
            left -= len(piece)
            more: dict[str, Any] = {"body": piece, "more_body": left > 0}
            await send({"type": "http.response.body", **more})
            if left <= 0 or gone.done():
                break
    finally:
        gone.cancel()
        await pieces.aclose()
    return True


async def _begin(send: Send, answer: Answer) -> None:
    raw = [(k.lower().encode(), v.encode()) for k, v in answer.headers.items()]
    status = answer.status
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
