"""Provider accounts: their credentials, and the pause that a rate limit brings."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from media_archive.encryption import Unopened
from subscriptions import backoff, ledger
from subscriptions.errors import RateLimited, SecretUnreadable
from subscriptions.models import Hindrance, ProviderAccount
from subscriptions.providers.base import Credentials
from subscriptions.reasons import reason_of

LIMITED = "rate_limited"
"""The ledger's word for the time in which the provider wants to be left alone."""

SECRETS = ("client_secret", "access_token")
CREDENTIAL = ("base_url", "client_id", *SECRETS)

UNREADABLE = (
    "The account's secret cannot be decrypted here: set PHOTOWALL_ENCRYPTION_KEY "
    "to the key it was stored with, or enter it anew in the provider account."
)


def credentials_of(account: ProviderAccount) -> Credentials:
    """What a provider needs to know of us. Raises ``SecretUnreadable`` when this
    process cannot decrypt a secret: it is not sent."""
    if unopened(account):
        raise SecretUnreadable(UNREADABLE)
    return Credentials(
        base_url=account.base_url,
        client_id=account.client_id,
        client_secret=account.client_secret,
        access_token=account.access_token,
    )


def unopened(account: ProviderAccount) -> list[str]:
    """The names of secrets that none of our keys opens."""
    return [name for name in SECRETS if isinstance(getattr(account, name), Unopened)]


def has_changed(account: ProviderAccount) -> bool:
    """Whether the credential in ``account`` is not the one that is stored now."""
    now = ProviderAccount.objects.get(pk=account.pk)
    return any(getattr(now, name) != getattr(account, name) for name in CREDENTIAL)


def default_account() -> ProviderAccount | None:
    """The account that is taken when nobody names one: the oldest."""
    return ProviderAccount.objects.order_by("pk").first()


def lock(account_pk: int) -> tuple[ProviderAccount, datetime]:
    """The account's row, without its secrets, and the time, both read while nobody
    else may change it, until the transaction ends.

    On SQLite the transaction itself is the lock: it takes the one writer's place
    when it begins. The time is the database's, so that all workers have the same.
    """
    rows = ProviderAccount.objects.filter(pk=account_pk)
    # First the lock and then the look: a statement's clock stands still while it
    # waits. Rows that refer to the account may come meanwhile (no_key).
    rows.select_for_update(no_key=True).values_list("pk").get()
    account = rows.defer(*SECRETS).annotate(now=Now()).get()
    return account, account.now


def is_paused(account: ProviderAccount) -> bool:
    """Whether the provider asked us to leave it alone for now."""
    return account.paused_until is not None and account.paused_until > timezone.now()


def is_waiting(account: ProviderAccount) -> bool:
    """Whether a person could end a wait: the provider's pause, or the breaker's."""
    return is_paused(account) or account.breaker_until is not None


def refusal(account: ProviderAccount, now: datetime) -> RateLimited | None:
    """Why nobody may call now; ``None`` = nothing of the provider's stands against
    it."""
    until = account.paused_until
    if until is None or until <= now:
        return None
    return RateLimited(
        f"It wants to be left alone until {until:%H:%M:%S} UTC.",
        retry_after=max(1.0, (until - now).total_seconds()),
    )


def pause(account_pk: int, error: RateLimited) -> None:
    """Make no call with this account for as long as the provider wants.

    A pause that runs is never shortened, and calls that were under way when it
    began do not count as further ones.
    """
    with transaction.atomic():
        account, now = lock(account_pk)
        runs = account.paused_until is not None and account.paused_until > now
        pauses = max(1, account.pauses) if runs else account.pauses + 1
        wait = backoff.after_rate_limit(pauses, error.retry_after)
        until = now + timedelta(seconds=wait)
        if account.paused_until is not None:
            until = max(until, account.paused_until)
        ProviderAccount.objects.filter(pk=account_pk).update(
            paused_until=until, paused_reason=reason_of(error), pauses=pauses
        )
        ledger.hindered(LIMITED, account_pk=account_pk, detail=reason_of(error))


def troubled(account_pk: int) -> ProviderAccount | None:
    """The account, without its secrets, if a good answer changes anything for it."""
    hindered = Hindrance.objects.filter(
        account=OuterRef("pk"), reason=LIMITED, ended_at__isnull=True
    )
    return (
        ProviderAccount.objects.defer(*SECRETS)
        .filter(
            Q(failures__gt=0)
            | Q(breaker_until__isnull=False)
            | Q(pauses__gt=0)
            | Exists(hindered),
            pk=account_pk,
        )
        .first()
    )


def note_good_answer(account_pk: int) -> None:
    """The provider does not mind our calls (any more): the next pause starts small.
    The answer to a call that was under way when a pause began says nothing."""
    over = ProviderAccount.objects.filter(
        Q(paused_until__isnull=True) | Q(paused_until__lte=Now()), pk=account_pk
    )
    if over.update(pauses=0, paused_reason=""):
        ledger.freed(LIMITED, account_pk=account_pk)


def forget_waits(account_pk: int) -> None:
    """A person wants us to try now: no pause and no breaker holds."""
    ProviderAccount.objects.filter(pk=account_pk).update(
        paused_until=None,
        paused_reason="",
        pauses=0,
        failures=0,
        breaker_until=None,
    )
