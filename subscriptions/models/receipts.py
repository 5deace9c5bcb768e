"""Callback requests as they came, and which posts a subscription caught."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from media_archive.models import MediaItem
from subscriptions.models.following import Subscription


class ReceiptState(models.TextChoices):
    """What became of a receipt."""

    RECEIVED = "received", "Received"
    APPLIED = "applied", "Applied"
    IGNORED = "ignored", "Ignored"
    FAILED = "failed", "Unreadable"


class Receipt(models.Model):
    """One callback request with a good signature, as it came."""

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="receipts"
    )
    body = models.BinaryField()
    body_sha256 = models.CharField(max_length=64)
    headers = models.JSONField(default=dict)
    state = models.CharField(
        max_length=8, choices=ReceiptState.choices, default=ReceiptState.RECEIVED
    )
    reason = models.CharField(max_length=300, blank=True)
    received_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    seen = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "body_sha256"], name="one_receipt_per_body"
            )
        ]
        indexes = [models.Index(fields=["received_at"], name="receipt_by_time")]

    def __str__(self) -> str:
        return f"receipt {self.pk} for {self.subscription_id}"


class CaughtBy(models.TextChoices):
    """Which reading of the listing caught a post."""

    NEWS = "news", "Reading what is new"
    OVERLAP = "overlap", "Reading once more"
    BACKFILL = "backfill", "Backfill"


class Match(models.Model):
    """That a subscription caught a media item.

    Of an item that was erased for good the match stays without it, known by the key of
    its tombstone: reading a listing has to know what it met, or it would go on and on
    below posts that are not stored again.
    """

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="matches"
    )
    item = models.ForeignKey(
        MediaItem, on_delete=models.CASCADE, related_name="matches", null=True
    )
    tombstone = models.CharField(max_length=64, blank=True, editable=False)
    matched_at = models.DateTimeField(default=timezone.now)
    caught_by = models.CharField(
        max_length=8, choices=CaughtBy.choices, default=CaughtBy.NEWS
    )

    class Meta:
        verbose_name_plural = "matches"
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "item"], name="one_match_per_item"
            ),
            models.UniqueConstraint(
                fields=["subscription", "tombstone"],
                condition=models.Q(item__isnull=True),
                name="one_match_per_tombstone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id} caught {self.item_id}"
