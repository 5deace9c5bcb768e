"""Secrets at rest: a text field that the database only sees encrypted (Fernet)."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


def _fernet() -> MultiFernet:
    keys = settings.PHOTOWALL_ENCRYPTION_KEYS
    if not keys:
        digest = hashlib.sha256(b"photowall:" + settings.SECRET_KEY.encode()).digest()
        keys = [base64.urlsafe_b64encode(digest).decode()]
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> str:
    """``text`` sealed with the newest key; the empty text stays empty."""
    return _fernet().encrypt(text.encode()).decode() if text else ""


def decrypt(sealed: str) -> str:
    """What ``encrypt`` sealed, with any of the configured keys.

    Raises ``ImproperlyConfigured`` when none of them opens it.
    """
    if not sealed:
        return ""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise ImproperlyConfigured(
            "A stored secret cannot be opened: put the key it was stored with back "
            "into PHOTOWALL_ENCRYPTION_KEY (several keys may stand there)."
        ) from error


class EncryptedTextField(models.TextField):
    """Plain text in Python, a Fernet token in the row. Not searchable."""

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return encrypt(prepared) if isinstance(prepared, str) else prepared

    def from_db_value(
        self, value: str | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> str | None:
        return None if value is None else decrypt(value)
