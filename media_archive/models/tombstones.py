"""What must never come back, and files that have to go."""

from __future__ import annotations

import hashlib

from django.db import models
from django.utils import timezone


class Tombstone(models.Model):
    """Stands for a media item that was purged: it is not stored again, whoever lists
    it. The provider's id is kept as a hash only; nothing else of the item is."""

    key = models.CharField(max_length=64, unique=True)
    provider = models.CharField(max_length=32)
    item_id = models.BigIntegerField(help_text="Our number of the item, while it was.")
    purged_at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(
        max_length=150, blank=True, help_text="The person; empty = Photowall itself."
    )
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"media item {self.item_id}, purged"

    @staticmethod
    def key_of(provider: str, native_id: str) -> str:
        """SHA-256 of provider and native id, hexadecimal."""
        return hashlib.sha256(f"{provider}\n{native_id}".encode()).hexdigest()


class Discarded(models.Model):
    """The name of a file that no row speaks of any more: it is removed from the store,
    now or, when that fails, later."""

    name = models.CharField(max_length=128, unique=True, help_text="In the store.")
    since = models.DateTimeField(
        default=timezone.now, help_text="What was put there later is meant to stay."
    )
    next_attempt_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "discarded files"

    def __str__(self) -> str:
        return self.name
