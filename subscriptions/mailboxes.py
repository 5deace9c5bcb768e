"""Mailboxes: what stands behind a callback's address, as far as the door asks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from media_archive.encryption import opened
from subscriptions.models import State, Subscription

_DEAF = frozenset({State.DRAFT, State.ENDED})
"""States in which a callback's address is as unknown as any other."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A subscription that hears, with the secret that signs what it is told."""

    subscription_pk: int
    provider: str
    kind: str
    tag: str
    upstream_id: str
    is_ending: bool
    secret: str = field(repr=False)


def of(subscription: Subscription) -> Mailbox:
    """The mailbox of a subscription, whatever its state."""
    return Mailbox(
        subscription_pk=subscription.pk,
        provider=subscription.provider,
        kind=subscription.kind,
        tag=subscription.tag,
        upstream_id=subscription.upstream_id,
        is_ending=subscription.state == State.ENDING,
        secret=opened(subscription.account.client_secret),
    )


def uuid_in(callback_id: str) -> UUID | None:
    """The id in a callback's path, if it can be one of ours."""
    try:
        return UUID(callback_id)
    except ValueError:
        return None


def find(ids: Collection[UUID]) -> dict[UUID, Mailbox]:
    """Those of ``ids`` that hear, in one query. Raises database errors, and
    ``ImproperlyConfigured`` when an account's secret cannot be opened."""
    rows = Subscription.objects.filter(callback_id__in=set(ids))
    return {
        row.callback_id: of(row)
        for row in rows.select_related("account")
        if row.state not in _DEAF
    }
