"""Notifications and the challenge, both ways.

Recorded: 2011 without ``data`` and with ids as text, 2014-15 with integer
``subscription_id`` and ``data: {}``; in 2016 ``subscription_id`` 0 for users, which
says nothing. The order of keys varies. It never contains the media.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from subscriptions.providers.base import Notification
from subscriptions.providers.instagram_v1.wire import envelope, fields
from subscriptions.providers.instagram_v1.wire.envelope import NotOurFormat

MAX_OBJECT_ID = 255
_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_INTEGER_ID = re.compile(r"0|[1-9][0-9]{0,17}")


def parse_notifications(body: bytes) -> tuple[Notification, ...]:
    """A callback's body: a list, or (tolerated) one object.

    Statements without an ``object`` are left out; if none is left of some, it is
    not a notification. Raises ``NotOurFormat``.
    """
    document = envelope.decode(body)
    items = [document] if isinstance(document, Mapping) else document
    if not isinstance(items, list):
        raise NotOurFormat("A notification is a JSON list.")
    read = [_notification(item) for item in items]
    notifications = tuple(item for item in read if item is not None)
    if read and not notifications:
        raise NotOurFormat("No statement names an object.")
    return notifications


def _notification(item: object) -> Notification | None:
    said = fields.mapping(item)
    name = fields.name(said.get("object"))
    if name is None:
        return None
    subscription_id = fields.native_id(said.get("subscription_id"))
    return Notification(
        object=name,
        object_id=_object_id(said.get("object_id")),
        subscription_id=None if subscription_id == "0" else subscription_id,
        time=fields.moment(said.get("time")),
    )


def _object_id(value: object) -> str | None:
    """A tag's name or a number: a tag may well contain ``_``."""
    if isinstance(value, int) and not isinstance(value, bool):
        return fields.native_id(value)
    return fields.text(value, MAX_OBJECT_ID)


def render_notifications(notifications: Sequence[Notification]) -> bytes:
    """As recorded in 2014: a list, integer ids where they are numbers, ASCII."""
    return envelope.encode([_rendered(each) for each in notifications])


def _rendered(notification: Notification) -> dict[str, object]:
    said: dict[str, object] = {
        "changed_aspect": "media",
        "object": notification.object,
        "object_id": notification.object_id,
    }
    if notification.time is not None:
        said["time"] = int(notification.time.timestamp())
    number = notification.subscription_id or "0"
    said["subscription_id"] = int(number) if _INTEGER_ID.fullmatch(number) else number
    said["data"] = {}
    return said


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the provider asks our callback. ``text`` is what has to be echoed."""

    text: str
    verify_token: str | None = None


def parse_challenge(query: Mapping[str, str]) -> Challenge | None:
    """A challenge we may echo; ``None`` for another mode, or characters or a length
    that no challenge has (it was 32 hex digits). The caller checks the token."""
    text = query.get("hub.challenge", "")
    if query.get("hub.mode") != "subscribe" or not _CHALLENGE.fullmatch(text):
        return None
    return Challenge(text=text, verify_token=query.get("hub.verify_token"))


def render_challenge_url(callback_url: str, challenge: Challenge) -> str:
    """Where to ask. A query that the callback has already is kept;
    ``hub.verify_token`` is only sent if one was given."""
    said = {"hub.mode": "subscribe", "hub.challenge": challenge.text}
    if challenge.verify_token is not None:
        said["hub.verify_token"] = challenge.verify_token
    scheme, host, path, query, _ = urlsplit(callback_url)
    joined = f"{query}&{urlencode(said)}" if query else urlencode(said)
    return urlunsplit((scheme, host, path, joined, ""))
