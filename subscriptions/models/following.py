"""What we follow, and what became of it."""

from __future__ import annotations

import secrets
import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from media_archive.encryption import EncryptedTextField
from subscriptions.models.accounts import ProviderAccount


class State(models.TextChoices):
    """The states of a subscription; transitions: ``subscriptions.lifecycle``."""

    DRAFT = "draft", "Draft"
    REQUESTED = "requested", "Requested"
    VERIFYING = "verifying", "Verifying"
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    PAUSED = "paused", "Paused"
    FAILED = "failed", "Failed"
    ENDING = "ending", "Ending"
    ENDED = "ended", "Ended"


def new_verify_token() -> str:
    """An unguessable verify token."""
    return secrets.token_urlsafe(24)


class Subscription(models.Model):
    """Our standing wish for one hashtag at one provider."""

    account = models.ForeignKey(
        ProviderAccount, on_delete=models.PROTECT, related_name="subscriptions"
    )
    provider = models.CharField(max_length=32, editable=False)
    kind = models.CharField(max_length=16, default="tag", editable=False)
    tag = models.CharField(max_length=100, help_text="In its normal form, without #.")
    callback_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    verify_token = EncryptedTextField(default=new_verify_token, editable=False)
    challenge_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    confirmed_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When the provider last named it among what we follow.",
    )
    missed = models.PositiveSmallIntegerField(
        default=0,
        editable=False,
        help_text="How often in a row the provider did not name it.",
    )
    lease_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When the provider forgets it unless we renew; empty = never.",
    )
    renew_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When the lease is renewed, or that is tried again.",
    )
    renew_failures = models.PositiveSmallIntegerField(
        default=0,
        editable=False,
        help_text="Renewals in a row that came to nothing.",
    )
    keep_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Days that what it catches is kept, counted from the posting; then it"
        " is erased, unless another subscription keeps it longer. Empty = for ever.",
    )
    upstream_id = models.CharField(max_length=128, blank=True, editable=False)
    state = models.CharField(
        max_length=16, choices=State.choices, default=State.DRAFT, editable=False
    )
    state_reason = models.CharField(max_length=300, blank=True, editable=False)
    state_since = models.DateTimeField(default=timezone.now, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "kind", "tag"],
                condition=~Q(state="ended"),
                name="one_standing_subscription_per_tag",
            )
        ]

    def __str__(self) -> str:
        return f"#{self.tag} at {self.account}"


class SubscriptionEvent(models.Model):
    """One change of state: who, when, why."""

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="events"
    )
    at = models.DateTimeField(default=timezone.now)
    before = models.CharField(max_length=16)
    after = models.CharField(max_length=16)
    actor = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"
