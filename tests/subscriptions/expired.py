"""Posts whose pictures' addresses have expired."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from django.db.models import F, Sum

from media_archive.models import (
    Download,
    DownloadState,
)
from media_archive.records import (
    AssetSource,
    IncomingAsset,
    IncomingAuthor,
    IncomingMedia,
    Kind,
)
from subscriptions.models import (
    CallCount,
    Match,
    Purpose,
    Subscription,
)
from tests.builders import a_record, store

HOST = "https://pictures.example"
HOUR = timedelta(hours=1)


def signed(record: IncomingMedia, sig: str, pictures: int = 1) -> IncomingMedia:
    """The post with addresses signed so."""
    urls = [f"{HOST}/{n}.jpg?oh={sig}" for n in range(pictures)]
    sources = [AssetSource("standard_resolution", url, Kind.IMAGE) for url in urls]
    return replace(
        record,
        author=IncomingAuthor("7", "ana", None, f"{HOST}/ana.jpg?oh={sig}"),
        assets=[IncomingAsset(Kind.IMAGE, [source]) for source in sources],
    )


def caught(subscription: Subscription | None, pictures: int = 1) -> IncomingMedia:
    """A stored post whose addresses have expired: all its pictures need new ones. Its
    author's portrait is there."""
    record = a_record()
    pk = store([signed(record, "old", pictures)]).new[0]
    if subscription is not None:
        Match.objects.create(subscription=subscription, item_id=pk)
    assets = Download.objects.filter(asset__item=pk)
    assets.update(
        state=DownloadState.REFRESH, reason="expired", attempts=1, fetched_key=""
    )
    Download.objects.filter(author__isnull=False).update(state=DownloadState.READY)
    return record


def downloads() -> list[Download]:
    """Of pictures, as they are now."""
    return list(Download.objects.filter(role="picture").order_by("pk"))


def hours_pass(hours: float = 1.1) -> None:
    back = timedelta(hours=hours)
    Download.objects.update(
        refreshed_at=F("refreshed_at") - back,
        next_attempt_at=F("next_attempt_at") - back,
        claim_until=F("claim_until") - back,
    )


def calls_counted() -> int:
    rows = CallCount.objects.filter(purpose=Purpose.PICTURES)
    return int(rows.aggregate(all=Sum("calls"))["all"] or 0)
