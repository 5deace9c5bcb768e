"""Who we are at a provider, and how many calls that has cost."""

from __future__ import annotations

from django.db import models

from media_archive.encryption import EncryptedTextField
from subscriptions.providers import REGISTRY


class ProviderAccount(models.Model):
    """Who we are at a provider. Calls of all its subscriptions share one budget."""

    name = models.CharField(max_length=100, unique=True)
    provider = models.CharField(max_length=32, choices=[(key, key) for key in REGISTRY])
    base_url = models.CharField(
        max_length=500,
        help_text="Where its API is, without a slash at the end.",
    )
    client_id = models.CharField(max_length=255, blank=True)
    client_secret = EncryptedTextField(blank=True, default="")
    access_token = EncryptedTextField(blank=True, default="")
    paused_until = models.DateTimeField(null=True, blank=True)
    paused_reason = models.CharField(max_length=300, blank=True)
    pauses = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text="Rate limits in a row; a good answer sets it back.",
    )
    hourly_limit = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Calls an hour that we allow ourselves; empty = as many as the "
        "provider says, 5,000 until it says.",
    )
    quota_limit = models.IntegerField(null=True, blank=True, editable=False)
    quota_remaining = models.IntegerField(null=True, blank=True, editable=False)
    quota_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    spent_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="The budget of notified tags is used up until then; empty = not.",
    )
    failures = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text="Calls in a row that the provider did not answer as it should.",
    )
    breaker_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Until then no call but one probe; set after failures in a row.",
    )
    upkeep_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When the provider is asked next what it believes we follow.",
    )
    upkeep_error = models.CharField(
        max_length=300,
        blank=True,
        editable=False,
        help_text="Why it could not be asked; empty = it could.",
    )

    def __str__(self) -> str:
        return self.name


class Purpose(models.TextChoices):
    """What a call to a provider is for; who may use how much of the budget."""

    PEOPLE = "people", "People"
    UPKEEP = "upkeep", "Upkeep"
    NOTIFIED = "notified", "Notified tags"
    POLL = "poll", "Polls"
    BACKFILL = "backfill", "Backfill"
    PICTURES = "pictures", "New picture addresses"


class CallCount(models.Model):
    """Calls of one account in one minute (UTC, cut down), by purpose."""

    account = models.ForeignKey(
        ProviderAccount, on_delete=models.CASCADE, related_name="call_counts"
    )
    minute = models.DateTimeField()
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    calls = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "minute", "purpose"], name="one_count_per_minute"
            )
        ]

    def __str__(self) -> str:
        return f"{self.calls} calls of {self.account_id} at {self.minute:%H:%M}"
