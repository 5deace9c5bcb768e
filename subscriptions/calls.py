"""Every call to a provider goes through here: who may call now, and what it cost.

``with calls.calling(account, Purpose.NOTIFIED) as credentials:`` around exactly one
call, outside of any transaction. Before it, one short transaction under the lock of
the account's row asks, over all workers: are we paused, is there budget left, is the
provider down? After it, the account takes note of how it ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from media_archive.errors import OutgoingError, PhotowallError
from subscriptions import accounts, breaker, budget
from subscriptions.errors import (
    AuthRefused,
    CredentialChanged,
    ProviderError,
    RateLimited,
)
from subscriptions.models import ProviderAccount, Purpose
from subscriptions.providers.base import Credentials, Quota


@contextmanager
def calling(account: ProviderAccount, purpose: Purpose) -> Iterator[Credentials]:
    """Around one call for ``purpose``: our credentials, if we may call now.

    Raises, before anything is called, ``RateLimited`` while the provider wants to be
    left alone, ``BudgetSpent``, ``BreakerOpen``; all with ``retry_after``. What the
    call raises is raised on, after the account has taken note of it.
    """
    credentials = accounts.credentials_of(account)
    _let_go(account.pk, purpose)
    try:
        yield credentials
    except RateLimited as error:
        accounts.pause(account.pk, error)
        raise
    except (ProviderError, OutgoingError) as error:
        if breaker.is_failure(error):
            breaker.note_failure(account.pk, error)
        elif breaker.is_refusal(error):
            _answered(account.pk)
        if isinstance(error, AuthRefused) and accounts.has_changed(account):
            # Who has mended it must not find everything suspended for the old one.
            raise CredentialChanged(error.message) from error
        raise
    _answered(account.pk)


def told(account: ProviderAccount, quota: Quota) -> None:
    """Let what a good answer said of our budget correct what we believe of it."""
    if quota != Quota():
        budget.correct(account.pk, quota)


def _let_go(account_pk: int, purpose: Purpose) -> None:
    """Count the call, or raise why it may not be made."""
    with transaction.atomic(durable=True):
        account, now = accounts.lock(account_pk)
        refused: PhotowallError | None = accounts.refusal(
            account, now
        ) or breaker.refusal(account, purpose, now)
        if refused is None:
            refused = budget.spend_locked(account, purpose, now)
        if refused is None:
            breaker.take_probe(account, now)
    if refused is not None:
        raise refused


def _answered(account_pk: int) -> None:
    """The provider is well: what was counted in a row starts anew."""
    account = accounts.troubled(account_pk)
    if account is None:
        return
    if account.failures or account.breaker_until is not None:
        breaker.close(account_pk)
    accounts.note_good_answer(account_pk)
