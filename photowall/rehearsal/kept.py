"""What the archive keeps of a rehearsal's pictures: read only, never corrected."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.db.models.functions import Now

from media_archive import files
from media_archive.models import (
    SETTLED,
    Download,
    DownloadState,
    MediaAsset,
    Role,
    StoredFile,
)
from subscriptions.models import Subscription

PIECE = 2**20


@dataclass
class Kept:
    """``kept`` counts pictures whose file in the store has the bytes that the sandbox
    serves. ``refused`` counts those that were refused, by reason; ``unexplained`` are
    posts whose picture did not come and nobody is told why. ``waiting`` are posts whose
    picture is neither kept nor given up, ``wrong`` those whose file has other bytes."""

    kept: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def gather(subscription: Subscription, truth: Mapping[str, Collection[str]]) -> Kept:
    """Every picture of the posts of the tag. ``truth``: native id → the hashes of
    what the sandbox serves for it."""
    found = Kept()
    for row in _pictures(subscription).select_related("asset__picture", "asset__item"):
        native_id = row.asset.item.native_id if row.asset else ""
        if row.state not in SETTLED:
            found.waiting.append(native_id)
        elif row.state != DownloadState.READY:
            found.refused[row.reason] += 1
            if not (row.reason and row.detail):
                found.unexplained.append(native_id)
        elif _is_true(row.asset, truth.get(native_id, ())):
            found.kept += 1
        else:
            found.wrong.append(native_id)
    return found


def are_settled(subscription: Subscription) -> bool:
    """Whether each picture is kept or given up."""
    return not _pictures(subscription).exclude(state__in=SETTLED).exists()


def hasten(subscription: Subscription) -> None:
    """Bring forward what waits for minutes or hours."""
    waiting = Download.objects.filter(
        pk__in=_pictures(subscription).values("pk"),
        state__in=(DownloadState.RETRY_WAIT, DownloadState.REFRESH),
    )
    waiting.update(next_attempt_at=Now())


def _pictures(subscription: Subscription) -> QuerySet[Download]:
    assets = MediaAsset.objects.filter(
        item__provider=subscription.provider,
        item__listings__tag__name=subscription.tag,
    )
    return Download.objects.filter(role=Role.PICTURE, asset__in=assets)


def _is_true(asset: MediaAsset | None, hashes: Collection[str]) -> bool:
    file = asset.picture if asset else None
    return file is not None and file.sha256 in hashes and _hash(file) == file.sha256


def _hash(file: StoredFile) -> str:
    """Of the bytes that the store has."""
    digest = hashlib.sha256()
    with files.open_file(file.name) as content:
        while piece := content.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
