"""What we follow: accounts, subscriptions with their feeds, receipts, matches."""

from __future__ import annotations

import secrets
import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from media_archive.claims import Claimable, unclaimed
from media_archive.encryption import EncryptedTextField
from media_archive.models import MediaItem
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
    quota_limit = models.IntegerField(null=True, blank=True, editable=False)
    quota_remaining = models.IntegerField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return self.name


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


def passed(field: str) -> Q:
    """The condition "this time is past, or not set", by the database's clock."""
    return Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__lte": Now()})


class FeedQuerySet(models.QuerySet["Feed"]):
    """Feeds of all subscriptions."""

    def due(self) -> FeedQuerySet:
        """Those with something to read, allowed to read now, and held by nobody.

        An open gap is work as much as a notification. Without joins, on purpose:
        Django updates joined rows through a subquery, and PostgreSQL does not look
        at that again after waiting for another worker's claim.
        """
        account_may_call = Q(account__paused_until__isnull=True) | Q(
            account__paused_until__lte=Now()
        )
        return (
            self.filter(
                subscription__in=Subscription.objects.filter(
                    account_may_call, state=State.ACTIVE
                )
            )
            .filter(
                Q(dirty_seq__gt=F("done_seq"))
                | Q(pk__in=Gap.objects.filter(closed_at__isnull=True).values("feed"))
            )
            .filter(passed("next_attempt_at"), passed("rest_until"), unclaimed())
        )


class Feed(Claimable):
    """The reading side of a subscription: what is due, how far it has read.

    Work is a level: ``dirty_seq > done_seq`` means "read again", however many
    notifications said so. ``cursor`` is the high-water mark: everything up to it
    is read, and it moves only when no gap lies below.
    """

    subscription = models.OneToOneField(
        Subscription, on_delete=models.CASCADE, primary_key=True, related_name="feed"
    )
    dirty_seq = models.PositiveBigIntegerField(default=0)
    done_seq = models.PositiveBigIntegerField(default=0)
    cursor = models.TextField(null=True, blank=True)
    first_read_at = models.DateTimeField(null=True, blank=True)
    last_heard_at = models.DateTimeField(null=True, blank=True)
    last_fetched_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    last_error_code = models.CharField(max_length=32, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    rest_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="A tag is read at most once in two seconds.",
    )
    bell_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="For the end of which rest a bell is on its way.",
    )

    objects = FeedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"feed of {self.subscription}"


class Gap(models.Model):
    """A stretch of the upstream listing, newest first, that we have not read yet.

    It reaches from ``older`` (where to read on; ``None`` = from the top) down to
    ``floor`` (what we knew; ``None`` = the listing's end). When it closes, the
    feed's cursor becomes ``newest`` and its ``done_seq`` this ``dirty_seq``: what was
    said after the gap opened is about posts above it.
    """

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="gaps")
    newest = models.TextField(null=True)
    older = models.TextField(null=True)
    floor = models.TextField(null=True)
    dirty_seq = models.PositiveBigIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    items = models.PositiveIntegerField(default=0)
    barren_pages = models.PositiveIntegerField(
        default=0, help_text="Pages in a row that brought nothing new."
    )
    patience = models.PositiveIntegerField(
        default=2,
        help_text="So many of them end the reading; more after starting anew.",
    )
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["feed"],
                condition=Q(closed_at__isnull=True),
                name="one_open_gap_per_feed",
            )
        ]

    def __str__(self) -> str:
        return f"gap of {self.feed_id} below {self.newest}"


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


class Match(models.Model):
    """That a subscription caught a media item."""

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="matches"
    )
    item = models.ForeignKey(
        MediaItem, on_delete=models.CASCADE, related_name="matches"
    )
    matched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "matches"
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "item"], name="one_match_per_item"
            )
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id} caught {self.item_id}"
