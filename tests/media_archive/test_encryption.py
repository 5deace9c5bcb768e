"""Secrets at rest."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from media_archive.encryption import decrypt, encrypt
from subscriptions.models import ProviderAccount


def test_a_lost_key_is_said_and_not_swallowed(settings: Any) -> None:
    settings.PHOTOWALL_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    sealed = encrypt("secret")
    settings.PHOTOWALL_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ImproperlyConfigured, match="PHOTOWALL_ENCRYPTION_KEY"):
        decrypt(sealed)


def test_keys_are_rotated(settings: Any) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.PHOTOWALL_ENCRYPTION_KEYS = [old]
    sealed = encrypt("secret")
    settings.PHOTOWALL_ENCRYPTION_KEYS = [new, old]
    assert decrypt(sealed) == "secret"
    again = encrypt("secret")
    settings.PHOTOWALL_ENCRYPTION_KEYS = [new]
    assert decrypt(again) == "secret"


def test_without_a_key_one_comes_from_the_secret_key(settings: Any) -> None:
    settings.PHOTOWALL_ENCRYPTION_KEYS = []
    sealed = encrypt("secret")
    assert decrypt(sealed) == "secret"
    settings.SECRET_KEY = "another"
    with pytest.raises(ImproperlyConfigured):
        decrypt(sealed)


@pytest.mark.parametrize("text", ["", "s", "ключ 🔑", "x" * 5000])
def test_what_goes_in_comes_out(text: str) -> None:
    assert decrypt(encrypt(text)) == text


def test_the_same_secret_twice_looks_different() -> None:
    assert encrypt("secret") != encrypt("secret")


@pytest.mark.django_db
def test_the_database_sees_no_plain_text() -> None:
    account = ProviderAccount.objects.create(
        name="a", provider="instagram_v1", base_url="x", client_secret="open sesame"
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT client_secret FROM subscriptions_provideraccount")
        [(stored,)] = cursor.fetchall()
    assert "sesame" not in stored
    assert ProviderAccount.objects.get(pk=account.pk).client_secret == "open sesame"
