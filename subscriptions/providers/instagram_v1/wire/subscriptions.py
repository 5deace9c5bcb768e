"""Subscription answers, both ways.

``object_id`` is absent or null for ``object: "user"`` (recorded 2011 and 2014);
the id is a text here, an integer in notifications. A delete answers ``data: null``:
one old client goes on only if it is exactly that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from subscriptions.providers.base import UpstreamSubscription
from subscriptions.providers.instagram_v1.wire import fields
from subscriptions.providers.instagram_v1.wire.envelope import (
    NotOurFormat,
    data_in,
    render_envelope,
)

MAX_OBJECT_ID = 255


def parse_subscription(document: object) -> UpstreamSubscription:
    """The answer to a subscribe. Raises ``NotOurFormat`` if it names no id."""
    subscription = _subscription(data_in(document))
    if subscription is None:
        raise NotOurFormat("The answer names no subscription.")
    return subscription


def parse_subscriptions(document: object) -> tuple[UpstreamSubscription, ...]:
    """The list; entries without an id are left out. Raises ``NotOurFormat``."""
    data = data_in(document)
    if not isinstance(data, list):
        raise NotOurFormat("The subscriptions are not a list.")
    read = (_subscription(item) for item in data)
    return tuple(item for item in read if item is not None)


def _subscription(item: object) -> UpstreamSubscription | None:
    said = fields.mapping(item)
    native_id = fields.native_id(said.get("id"))
    if native_id is None:
        return None
    object_id = said.get("object_id")
    if isinstance(object_id, int):
        object_id = fields.native_id(object_id)
    return UpstreamSubscription(
        native_id=native_id,
        object=fields.name(said.get("object")) or "",
        object_id=fields.text(object_id, MAX_OBJECT_ID),
        callback_url=fields.url(said.get("callback_url")) or "",
    )


def render_subscription(subscription: UpstreamSubscription) -> dict[str, object]:
    """One subscription as it stands in ``data``."""
    return {
        "object": subscription.object,
        "object_id": subscription.object_id,
        "aspect": "media",
        "callback_url": subscription.callback_url,
        "type": "subscription",
        "id": subscription.native_id,
    }


def render_created(subscription: UpstreamSubscription) -> dict[str, object]:
    return render_envelope(render_subscription(subscription))


def render_list(subscriptions: Sequence[UpstreamSubscription]) -> dict[str, object]:
    return render_envelope([render_subscription(each) for each in subscriptions])


def render_deleted() -> Mapping[str, object]:
    return render_envelope(None)
