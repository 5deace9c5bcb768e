"""What the archive tells this floor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Case, Value, When
from django.dispatch import receiver

from media_archive.signals import media_items_purging
from subscriptions.models import Match


@receiver(media_items_purging, dispatch_uid="matches of what is erased")
def keep_matches(*, keys: Mapping[int, str], **_: Any) -> None:
    """In the transaction that erases the items: who reads the listing again has to
    know that it met these posts."""
    cases = [When(item_id=pk, then=Value(key)) for pk, key in keys.items()]
    Match.objects.filter(item_id__in=keys).update(
        tombstone=Case(*cases, default=Value("")), item=None
    )
