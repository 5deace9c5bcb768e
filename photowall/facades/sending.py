"""One delivery on its way: signed, sent, and what came of it written down."""

from __future__ import annotations

import logging
import random
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from media_archive import claims, outgoing_http
from media_archive.errors import ClaimLost, NoAnswer, OutgoingError
from photowall.facades import endpoints
from photowall.facades.models import (
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
)
from subscriptions.providers.instagram_v1.wire.signatures import sign_body

logger = logging.getLogger(__name__)

SCHEDULE = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600)
"""Seconds from one failed attempt to the next; after the last it is given up."""
JITTER = 0.2
PATIENCE = timedelta(days=5)
"""Without one success for so long an endpoint is disabled."""
SHORT = 2.0
"""Seconds of silence allowed to a receiver that was silent before, the first time; its
retries have the usual patience."""
HOLD = 30
"""Seconds of a claim: the 15 s a delivery may take, and as many to write it down."""

transport: Callable[..., outgoing_http.Answer] | None = None
"""What takes a notification to its receiver, in place of ``outgoing_http.request``:
the sandbox's network is as bad as it is told to be."""

Rows = Delivery.objects


def send(delivery_id: uuid.UUID) -> bool:
    """Send a due delivery. True when it was delivered; False when it was not, or
    when somebody else has it."""
    epoch = claims.claim(Rows.due(), delivery_id, HOLD)
    if epoch is None:
        return False
    delivery = Rows.select_related("endpoint__client").filter(pk=delivery_id).first()
    if delivery is None:
        return False
    outcome = _post(delivery)
    try:
        with transaction.atomic():
            delivered = outcome(delivery, epoch)
    except ClaimLost:
        # The claim ran out, or the endpoint was deleted: not ours to write any more.
        return False
    return delivered


Outcome = Callable[[Delivery, int], bool]


def _post(delivery: Delivery) -> Outcome:
    endpoint = delivery.endpoint
    body = bytes(delivery.body)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Photowall",
        "X-Hub-Signature": sign_body(endpoint.client.client_secret, body),
        "X-Photowall-Delivery": str(delivery.pk),
    }
    if not connection.in_atomic_block:
        connection.close()
    try:
        answer = (transport or outgoing_http.request)(
            "POST",
            endpoint.callback_url,
            body=body,
            headers=headers,
            limits=_limits(delivery),
        )
    except NoAnswer as error:
        return _failed(error.message, None, silent=True)
    except OutgoingError as error:
        return _failed(error.message, None)
    if 200 <= answer.status < 300:
        return _delivered
    if answer.status == 410:
        return _gone
    said = answer.retry_after if answer.status in (429, 503) else None
    return _failed(f"The receiver answered {answer.status}.", said)


def _limits(delivery: Delivery) -> outgoing_http.Limits:
    usual = outgoing_http.DELIVERY
    if delivery.attempts or delivery.endpoint.silent_since is None:
        return usual
    return replace(usual, read=min(SHORT, usual.read))


def _delivered(delivery: Delivery, epoch: int) -> bool:
    now = timezone.now()
    _write(
        delivery,
        epoch,
        state=DeliveryState.DELIVERED,
        delivered_at=now,
        last_error="",
        attempts=delivery.attempts + 1,
    )
    endpoints.move(
        delivery.endpoint_id,
        EndpointState.ACTIVE,
        failing_since=None,
        silent_since=None,
        last_success_at=now,
    )
    return True


def _gone(delivery: Delivery, epoch: int) -> bool:
    reason = "The receiver answered 410: it wants no more."
    _write(
        delivery,
        epoch,
        state=DeliveryState.DEAD,
        last_error=reason,
        attempts=delivery.attempts + 1,
    )
    endpoints.move(delivery.endpoint_id, EndpointState.GONE, reason)
    return False


def _failed(reason: str, retry_after: float | None, *, silent: bool = False) -> Outcome:
    def outcome(delivery: Delivery, epoch: int) -> bool:
        now = timezone.now()
        attempts = delivery.attempts + 1
        since = (
            Endpoint.objects.values_list("failing_since", flat=True)
            .filter(pk=delivery.endpoint_id)
            .first()
        ) or now
        hopeless = not silent and now - since >= PATIENCE
        dead = hopeless or attempts > len(SCHEDULE)
        _write(
            delivery,
            epoch,
            state=DeliveryState.DEAD if dead else DeliveryState.RETRY_WAIT,
            attempts=attempts,
            last_error=reason[:300],
            next_attempt_at=now if dead else _next(now, attempts, retry_after),
        )
        logger.info("Delivery %s failed: %s", delivery.pk, reason)
        if silent:
            endpoints.silent(delivery.endpoint_id, now)
            return False
        endpoints.move(
            delivery.endpoint_id,
            EndpointState.FAILING,
            reason,
            failing_since=since,
            silent_since=None,
        )
        if hopeless:
            endpoints.move(
                delivery.endpoint_id,
                EndpointState.DISABLED,
                f"No success since {since:%Y-%m-%d %H:%M} UTC. {reason}",
            )
        return False

    return outcome


def _next(now: datetime, attempts: int, retry_after: float | None) -> datetime:
    if retry_after is not None:
        return now + timedelta(seconds=max(retry_after, 1))
    spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  not a secret
    return now + timedelta(seconds=SCHEDULE[attempts - 1] * spread)


def _write(delivery: Delivery, epoch: int, **changes: object) -> None:
    claims.write(Rows.all(), delivery.pk, epoch, claim_until=None, **changes)
