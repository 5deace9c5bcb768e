"""A person has it tried once more."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F
from django.db.models.functions import Now

from media_archive.downloads.transitions import ANEW, LONGEST_DETAIL
from media_archive.models import REVIVABLE, Download, DownloadState


def revive(pks: Iterable[int], actor: str) -> int:
    """Have downloads that were given up tried from the beginning; how many. What
    waits, runs or has come stays as it is. The pictures that are shown meanwhile, and
    what is known of them, stay too."""
    rows = Download.objects.filter(pk__in=[*pks], state__in=REVIVABLE)
    return rows.update(
        **ANEW,
        state=DownloadState.PENDING,
        state_since=Now(),
        reason="",
        detail=f"Tried again for {actor}."[:LONGEST_DETAIL],
        claim_epoch=F("claim_epoch") + 1,
    )
