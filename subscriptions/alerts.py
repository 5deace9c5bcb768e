"""What waits for a person: in sentences, for the admin's first page and its lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from subscriptions import accounts
from subscriptions.checks import unreachable_callback
from subscriptions.models import ProviderAccount, State, Subscription

TAGS_NAMED = 5

RENEWALS = 3
"""Renewals in a row that came to nothing before a person is told."""

SOON = timedelta(minutes=10)
"""With so little of a lease left a person is told at the first failure."""


@dataclass(frozen=True, slots=True)
class Alert:
    """``level`` is a class of the admin's messages; ``advice`` says what to do."""

    level: str
    account: str
    account_pk: int
    sentence: str
    advice: str
    tags: list[str] = field(default_factory=list)
    more: int = 0


def alerts() -> list[Alert]:
    """All of them, account by account."""
    found: list[Alert] = []
    for account in ProviderAccount.objects.order_by("name"):
        found += _of(account)
    return found


def _of(account: ProviderAccount) -> list[Alert]:
    rows = account.subscriptions.order_by("tag")
    suspended = list(rows.filter(state=State.SUSPENDED).values_list("tag", flat=True))
    found = []
    unreadable = bool(accounts.unopened(account))
    if unreadable:
        found.append(
            _alert(
                account,
                "error",
                f"The secret of “{account}” cannot be decrypted here. Nothing is read.",
                "Set PHOTOWALL_ENCRYPTION_KEY to the key it was stored with and "
                "restart, or enter it anew.",
            )
        )
    if suspended:
        found.append(
            _alert(
                account,
                "error",
                f"The provider refuses the credential of “{account}”. Not read:",
                "Enter a valid credential; reading then goes on where it stopped, and "
                "nothing is lost that the provider still lists.",
                suspended,
            )
        )
    unrenewed = rows.filter(state=State.ACTIVE, renew_failures__gt=0)
    late = [each.tag for each in unrenewed if _loses_its_lease(each)]
    if late:
        found.append(
            _alert(
                account,
                "error",
                f"The provider of “{account}” does not renew what we follow:",
                "We go on trying. When the lease runs out it is asked for anew.",
                late,
            )
        )
    if account.upkeep_error and not unreadable:
        found.append(
            _alert(
                account,
                "warning",
                f"The provider of “{account}” does not tell what we follow there. "
                f"{account.upkeep_error}",
                "Until it does, nobody notices when it forgets one.",
            )
        )
    standing = rows.exclude(state__in=[State.DRAFT, State.ENDED])
    if (words := unreachable_callback(account)) and standing.exists():
        found.append(
            _alert(account, "warning", words, "Set PHOTOWALL_BASE_URL and restart.")
        )
    return found


def _loses_its_lease(subscription: Subscription) -> bool:
    until = subscription.lease_until
    if until is None:
        return False
    soon = until - timezone.now() < SOON
    return soon or subscription.renew_failures >= RENEWALS


def _alert(
    account: ProviderAccount,
    level: str,
    sentence: str,
    advice: str,
    tags: list[str] | None = None,
) -> Alert:
    named = (tags or [])[:TAGS_NAMED]
    more = len(tags or []) - len(named)
    return Alert(level, account.name, account.pk, sentence, advice, named, more)
