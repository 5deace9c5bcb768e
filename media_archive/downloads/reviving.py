"""A person has it tried once more."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from media_archive import journal
from media_archive.downloads.transitions import ANEW, LONGEST_DETAIL
from media_archive.models import REVIVABLE, Download, DownloadState


def revive(pks: Iterable[int], actor: str) -> int:
    """Have downloads that were given up tried from the beginning; how many. What
    waits, runs or has come stays as it is. The pictures that are shown meanwhile, and
    what is known of them, stay too."""
    rows = Download.objects.filter(pk__in=[*pks], state__in=REVIVABLE)
    words = f"Tried again for {actor}."
    return journal.recorded(lambda _: begin_again(rows, words))


def begin_again(rows: QuerySet[Download], why: str) -> int:
    """Have these downloads fetched from the beginning; how many."""
    with transaction.atomic():
        # In the order of their keys, so that two of us wait and do not deadlock.
        held = rows.order_by("pk").select_for_update(no_key=True)
        keys = list(held.values_list("pk", flat=True))
        return rows.filter(pk__in=keys).update(
            **ANEW,
            state=DownloadState.PENDING,
            state_since=Now(),
            reason="",
            detail=why[:LONGEST_DETAIL],
            claim_epoch=F("claim_epoch") + 1,
        )
