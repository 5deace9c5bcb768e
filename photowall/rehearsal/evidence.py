"""What the archive holds of a rehearsal's tag: read only, never corrected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import F, Sum

from media_archive.models import JournalEntry, JournalKind, MediaItem
from subscriptions.models import Feed, Gap, Match, Receipt, Subscription

EDITED = "(edited)"
"""How the sandbox ends a caption that was edited."""


@dataclass
class Evidence:
    """``archived`` are the native ids of the tag's items. ``doubled`` are those with
    two rows, two matches or two listings; ``journal_wrong`` those whose archiving the
    journal does not tell exactly once."""

    archived: set[str] = field(default_factory=set)
    doubled: list[str] = field(default_factory=list)
    journal_wrong: list[str] = field(default_factory=list)
    receipts: int = 0


def gather(subscription: Subscription) -> Evidence:
    """Everything about the tag of ``subscription``."""
    tag, provider = subscription.tag, subscription.provider
    rows = list(
        MediaItem.objects.filter(provider=provider, listings__tag__name=tag)
        .order_by("native_id")
        .values_list("pk", "native_id")
    )
    seen = Counter(native_id for _, native_id in rows)
    matches = Counter(
        Match.objects.filter(subscription=subscription).values_list(
            "item__native_id", flat=True
        )
    )
    told = Counter(
        JournalEntry.objects.filter(
            kind=JournalKind.ARCHIVED, item_id__in=[pk for pk, _ in rows]
        ).values_list("item_id", flat=True)
    )
    return Evidence(
        archived=set(seen),
        doubled=sorted(each for each in seen if seen[each] > 1 or matches[each] > 1),
        journal_wrong=sorted({native_id for pk, native_id in rows if told[pk] != 1}),
        receipts=heard(subscription),
    )


def archived(subscription: Subscription, native_ids: Collection[str]) -> set[str]:
    """Those of ``native_ids`` that are archived under the tag."""
    return set(
        MediaItem.objects.filter(
            provider=subscription.provider,
            native_id__in=list(native_ids),
            listings__tag__name=subscription.tag,
        ).values_list("native_id", flat=True)
    )


def edits_missing(subscription: Subscription, native_ids: Collection[str]) -> list[str]:
    """Those of ``native_ids`` whose edit the archive does not have, or tells twice."""
    found = {
        native_id: (caption or "", pk)
        for native_id, caption, pk in MediaItem.objects.filter(
            provider=subscription.provider, native_id__in=list(native_ids)
        ).values_list("native_id", "caption", "pk")
    }
    told = Counter(
        JournalEntry.objects.filter(
            kind=JournalKind.CHANGED, item_id__in=[pk for _, pk in found.values()]
        ).values_list("item_id", flat=True)
    )
    return sorted(
        each
        for each in native_ids
        if each not in found
        or not found[each][0].endswith(EDITED)
        or told[found[each][1]] != 1
    )


def heard(subscription: Subscription) -> int:
    """Notifications that the inbox has kept, repeats counted."""
    receipts = Receipt.objects.filter(subscription=subscription)
    return int(receipts.aggregate(seen=Sum("seen"))["seen"] or 0)


def is_settled(subscription: Subscription) -> bool:
    """Whether nothing is left to read: no notification, no gap."""
    feed = Feed.objects.filter(pk=subscription.pk, dirty_seq__lte=F("done_seq"))
    return (
        feed.exists()
        and not Gap.objects.filter(feed=subscription.pk, closed_at=None).exists()
    )
