"""Secrets at rest: a text field that the database only sees encrypted (Fernet)."""

from __future__ import annotations

import base64
import hashlib
from secrets import token_urlsafe
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


class Unopened(str):
    """A stored secret that none of our keys opens. As text it is a random one, so
    that whatever is compared with it or signed with it is refused; saving it keeps
    what the row has."""

    __slots__ = ("sealed",)

    sealed: str

    @classmethod
    def of(cls, sealed: str) -> Unopened:
        """What stands for ``sealed``."""
        made = cls(token_urlsafe(32))
        made.sealed = sealed
        return made


def opened(text: str) -> str:
    """``text`` of a row, for who cannot go on without it. Raises
    ``ImproperlyConfigured`` when none of our keys opens it."""
    return decrypt(text.sealed) if isinstance(text, Unopened) else text


class EncryptedTextField(models.TextField):
    """Plain text in Python, a Fernet token in the row. Not searchable. What cannot be
    opened is read as ``Unopened``: a list of rows is shown all the same."""

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Unopened):
            return value.sealed
        prepared = super().get_prep_value(value)
        return encrypt(prepared) if isinstance(prepared, str) else prepared

    def from_db_value(
        self, value: str | None, expression: Any, connection: BaseDatabaseWrapper
    ) -> str | None:
        if value is None:
            return None
        try:
            return decrypt(value)
        except ImproperlyConfigured:
            return Unopened.of(value)
