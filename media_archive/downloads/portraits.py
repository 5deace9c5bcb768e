"""Whose portrait is still to come: it is brought before the picture, so that a post is
first seen with the face of who posted it."""

from __future__ import annotations

from media_archive import claims
from media_archive.downloads.schedule import HOLD
from media_archive.models import Download, DownloadState, Role


def claimed_for(row: Download) -> Download | None:
    """The portrait that belongs to the picture ``row``, claimed, if it is due and was
    not tried yet. One that failed before holds no picture up again."""
    if row.role != Role.PICTURE:
        return None
    fresh = Download.objects.filter(
        role=Role.AVATAR, state=DownloadState.PENDING, attempts=0
    )
    of_author = fresh.filter(author__media__assets=row.asset_id)
    pk = of_author.values_list("pk", flat=True).first()
    if pk is None:
        return None
    epoch = claims.claim(fresh.due(), pk, HOLD)
    if epoch is None:
        return None
    mine = Download.objects.filter(pk=pk, claim_epoch=epoch)
    return mine.select_related("file").first()
