"""Who follows us: asking for it, the challenge, and the states of an endpoint."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import connection
from django.db.models import Value
from django.db.models.functions import Coalesce

from media_archive import journal, outgoing_http
from media_archive.errors import AnswerTooLarge, OutgoingError, PhotowallError
from photowall.facades.models import HEARING, ApiClient, Endpoint, EndpointState
from subscriptions.providers.instagram_v1.wire.envelope import shown
from subscriptions.providers.instagram_v1.wire.notifications import (
    Challenge,
    render_challenge_url,
)

MOST_ENDPOINTS = 1_000
"""Of one client, in any state."""
SILENT = "Takes notifications without answering them."
LONGEST_QUOTE = 64
"""Characters of a callback's wrong answer that its owner is shown."""

TRANSITIONS: dict[EndpointState, tuple[EndpointState, ...]] = {
    # Again active: the owner confirmed what stood already.
    EndpointState.ACTIVE: (
        EndpointState.UNVERIFIED,
        EndpointState.ACTIVE,
        EndpointState.FAILING,
    ),
    EndpointState.FAILING: (EndpointState.ACTIVE, EndpointState.FAILING),
    EndpointState.DISABLED: (
        EndpointState.UNVERIFIED,
        EndpointState.ACTIVE,
        EndpointState.FAILING,
    ),
    EndpointState.GONE: (EndpointState.ACTIVE, EndpointState.FAILING),
    EndpointState.UNVERIFIED: (EndpointState.DISABLED, EndpointState.GONE),
}
"""State → the states it may be reached from."""


class ChallengeFailed(PhotowallError):
    """The callback did not echo the challenge; the message is in the dialect's
    words."""

    code = "challenge_failed"


class TooMany(PhotowallError):
    """The client has as many endpoints as one may have."""

    code = "too_many_endpoints"


def move(
    endpoint_id: int, state: EndpointState, reason: str = "", **changes: object
) -> bool:
    """Change the state as ``TRANSITIONS`` allows; False if it may not (any more)."""
    return bool(
        Endpoint.objects.filter(pk=endpoint_id, state__in=TRANSITIONS[state]).update(
            state=state, state_reason=reason[:300], **changes
        )
    )


def silent(endpoint_id: int, now: datetime) -> None:
    """It takes notifications and does not answer them, as many do: no failure."""
    told = Endpoint.objects.filter(pk=endpoint_id, state__in=HEARING)
    told.update(
        state=EndpointState.ACTIVE,
        state_reason=SILENT,
        failing_since=None,
        silent_since=Coalesce("silent_since", Value(now)),
    )


def request(
    client: ApiClient, tag: str, callback_url: str, verify_token: str
) -> Endpoint:
    """The endpoint's row, committed; a new one hears of everything from now on.

    One that exists keeps its cursor: what it has not been told, it will be told.
    Raises ``TooMany``.
    """
    wish = {"object": "tag", "object_id": tag, "callback_url": callback_url}
    if (
        client.endpoints.count() >= MOST_ENDPOINTS
        and not client.endpoints.filter(**wish).exists()
    ):
        raise TooMany("This client has too many subscriptions.")
    # The cursor comes first: what is published from here on is announced, even if
    # that happens while the challenge is under way.
    endpoint, created = Endpoint.objects.get_or_create(
        client=client,
        **wish,
        defaults={"cursor": journal.head(), "verify_token": verify_token},
    )
    if not created:
        Endpoint.objects.filter(pk=endpoint.pk).update(verify_token=verify_token)
        endpoint.verify_token = verify_token
        move(endpoint.pk, EndpointState.UNVERIFIED, "Asked for again by its owner.")
    return endpoint


def verify(endpoint: Endpoint) -> None:
    """Challenge the callback; if it echoes, the endpoint is active from here on.

    Takes up to 2 s, without holding a database connection. Raises
    ``ChallengeFailed``; an endpoint that was active before stays so.
    """
    if not connection.in_atomic_block:
        connection.close()
    try:
        _challenge(endpoint)
    except ChallengeFailed as error:
        Endpoint.objects.filter(pk=endpoint.pk, state=EndpointState.UNVERIFIED).update(
            state_reason=error.message[:300]
        )
        raise
    if not move(endpoint.pk, EndpointState.ACTIVE, failing_since=None):
        raise ChallengeFailed("The subscription was deleted meanwhile.")


def reopen(endpoint: Endpoint) -> None:
    """Challenge an endpoint again, in whatever state it is. Raises
    ``ChallengeFailed``."""
    move(endpoint.pk, EndpointState.UNVERIFIED, "Asked for again by a person.")
    verify(endpoint)


def disable(endpoint: Endpoint, reason: str) -> bool:
    """Tell it nothing any more; False if it is told nothing already."""
    return move(endpoint.pk, EndpointState.DISABLED, reason)


def unreachable(callback_url: str) -> str:
    """The dialect's words for a callback that does not answer."""
    return f'Unable to reach callback URL "{callback_url[:300]}".'


def _challenge(endpoint: Endpoint) -> None:
    challenge = Challenge(secrets.token_hex(16), endpoint.verify_token or None)
    url = render_challenge_url(endpoint.callback_url, challenge)
    try:
        answer = outgoing_http.request("GET", url, limits=outgoing_http.CHALLENGE)
    except AnswerTooLarge as error:
        raise ChallengeFailed("Invalid response") from error
    except OutgoingError as error:
        raise ChallengeFailed(unreachable(endpoint.callback_url)) from error
    if not 200 <= answer.status < 300:
        raise ChallengeFailed("Invalid response")
    if answer.body != challenge.text.encode("ascii"):
        quoted = shown(answer.body.decode("utf-8", "replace"))[:LONGEST_QUOTE]
        raise ChallengeFailed(
            f'Challenge verification failed. Sent "{challenge.text}", '
            f'received "{quoted}".'
        )
