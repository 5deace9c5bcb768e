"""Reading a tag's past because a person asked for it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from media_archive.claims import Claimable, unclaimed
from subscriptions.models.accounts import ProviderAccount
from subscriptions.models.following import State, Subscription


class BackfillState(models.TextChoices):
    """How a backfill is; transitions: ``subscriptions.backfilling``."""

    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    DONE = "done", "Done"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Failed"


class BackfillQuerySet(models.QuerySet["Backfill"]):
    """All backfills."""

    def unfinished(self) -> BackfillQuerySet:
        """Those that still read, or will when a person lets them."""
        return self.filter(state__in=[BackfillState.RUNNING, BackfillState.PAUSED])

    def due(self) -> BackfillQuerySet:
        """Those to read on now, held by nobody; without joins, as claims need it."""
        may_call = ProviderAccount.objects.filter(
            Q(paused_until__isnull=True) | Q(paused_until__lte=Now()),
            Q(breaker_until__isnull=True) | Q(breaker_until__lte=Now()),
        )
        return self.filter(
            Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=Now()),
            unclaimed(),
            state=BackfillState.RUNNING,
            subscription__in=Subscription.objects.filter(
                state=State.ACTIVE, account__in=may_call
            ),
        )


class Backfill(Claimable):
    """A walk backward through a tag's listing: to a date, a number of posts, or
    the end of what the provider lists (neither given).

    ``older`` is where to read on, ``None`` = from the top. Progress is committed with
    each page, so a worker that is killed is followed at the last stored page.
    """

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="backfills"
    )
    state = models.CharField(
        max_length=9, choices=BackfillState.choices, default=BackfillState.RUNNING
    )
    state_reason = models.CharField(max_length=300, blank=True)
    until_date = models.DateTimeField(
        null=True, blank=True, help_text="Read back to posts of this time (UTC)."
    )
    until_items = models.PositiveIntegerField(
        null=True, blank=True, help_text="Read back this many posts."
    )
    older = models.TextField(null=True, editable=False)
    checkpoint = models.TextField(
        blank=True,
        default="",
        editable=False,
        help_text="A place it led to before: meeting it again is a circle.",
    )
    pages = models.PositiveIntegerField(default=0, editable=False)
    items = models.PositiveIntegerField(default=0, editable=False)
    new_items = models.PositiveIntegerField(default=0, editable=False)
    newest_at = models.DateTimeField(null=True, editable=False)
    reached_at = models.DateTimeField(
        null=True, editable=False, help_text="The oldest posting time read so far."
    )
    beyond_pages = models.PositiveIntegerField(
        default=0, editable=False, help_text="Pages in a row before the date."
    )
    barren_pages = models.PositiveIntegerField(default=0, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    next_attempt_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    last_page_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)

    objects = BackfillQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(state__in=["running", "paused"]),
                name="one_unfinished_backfill_per_subscription",
            )
        ]

    def __str__(self) -> str:
        return f"backfill of #{self.subscription.tag}"
