"""``/v1/subscriptions``: who wants to hear of what is new, the publisher's side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from django.db.models import QuerySet

from media_archive.errors import InvalidTag
from media_archive.tags import normalise_tag
from photowall.bell import BellTask
from photowall.facades import endpoints, tasks
from photowall.facades.instagram_v1.doors import Asked
from photowall.facades.instagram_v1.errors import invalid, refused
from photowall.facades.instagram_v1.parameters import LARGEST, Parameters
from photowall.facades.models import ApiClient, Endpoint
from subscriptions.providers.base import UpstreamSubscription
from subscriptions.providers.instagram_v1.wire import fields
from subscriptions.providers.instagram_v1.wire import subscriptions as wire

OBJECTS = ("user", "tag", "location", "geography")
LONGEST_TOKEN = 1_000

Document = Mapping[str, object]


def subscribe(asked: Asked) -> Document:
    """Create, or confirm what is there already. The callback is challenged while
    this request is open; the endpoint's row is committed before."""
    endpoint = _wanted(asked.client, asked.parameters)
    try:
        endpoints.verify(endpoint)
    except endpoints.ChallengeFailed as error:
        raise refused(error.message) from error
    # What was published while the challenge was under way has not been told yet.
    cast(BellTask, tasks.deliver_endpoint).delay_on_commit(endpoint.pk)
    return wire.render_created(_rendered(endpoint))


def listed(asked: Asked) -> Document:
    """All of this client's that are told what is new."""
    standing = Endpoint.objects.hearing().filter(client=asked.client).order_by("id")
    return wire.render_list([_rendered(endpoint) for endpoint in standing])


def unsubscribe(asked: Asked) -> Document:
    """By id, by object, by object and object_id, or all. What is not there is gone
    as was wished."""
    _chosen(asked.client, asked.parameters).delete()
    return wire.render_deleted()


def _wanted(client: ApiClient, parameters: Parameters) -> Endpoint:
    kind = parameters.get("object")
    if kind not in OBJECTS:
        raise invalid("object must be tag")
    if kind != "tag":
        raise refused(f'Subscriptions to "{kind}" are not offered here, only to "tag".')
    if parameters.get("aspect") not in ("", "media"):
        raise invalid("aspect must be media")
    callback_url = parameters.get("callback_url")
    if not callback_url:
        raise invalid("Missing callback_url parameter.")
    if fields.url(callback_url) is None:
        raise refused(endpoints.unreachable(callback_url))
    verify_token = parameters.get("verify_token")
    if len(verify_token) > LONGEST_TOKEN:
        raise invalid("verify_token is too long")
    tag = _tag(parameters)
    try:
        return endpoints.request(client, tag, callback_url, verify_token)
    except endpoints.TooMany as error:
        raise refused(error.message) from error


def _chosen(client: ApiClient, parameters: Parameters) -> QuerySet[Endpoint]:
    own = Endpoint.objects.filter(client=client)
    if number := parameters.get("id"):
        if not (number.isascii() and number.isdigit() and len(number) < 20):
            return own.none()
        return own.filter(pk=min(int(number), LARGEST))
    kind = parameters.get("object")
    if kind == "all":
        return own
    if kind not in OBJECTS:
        raise invalid("Say which: id, or object (tag or all).")
    own = own.filter(object=kind)
    if kind == "tag" and parameters.get("object_id"):
        own = own.filter(object_id=_tag(parameters))
    return own


def _tag(parameters: Parameters) -> str:
    try:
        return normalise_tag(parameters.get("object_id"))
    except InvalidTag as error:
        raise invalid(error.message) from error


def _rendered(endpoint: Endpoint) -> UpstreamSubscription:
    return UpstreamSubscription(
        native_id=str(endpoint.pk),
        object=endpoint.object,
        object_id=endpoint.object_id,
        callback_url=endpoint.callback_url,
    )
