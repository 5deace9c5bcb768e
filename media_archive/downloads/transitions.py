"""The state table of a download, as data, and the only way through it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from media_archive import claims
from media_archive.errors import PhotowallError
from media_archive.models import Download, DownloadState

TABLE: dict[DownloadState, frozenset[DownloadState]] = {
    DownloadState.PENDING: frozenset(
        {DownloadState.FETCHING, DownloadState.QUARANTINED}
    ),
    DownloadState.FETCHING: frozenset(
        {
            DownloadState.STORED,
            DownloadState.RETRY_WAIT,
            DownloadState.REFRESH,
            DownloadState.GONE,
            DownloadState.REJECTED,
            DownloadState.QUARANTINED,
            DownloadState.PENDING,
        }
    ),
    DownloadState.RETRY_WAIT: frozenset(
        {DownloadState.PENDING, DownloadState.FAILED, DownloadState.QUARANTINED}
    ),
    DownloadState.REFRESH: frozenset(
        {DownloadState.PENDING, DownloadState.GONE, DownloadState.FAILED}
    ),
    DownloadState.STORED: frozenset(
        {
            DownloadState.RENDERING,
            DownloadState.PENDING,
            DownloadState.QUARANTINED,
        }
    ),
    DownloadState.RENDERING: frozenset(
        {
            DownloadState.READY,
            DownloadState.REJECTED,
            DownloadState.QUARANTINED,
            DownloadState.STORED,
            DownloadState.PENDING,
        }
    ),
    DownloadState.READY: frozenset({DownloadState.PURGED, DownloadState.PENDING}),
    DownloadState.GONE: frozenset({DownloadState.PENDING}),
    DownloadState.REJECTED: frozenset({DownloadState.PENDING}),
    DownloadState.FAILED: frozenset({DownloadState.PENDING}),
    DownloadState.QUARANTINED: frozenset({DownloadState.PENDING}),
    DownloadState.PURGED: frozenset(),
}
"""State → the states that may follow it; ``docs/reference/downloads.md``."""

ANEW: dict[str, Any] = {
    "file": None,
    "attempts": 0,
    "lost_claims": 0,
    "next_attempt_at": None,
    "gone_at": None,
    "claim_until": None,
}
"""Columns of a download that waits again as if it had never begun."""

LONGEST_DETAIL = 300


class DownloadStepRefused(PhotowallError):
    """The table of states has no such step."""

    code = "download_step_refused"


def may_become(after: DownloadState) -> list[DownloadState]:
    """The states that ``after`` may follow."""
    return [before for before, following in TABLE.items() if after in following]


def move(
    row: Download,
    after: DownloadState,
    *,
    reason: str = "",
    detail: str = "",
    **changes: Any,
) -> None:
    """Change the state of a download whose claim we hold (its ``claim_epoch``), in the
    row and in ``row``, with ``changes``.

    Raises ``DownloadStepRefused`` for a step that is not in the table, ``ClaimLost``
    if somebody else has taken it over since.
    """
    before = DownloadState(row.state)
    if after not in TABLE[before]:
        raise DownloadStepRefused(
            f"A download that is {before.label.lower()} "
            f"cannot become {after.label.lower()}."
        )
    changes |= {
        "state": after,
        "state_since": timezone.now(),
        "reason": reason,
        "detail": detail[:LONGEST_DETAIL],
    }
    claims.write(
        Download.objects.filter(state=before), row.pk, row.claim_epoch, **changes
    )
    for name, value in changes.items():
        setattr(row, name, value)
