"""Reading without being told: every tag once in a while, for what was not said."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from subscriptions.models import Feed, State, Subscription

AT_ONCE = 500


def mark_due() -> list[int]:
    """Mark the feeds of active tags due that were not read for
    ``PHOTOWALL_POLL_SECONDS`` and are not due already; their keys."""
    before = timezone.now() - timedelta(seconds=settings.PHOTOWALL_POLL_SECONDS)
    quiet = Feed.objects.filter(
        Q(last_fetched_at__isnull=True) | Q(last_fetched_at__lt=before),
        subscription__in=Subscription.objects.filter(state=State.ACTIVE),
        dirty_seq__lte=F("done_seq"),
    )
    found = list(quiet.order_by("last_fetched_at").values_list("pk", flat=True))
    return [pk for pk in found[:AT_ONCE] if quiet.filter(pk=pk).update(**_DIRTIER)]


_DIRTIER = {"dirty_seq": F("dirty_seq") + 1}
