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

        An open gap is work as much as a notification. A tag that was spoken of does
        not wait for the budget of polls. Without joins, on purpose: Django updates
        joined rows through a subquery, and PostgreSQL does not look at that again
        after waiting for another worker's claim.
        """
        may_be_called = Subscription.objects.filter(
            passed("account__paused_until"),
            passed("account__breaker_until"),
            state=State.ACTIVE,
        )
        unspoken = Q(dirty_seq__gt=F("done_seq")) | Q(
            pk__in=Gap.objects.workable().values("feed")
        )
        return (
            self.filter(subscription__in=may_be_called)
            .filter(
                Q(heard_seq__gt=F("done_seq")) | (passed("yields_until") & unspoken)
            )
            .filter(passed("next_attempt_at"), passed("rest_until"), unclaimed())
        )

    def urgent_first(self) -> FeedQuerySet:
        """Tags that were spoken of, then the others; those that wait longest first."""
        spoken_of = models.Case(
            models.When(heard_seq__gt=F("done_seq"), then=0), default=1
        )
        waiting = F("last_fetched_at").asc(nulls_first=True)
        return self.order_by(spoken_of, waiting, "pk")


class Feed(Claimable):
    """The reading side of a subscription: what is due, how far it has read.

    Work is a level: ``dirty_seq > done_seq`` means "read the top", however many
    notifications said so. ``head`` is up to where the top was read; ``cursor`` is
    the high-water mark: everything up to it is read, and it moves only when no gap
    lies below.
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
    head_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When the provider was asked for what is the head now.",
    )
    next_poll_at = models.DateTimeField(null=True, blank=True, editable=False)
    yields_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="The budget of polls is spent: until then only a notification is "
        "a reason to read.",
    )
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


class GapQuerySet(models.QuerySet["Gap"]):
    """Gaps of all feeds."""

    def unread(self) -> GapQuerySet:
        """Those that are open."""
        return self.filter(closed_at__isnull=True)

    def workable(self) -> GapQuerySet:
        """Open ones to read on now."""
        return self.unread().filter(passed("next_attempt_at"))


class Gap(models.Model):
    """A stretch of the upstream listing, newest first, that we have not read yet.

    It reaches from ``older`` (where to read on; ``None`` = from the top) down to
    ``floor`` (what we knew; ``None`` = the listing's end). A stored gap lies below
    the feed's head: its first page is what made the head known, and was stored with
    it. So several may be open, and each is read on by itself.
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
        help_text="So many of them end the reading, once they hold known posts.",
    )
    idle_pages = models.PositiveIntegerField(
        default=0, help_text="Pages in a row without any post new to us."
    )
    unread = models.PositiveIntegerField(
        default=0, help_text="Entries that could not be read or stored."
    )
    known_match = models.PositiveBigIntegerField(
        default=0,
        help_text="The last match when it opened: what was caught later says "
        "nothing about having met what we knew.",
    )
    checkpoint = models.TextField(
        blank=True,
        default="",
        help_text="A place it led to before: meeting it again is a circle.",
    )
    failures = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)

    objects = GapQuerySet.as_manager()

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
