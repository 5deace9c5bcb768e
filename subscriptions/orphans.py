"""What a provider still has of us though we do not want it any more.

An answer to a request of ours may be lost: then the provider has a subscription that
we do not know of, or two for one callback. Only what carries a callback address of
ours is ever removed; all others belong to somebody else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from media_archive.errors import PhotowallError
from subscriptions import calls
from subscriptions.callbacks import our_callback_id
from subscriptions.models import ProviderAccount, Purpose, State, Subscription
from subscriptions.providers import get_provider
from subscriptions.providers.base import UpstreamSubscription

logger = logging.getLogger(__name__)

AT_ONCE = 20
"""Most that are removed in one go; the rest follows the next time."""


def remove(
    account: ProviderAccount,
    listed: Sequence[UpstreamSubscription],
    spare: Sequence[UpstreamSubscription],
    before: datetime,
) -> int:
    """Remove at the provider what no standing subscription needs, and what it lists
    beside the right one (``spare``); how many. ``before``: what was asked for since
    is left alone. An error ends it; the next upkeep goes on."""
    removed = 0
    for each in [*spare, *(each for each in listed if _is_orphan(each))][:AT_ONCE]:
        if _is_wanted(account, each, before):
            continue
        try:
            with calls.calling(account, Purpose.UPKEEP) as credentials:
                get_provider(account.provider).unsubscribe(
                    credentials, native_id=each.native_id
                )
        except PhotowallError as error:
            logger.warning("%s is not removed: %s", each.native_id, error.code)
            break
        removed += 1
        logger.info("Removed %s at the provider: nobody wants it.", each.native_id)
    return removed


def _is_orphan(listed: UpstreamSubscription) -> bool:
    """Whether it calls an address of ours that belongs to nothing, or to what has
    ended."""
    callback_id = our_callback_id(listed.callback_url)
    if callback_id is None:
        return False
    rows = Subscription.objects.filter(callback_id=callback_id)
    return not rows.exclude(state=State.ENDED).exists()


def _is_wanted(
    account: ProviderAccount, listed: UpstreamSubscription, before: datetime
) -> bool:
    """Looked up anew before each call: a provider may give the same number again,
    to a subscription that is just being asked for."""
    asked_for = Q(state__in=[State.REQUESTED, State.VERIFYING]) | Q(
        challenge_asked_at__gt=before
    )
    standing = Subscription.objects.filter(account__base_url=account.base_url)
    return (
        standing.exclude(state=State.ENDED)
        .filter(
            Q(upstream_id=listed.native_id)
            | (asked_for & Q(tag=listed.object_id or ""))
        )
        .exists()
    )
