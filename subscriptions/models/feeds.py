"""The reading side of a subscription: feeds and their gaps."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from media_archive.claims import Claimable, unclaimed
from subscriptions.models.following import State, Subscription


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
    heard_seq = models.PositiveBigIntegerField(
        default=0,
        help_text="dirty_seq of the last notification: above done_seq, the tag is "
        "read before those that are only polled.",
    )
    done_seq = models.PositiveBigIntegerField(default=0)
    cursor = models.TextField(null=True, blank=True)
    head = models.TextField(
        null=True,
        blank=True,
        help_text="Up to where the top has been read; above the cursor while gaps "
        "lie between them.",
    )
    next_poll_at = models.DateTimeField(null=True, blank=True, editable=False)
    quiet_reads = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text="Polls in a row that brought nothing new; the next waits longer.",
    )
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


class GapKind(models.TextChoices):
    """Why a stretch is read."""

    NEWS = "news", "News"
    OVERLAP = "overlap", "Read once more"


class Gap(models.Model):
    """A stretch of the upstream listing, newest first, that we have not read yet.

    It reaches from ``older`` (where to read on; ``None`` = from the top) down to
    ``floor`` (what we knew; ``None`` = the listing's end). When it closes, the
    feed's cursor becomes ``newest`` and its ``done_seq`` this ``dirty_seq``: what was
    said after the gap opened is about posts above it.
    """

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="gaps")
    kind = models.CharField(max_length=8, choices=GapKind.choices, default=GapKind.NEWS)
    covers_from = models.DateTimeField(
        null=True,
        help_text="Minutes from here to the opening are complete once closed.",
    )
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
        indexes = [
            models.Index(
                fields=["feed", "-opened_at"],
                condition=Q(closed_at__isnull=True),
                name="open_gap_by_feed",
            )
        ]

    def __str__(self) -> str:
        return f"gap of {self.feed_id} below {self.newest}"
