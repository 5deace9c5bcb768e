"""Tokens of those who ask the archive's API. Only a digest is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


def digest_of(token: str) -> str:
    """What is stored of a token: SHA-256, hexadecimal. A token has 256 random bits,
    so a slow hash would only cost time."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class ApiToken(models.Model):
    """One person's key to the archive's API, shown once when it is made."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=100, help_text="What it is for.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return self.name

    @classmethod
    def make(
        cls, user: Any, name: str, expires_at: datetime | None = None
    ) -> tuple[ApiToken, str]:
        """A new token for ``user``: the row and the text to show once."""
        text = secrets.token_urlsafe(32)
        row = cls.objects.create(
            user=user, name=name, expires_at=expires_at, digest=digest_of(text)
        )
        return row, text
