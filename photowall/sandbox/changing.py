"""What happens to posts after they were published: edited, deleted, forgotten."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from random import Random

from django.db.models import Min
from django.utils import timezone

from media_archive import ingest, journal, moderation
from media_archive.journal import Recording
from media_archive.models import MediaItem, MediaTag
from media_archive.querysets import MediaItemQuerySet
from photowall.facades.instagram_v1.records import record_of, whole
from photowall.facades.models import Endpoint
from photowall.sandbox.posts import PROVIDER

EDITED = " (edited)"


def listed(tag: str) -> list[str]:
    """The native ids of every post that the tag's listing holds: the truth."""
    return list(
        MediaItem.objects.visible()
        .filter(listings__tag__name=tag)
        .order_by("listings__seq")
        .values_list("native_id", flat=True)
    )


def edit(native_ids: Collection[str]) -> list[str]:
    """Give posts another caption. As in the old API nobody is told: who looks at the
    listing again sees it. The native ids of those that were there."""

    def work(recording: Recording) -> list[str]:
        items = _posts(native_ids)
        records = [record_of(item) for item in whole(items)]
        changed = [
            replace(record, caption=f"{record.caption or ''}{EDITED}")
            for record in records
        ]
        ingest.store(recording, PROVIDER, changed)
        return sorted(record.native_id for record in records)

    return journal.recorded(work)


def delete(native_ids: Collection[str]) -> list[str]:
    """Take posts out of every listing, for good. The native ids of those that were
    there."""
    found = dict(_posts(native_ids).values_list("native_id", "pk"))
    moderation.hide(found.values(), actor="sandbox", reason="Deleted by its author.")
    return sorted(found)


def change_some(tag: str, what: str, random: Random) -> None:
    """``what`` ("edits" or "deletions") to one post of a tag's listing, if any."""
    posts = listed(tag)
    if posts:
        change = edit if what == "edits" else delete
        change([random.choice(posts)])


def forget(tag: str) -> int:
    """Drop the endpoints of one tag (or of all, for ""); nobody is told. How many."""
    endpoints = Endpoint.objects.all()
    if tag:
        endpoints = endpoints.filter(object="tag", object_id=tag)
    dropped = endpoints.count()
    endpoints.delete()
    return dropped


def _posts(native_ids: Collection[str]) -> MediaItemQuerySet:
    return MediaItem.objects.visible().filter(
        provider=PROVIDER, native_id__in=list(native_ids)
    )


def joined_since(tag: str, seconds: float) -> int | None:
    """The first number with which a post of the last ``seconds`` joined the tag's
    listing; ``None`` where there is none."""
    since = timezone.now() - timedelta(seconds=seconds)
    young = MediaTag.objects.filter(tag__name=tag, item__posted_at__gt=since)
    return young.aggregate(first=Min("seq"))["first"]
