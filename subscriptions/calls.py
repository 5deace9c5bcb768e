"""Every call to a provider goes through here: who may call now, and what it cost.

``with calls.calling(account, Purpose.NOTIFIED) as credentials:`` around exactly one
call, outside of any transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from subscriptions import accounts
from subscriptions.errors import RateLimited
from subscriptions.models import ProviderAccount, Purpose
from subscriptions.providers.base import Credentials, Quota


@contextmanager
def calling(account: ProviderAccount, purpose: Purpose) -> Iterator[Credentials]:
    """Around one call for ``purpose``: our credentials, if we may call now.

    What the call raises is raised on, after the account has taken note of it: a
    ``RateLimited`` pauses the account.
    """
    try:
        yield accounts.credentials_of(account)
    except RateLimited as error:
        accounts.pause(account, error)
        raise


def told(account: ProviderAccount, quota: Quota) -> None:
    """Keep what a good answer said of our budget."""
    accounts.note_good_answer(account, quota)
