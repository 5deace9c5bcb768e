"""The end of a download: what it brought is shown, or it is known that nothing comes.

One transaction: the item's revision, the asset, the download, the journal, in the
order in which everybody locks them.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from media_archive import clusters, journal
from media_archive.downloads import sources
from media_archive.downloads.transitions import ANEW, move
from media_archive.errors import ClaimLost
from media_archive.journal import Recording
from media_archive.models import (
    Author,
    Download,
    DownloadState,
    JournalEntry,
    JournalKind,
    MediaAsset,
    MediaItem,
    Role,
    StoredFile,
)


def settle(
    row: Download, after: DownloadState, *, reason: str = "", detail: str = ""
) -> bool:
    """Give the claimed download back for good, in the state ``after``; when that is
    ready, what it brought (``row.file``) is shown from now on.

    False if another picture is meant since it was fetched: the download is waiting
    anew then. Raises ``ClaimLost`` and ``DownloadStepRefused`` as ``move`` does;
    nothing is written then.
    """
    return journal.recorded(
        lambda recording: _settle(recording, row, after, reason, detail)
    )


def _settle(
    recording: Recording, row: Download, after: DownloadState, reason: str, detail: str
) -> bool:
    # A transaction that is done again begins with the state that the row has.
    before = Download(pk=row.pk, claim_epoch=row.claim_epoch, state=row.state)
    kept = row.file if after == DownloadState.READY else None
    asset: MediaAsset | None = None
    if row.asset_id is not None:
        item, asset = _held(row.asset_id)
        meant = sources.key_of(asset.sources)
    else:
        meant = sources.key_of_address(_held_author(row).avatar_url)
    if row.fetched_key and meant and row.fetched_key != meant:
        move(before, DownloadState.PENDING, **ANEW)
        return False
    if asset is None:
        if kept is not None:
            Author.objects.filter(download=row.pk).update(avatar=kept)
    elif _show(row.role, asset, after, kept):
        _note(recording, item, asset, row.role, after)
        if row.role == Role.PICTURE and asset.position == 0 and kept is not None:
            clusters.assign(recording, item)
    released: dict[str, Any] = {"claim_until": None, "next_attempt_at": None}
    move(before, after, reason=reason, detail=detail, lost_claims=0, **released)
    return True


def _held(asset_pk: int) -> tuple[MediaItem, MediaAsset]:
    """The asset and its item, whose row is locked until the commit."""
    item = (
        MediaItem.objects.filter(assets=asset_pk)
        .select_for_update(no_key=True, of=("self",))
        .first()
    )
    asset = MediaAsset.objects.filter(pk=asset_pk).first()
    if item is None or asset is None:
        raise ClaimLost("What the download was for is not there any more.")
    return item, asset


def _held_author(row: Download) -> Author:
    mine = Author.objects.filter(download=row).select_for_update(
        no_key=True, of=("self",)
    )
    author = mine.first()
    if author is None:
        raise ClaimLost("Whose portrait it was is not there any more.")
    return author


def _show(
    role: str, asset: MediaAsset, after: DownloadState, kept: StoredFile | None
) -> bool:
    """Whether something is other than before. A picture that did not come takes away
    nothing: an edited post keeps the one it had."""
    changes: dict[str, Any] = {}
    if role == Role.PICTURE and asset.state != after:
        changes["state"] = after
    shown = asset.film_id if role == Role.FILM else asset.picture_id
    if kept is not None and shown != kept.pk:
        changes["film" if role == Role.FILM else "picture"] = kept
    if changes:
        MediaAsset.objects.filter(pk=asset.pk).update(**changes)
        for name, value in changes.items():
            setattr(asset, name, value)
    return bool(changes)


def _note(
    recording: Recording,
    item: MediaItem,
    asset: MediaAsset,
    role: str,
    after: DownloadState,
) -> None:
    item.revision += 1
    item.changed_at = timezone.now()
    MediaItem.objects.filter(pk=item.pk).update(
        revision=item.revision, changed_at=item.changed_at
    )
    detail: dict[str, Any] = {"asset": asset.position, "state": str(after)}
    if role == Role.FILM:
        detail["film"] = True
    elif _was_backfilled(item.pk):
        detail["backfilled"] = True
    recording.add(item, JournalKind.PICTURED, detail=detail)


def _was_backfilled(item_pk: int) -> bool:
    """Whether the post was read from the past: no wall announces it as new."""
    archived = JournalEntry.objects.filter(
        item_id=item_pk, kind=JournalKind.ARCHIVED, revision=1
    )
    detail = archived.values_list("detail", flat=True).first()
    return bool(detail and detail.get("backfilled"))
