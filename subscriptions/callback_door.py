"""The door for notifications: an ASGI application in front of Django.

It takes what is plainly a notification, ``POST /callbacks/<id>/`` to a host of ours;
all else goes on inside, where the Django view answers. Why here and not in the view:
``docs/decisions/0009-a-door-before-django.md``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError

from media_archive.before_django import (
    Application,
    Receive,
    Scope,
    Send,
    headers_of,
    is_for_us,
)
from media_archive.errors import DoorBusy
from subscriptions import inbox, mailboxes
from subscriptions.bells import Bells
from subscriptions.group_commit import GroupCommit
from subscriptions.inbox import Verdict
from subscriptions.mailboxes import Mailbox
from subscriptions.tasks import fetch_subscription
from subscriptions.views import BROKEN_OFF, RETRY_AFTER, STATUS, UNAVAILABLE

logger = logging.getLogger(__name__)

Answer = tuple[int, str]

WAIT = 2.0
"""Seconds after which a request that is not committed is answered 503."""
BODY_SECONDS = 10.0
"""So long a body may take to arrive."""
MOMENT = 0.1
"""If it took longer, we look again who is meant."""
LARGE = 32 * 1024
"""Bytes of a body from which on it is judged beside the loop."""
COMPLAIN_EVERY = 5.0
"""Seconds between two lines in the log while nothing can be kept."""

_PATH = re.compile(r"/callbacks/([^/]+)/")
_HEADERS = (
    (b"content-type", b"text/plain"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)


class CallbackDoor:
    """Answers notifications; ``inside`` answers everything else."""

    def __init__(self, inside: Application) -> None:
        self.bells = Bells(fetch_subscription.ring)
        self.desk = GroupCommit(
            self.bells.ring,
            settings.PHOTOWALL_CALLBACKS_WAITING,
            settings.PHOTOWALL_CALLBACK_BYTES_WAITING,
        )
        self._inside = inside
        self._complained_at = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = _PATH.fullmatch(scope["path"]) if scope["method"] == "POST" else None
        headers = headers_of(scope) if asked else {}
        if asked is None or not is_for_us(scope, headers):
            # What is not for us Django refuses, or redirects.
            await self._inside(scope, receive, send)
            return
        try:
            answer = await self._answer(asked[1], headers, receive)
        except (
            DoorBusy,
            TimeoutError,
            DatabaseError,
            InterfaceError,
            ImproperlyConfigured,
        ) as error:
            self._complain(error)
            answer = UNAVAILABLE
        except Exception:
            # A bug of ours: then nothing is kept, and the provider comes back.
            logger.exception("A callback could not be kept.")
            answer = UNAVAILABLE
        await _say(send, answer)

    def rest(self) -> None:
        """Finish what is waiting and give the connections back."""
        self.desk.rest()
        self.bells.rest()

    async def _answer(
        self, callback_id: str, headers: dict[str, str], receive: Receive
    ) -> Answer:
        clock = asyncio.get_running_loop().time
        deadline = clock() + WAIT
        uuid = mailboxes.uuid_in(callback_id)
        mailbox = await self._mailbox(uuid, deadline) if uuid else None
        if uuid is None or mailbox is None:
            return STATUS[Verdict.UNKNOWN]
        if _announces_too_much(headers):
            return STATUS[Verdict.TOO_LARGE]
        began = clock()
        body = await _body(receive)
        if body is None:
            return BROKEN_OFF
        # How slowly the sender talks is not our doing, and the subscription may have
        # been ended meanwhile.
        took = clock() - began
        deadline += took
        if took > MOMENT:
            mailbox = await self._mailbox(uuid, deadline)
        if LARGE < len(body) <= inbox.LARGEST:
            judged = await asyncio.to_thread(inbox.judge, mailbox, headers, body)
        else:
            judged = inbox.judge(mailbox, headers, body)
        if isinstance(judged, Verdict):
            return STATUS[judged]
        async with asyncio.timeout_at(deadline):
            await self.desk.keep(judged)
        return STATUS[Verdict.KEPT]

    async def _mailbox(self, uuid: UUID, deadline: float) -> Mailbox | None:
        async with asyncio.timeout_at(deadline):
            return await self.desk.mailbox(uuid)

    def _complain(self, error: Exception) -> None:
        """One line in the log for many refusals of a kind."""
        now = time.monotonic()
        if now - self._complained_at >= COMPLAIN_EVERY:
            self._complained_at = now
            logger.error("Callbacks cannot be kept: %s", type(error).__name__)


def _announces_too_much(headers: dict[str, str]) -> bool:
    said = headers.get("content-length", "")
    return said.isascii() and said.isdigit() and int(said[:20]) > inbox.LARGEST


async def _body(receive: Receive) -> bytes | None:
    """The body, or its beginning if it is too large; None if it broke off."""
    pieces, size = [], 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(BODY_SECONDS):
            while (message := await receive())["type"] == "http.request":
                pieces.append(message.get("body", b""))
                size += len(pieces[-1])
                if size > inbox.LARGEST or not message.get("more_body"):
                    return b"".join(pieces)
    return None


async def _say(send: Send, answer: Answer) -> None:
    status, text = answer
    body = text.encode()
    headers = [*_HEADERS, (b"content-length", b"%d" % len(body))]
    if status == UNAVAILABLE[0]:
        headers.append((b"retry-after", RETRY_AFTER.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
