"""Provider accounts: their credentials, and the pause that a rate limit brings."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone

from subscriptions import backoff
from subscriptions.errors import RateLimited
from subscriptions.models import ProviderAccount
from subscriptions.providers.base import Credentials, Quota
from subscriptions.reasons import reason_of

LARGEST = 2**31 - 1
"""What the quota's columns hold."""


def credentials_of(account: ProviderAccount) -> Credentials:
    """What a provider needs to know of us."""
    return Credentials(
        base_url=account.base_url,
        client_id=account.client_id,
        client_secret=account.client_secret,
        access_token=account.access_token,
    )


def default_account() -> ProviderAccount | None:
    """The account that is taken when nobody names one: the oldest."""
    return ProviderAccount.objects.order_by("pk").first()


def is_paused(account: ProviderAccount) -> bool:
    """Whether the provider asked us to leave it alone for now."""
    return account.paused_until is not None and account.paused_until > timezone.now()


def pause(account: ProviderAccount, error: RateLimited) -> None:
    """Make no call with this account for as long as the provider wants."""
    pauses = account.pauses + 1
    wait = backoff.after_rate_limit(pauses, error.retry_after)
    ProviderAccount.objects.filter(pk=account.pk).update(
        paused_until=Now() + timedelta(seconds=wait),
        paused_reason=reason_of(error),
        pauses=pauses,
    )


def note_good_answer(account: ProviderAccount, quota: Quota) -> None:
    """Keep what the answer said of our budget; the next pause starts small again."""
    changes: dict[str, int | str] = {}
    if account.pauses:
        changes |= {"pauses": 0, "paused_reason": ""}
    if quota.limit is not None:
        changes["quota_limit"] = min(max(quota.limit, 0), LARGEST)
    if quota.remaining is not None:
        changes["quota_remaining"] = min(max(quota.remaining, 0), LARGEST)
    if changes:
        ProviderAccount.objects.filter(pk=account.pk).update(**changes)
