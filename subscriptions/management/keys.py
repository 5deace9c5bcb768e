"""Commands that call a provider look first whether they have the key to do so."""

from __future__ import annotations

from django.core.management.base import CommandError

from subscriptions import accounts
from subscriptions.errors import SecretUnreadable
from subscriptions.models import ProviderAccount

KEY_OF_UP = (
    "The key of `manage.py up` is in secrets.json of its var folder; while `up` runs, "
    "it is found by itself."
)


def must_open(account: ProviderAccount) -> None:
    """Raises ``CommandError`` with what to do if this process cannot decrypt the
    account's secrets."""
    try:
        accounts.credentials_of(account)
    except SecretUnreadable as error:
        raise CommandError(f"{error.message} {KEY_OF_UP}") from error
