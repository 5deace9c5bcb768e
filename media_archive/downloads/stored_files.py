"""The row of a file that was brought, written when the store has it."""

from __future__ import annotations

from django.db import transaction

from media_archive import set_wise
from media_archive.downloads.fetching import Brought
from media_archive.downloads.transitions import move
from media_archive.errors import ClaimLost
from media_archive.models import Download, DownloadState, StoredFile

_COLUMNS = (
    "sha256",
    "name",
    "content_type",
    "size",
    "width",
    "height",
    "frames",
)


def remember(row: Download, brought: Brought) -> None:
    """Write the file's row, or find it: equal bytes are kept once, whoever brings them
    and however many at once. ``row`` is stored then. Raises ``ClaimLost``."""
    looked = brought.looked
    values = (
        brought.sha256,
        brought.name,
        looked.content_type,
        brought.size,
        looked.width,
        looked.height,
        looked.frames,
    )
    with transaction.atomic():
        set_wise.insert(StoredFile, _COLUMNS, [values], set_wise.Ignore())
        # Locked until the commit: nobody removes it as a file that is nobody's.
        file = (
            StoredFile.objects.filter(sha256=brought.sha256)
            .select_for_update(no_key=True)
            .first()
        )
        if file is None:
            raise ClaimLost("Its row was removed in the same moment.")
        if file.missing_since is not None:
            file.missing_since = None
            file.save(update_fields=["missing_since"])
        move(row, DownloadState.STORED, file=file, gone_at=None, lost_claims=0)
