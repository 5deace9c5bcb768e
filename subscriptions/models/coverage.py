"""The ledger of coverage: which minutes of a tag we have read, and what hindered us."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from subscriptions.models.accounts import ProviderAccount
from subscriptions.models.following import Subscription


class Quality(models.TextChoices):
    """How well a stretch of time is covered."""

    COMPLETE = "complete", "Complete"
    PARTIAL = "partial", "Partial"
    BLIND = "blind", "Blind"


class CoverageSpan(models.Model):
    """A stretch of time of one tag that a closed reading vouches for.

    All that the provider listed for the tag in [``begins_at``, ``ends_at``) is
    archived, unless ``quality`` says less and ``reason`` why. Stretches that touch
    and say the same are one row.
    """

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="coverage_spans"
    )
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quality = models.CharField(
        max_length=8, choices=Quality.choices, default=Quality.COMPLETE
    )
    reason = models.CharField(max_length=32, blank=True)
    read_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["subscription", "begins_at"], name="span_by_begin"),
            models.Index(fields=["subscription", "-ends_at"], name="span_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.quality} {self.begins_at:%F %H:%M} to {self.ends_at:%F %H:%M}"


class Hindrance(models.Model):
    """A time in which we could not read, or were not told: why a minute is blind.

    Of all tags of an ``account``, or of one ``subscription``; ``ended_at`` is None
    while it lasts.
    """

    account = models.ForeignKey(
        ProviderAccount,
        on_delete=models.CASCADE,
        null=True,
        related_name="hindrances",
    )
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, null=True, related_name="hindrances"
    )
    reason = models.CharField(max_length=32)
    detail = models.CharField(max_length=300, blank=True)
    began_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "reason"],
                condition=Q(ended_at__isnull=True, account__isnull=False),
                name="one_open_hindrance_per_account",
            ),
            models.UniqueConstraint(
                fields=["subscription", "reason"],
                condition=Q(ended_at__isnull=True, subscription__isnull=False),
                name="one_open_hindrance_per_subscription",
            ),
        ]
        indexes = [models.Index(fields=["began_at"], name="hindrance_by_begin")]

    def __str__(self) -> str:
        return f"{self.reason} since {self.began_at:%F %H:%M}"
