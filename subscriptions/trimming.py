"""Trimming: receipts are thrown away when they are old or too many."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Max, Min
from django.utils import timezone

from subscriptions.models import Receipt

KEPT_FOR = timedelta(days=7)
KEPT_AT_MOST = 1_000_000
TRIMMED_AT_ONCE = 10_000


def trim() -> int:
    """Throw away receipts that are older than a week or too many; how many."""
    old = Receipt.objects.filter(received_at__lt=timezone.now() - KEPT_FOR)
    trimmed = _throw_away(list(old.values_list("pk", flat=True)[:TRIMMED_AT_ONCE]))
    keys = Receipt.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if keys["first"] is None or keys["last"] - keys["first"] < KEPT_AT_MOST:
        return trimmed
    # Keys have holes, so this counts; it is only asked when there may be too many.
    newest_first = Receipt.objects.order_by("-pk").values_list("pk", flat=True)
    too_many = newest_first[KEPT_AT_MOST : KEPT_AT_MOST + TRIMMED_AT_ONCE]
    return trimmed + _throw_away(list(too_many))


def _throw_away(receipts: list[int]) -> int:
    return Receipt.objects.filter(pk__in=receipts).delete()[0] if receipts else 0
