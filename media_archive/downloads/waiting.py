"""How a download is given back when its file did not come: when it is tried again, or
that it is not."""

from __future__ import annotations

import errno
from datetime import timedelta
from typing import Any, NoReturn

from django.db.models.functions import Now
from django.utils import timezone

from media_archive.downloads import schedule, wishes
from media_archive.downloads.answers import (
    Later,
    NewAddress,
    NotHere,
    Refused,
    SaysGone,
)
from media_archive.downloads.settling import settle
from media_archive.downloads.transitions import move
from media_archive.downloads.wishes import Wish
from media_archive.errors import DiskFull
from media_archive.models import Download, DownloadState

FREED: dict[str, Any] = {"claim_until": None, "lost_claims": 0}
BACK = {
    DownloadState.FETCHING: DownloadState.PENDING,
    DownloadState.RENDERING: DownloadState.STORED,
}
"""From where a step that did not end begins again."""


def give_back(row: Download, wish: Wish, meaning: NotHere) -> None:
    """``row`` is being fetched, and this is what was said instead of the file."""
    match meaning:
        case Later():
            try_again(row, meaning)
        case NewAddress():
            _ask_for_an_address(row, wish, meaning)
        case SaysGone():
            _ask_once_more(row, meaning)
        case Refused(reason, detail):
            settle(row, DownloadState.REJECTED, reason=reason, detail=detail)


def try_again(row: Download, later: Later) -> None:
    """Once more by the schedule, or given up at its end."""
    attempts = row.attempts + 1
    wait = schedule.next_wait(attempts, later.after)
    said = {"reason": later.reason, "detail": later.detail}
    if wait is None:
        move(row, DownloadState.RETRY_WAIT, attempts=attempts, **said)
        settle(row, DownloadState.FAILED, **said)
        return
    at = Now() + timedelta(seconds=wait)
    changes: dict[str, Any] = {"attempts": attempts, "next_attempt_at": at}
    move(row, DownloadState.RETRY_WAIT, **said, **changes, **FREED)


def _ask_once_more(row: Download, said: SaysGone) -> None:
    """Gone is gone when its source has said so twice, some minutes apart."""
    now = timezone.now()
    # A second less: the row waits by the database's clock.
    apart = timedelta(seconds=schedule.GONE_AGAIN - 1)
    if row.gone_at is not None and now - row.gone_at >= apart:
        settle(row, DownloadState.GONE, reason="gone", detail=said.detail)
        return
    move(
        row,
        DownloadState.RETRY_WAIT,
        reason="gone",
        detail=said.detail,
        gone_at=row.gone_at or now,
        next_attempt_at=Now() + timedelta(seconds=schedule.GONE_AGAIN),
        **FREED,
    )


def _ask_for_an_address(row: Download, wish: Wish, said: NewAddress) -> None:
    """Its item is read again for it. Each time counts: an address may be refused for
    ever, however new it is."""
    if row.attempts + 1 >= len(schedule.WAITS):
        try_again(row, Later("expired", said.detail))
        return
    # The provider may have told a new one while we asked at the old one.
    told = wishes.of(row).urls != wish.urls
    move(
        row,
        DownloadState.PENDING if told else DownloadState.REFRESH,
        reason="expired",
        detail=said.detail,
        attempts=row.attempts + 1,
        **FREED,
    )


def wait_for_room(row: Download, after: DownloadState, error: OSError) -> NoReturn:
    """The store takes nothing now. Not an attempt: the picture is not to blame. Raises
    ``DiskFull``, since it would take no other file either."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    words = error.strerror or type(error).__name__
    wait(row, after, "disk" if full else "store_away", f"The store says: {words}.")
    raise DiskFull(f"The store says: {words}.") from error


def wait(row: Download, after: DownloadState, reason: str, detail: str) -> None:
    """Look again in a minute whether there is room."""
    at = Now() + timedelta(seconds=schedule.DISK)
    move(row, after, reason=reason, detail=detail, next_attempt_at=at, **FREED)


def put_back(row: Download) -> None:
    """The database refused a step (a lock, a restart): the step begins again soon. Not
    an attempt and no lost worker: neither the picture nor its worker is to blame.

    ``row`` is read again: what was written last may be there or not.
    """
    rows = Download.objects.filter(pk=row.pk, claim_epoch=row.claim_epoch)
    mine = rows.open().first()
    if mine is None:
        return
    words = "The database did not take it; tried again."
    changes: dict[str, Any] = {
        "claim_until": None,
        "next_attempt_at": Now() + timedelta(seconds=schedule.AFTER_A_BUG),
    }
    state = DownloadState(mine.state)
    if state in BACK:
        move(mine, BACK[state], detail=words, **changes)
    else:
        rows.filter(state=state).update(**changes)


def lost(row: Download, reason: str, detail: str, seconds: float = 0) -> bool:
    """Whoever worked on ``row`` did not get to an end: the step begins again after
    ``seconds``. False if that was so too often: it is set aside."""
    count = row.lost_claims + 1
    if count >= schedule.MOST_LOST:
        settle(row, DownloadState.QUARANTINED, reason=reason, detail=detail)
        return False
    changes: dict[str, Any] = {"lost_claims": count}
    if seconds:
        changes["claim_until"] = None
        changes["next_attempt_at"] = Now() + timedelta(seconds=seconds)
    state = DownloadState(row.state)
    if state in BACK:
        move(row, BACK[state], reason=reason, detail=detail, **changes)
    else:
        rows = Download.objects.filter(pk=row.pk, claim_epoch=row.claim_epoch)
        rows.update(reason=reason, detail=detail, **changes)
    return True
