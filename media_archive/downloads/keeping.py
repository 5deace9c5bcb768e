"""One claimed download, from its address to what is shown.

The file is put into the store first and its row is written then: a row never claims a
file that is not there. Who is killed in between leaves a file without a row, which the
next one finds and takes, or a sweep removes.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

from django.db.models.functions import Now

from media_archive import disk_space, files, renditions
from media_archive.downloads import schedule, waiting, wishes
from media_archive.downloads.fetching import Brought, bring
from media_archive.downloads.settling import settle
from media_archive.downloads.stored_files import remember
from media_archive.downloads.transitions import ANEW, move
from media_archive.errors import ClaimLost, DiskFull, PictureRefused
from media_archive.models import Download, DownloadState, Role, StoredFile

logger = logging.getLogger(__name__)

SHORT = 2
"""A picture that may have been cut on its way is fetched so many times more."""


def keep(row: Download) -> None:
    """Bring the claimed ``row`` as far as it goes now, and give it back.

    Raises ``DiskFull`` when the store takes nothing: it waits, as others should.
    """
    path = files.scratch() / f"part-{row.pk}-{row.claim_epoch}"
    try:
        if _begin(row):
            brought = _fetch(row, path) if row.state == DownloadState.PENDING else None
            if row.state == DownloadState.STORED:
                _show(row, path, brought)
    except ClaimLost:
        # Edited, erased, or taken over: whoever did so goes on from there.
        logger.info("Download %s is not ours any more.", row.pk)
    finally:
        path.unlink(missing_ok=True)


def failed_here(row: Download, error: Exception) -> None:
    """Note that the work on ``row`` ended in an error of ours. It counts as a worker
    that was lost."""
    mine = Download.objects.filter(pk=row.pk, claim_epoch=row.claim_epoch)
    as_it_is = mine.first()
    if as_it_is is not None:
        words = f"{type(error).__name__}: see the log of the worker."
        waiting.lost(as_it_is, "bug", words, schedule.AFTER_A_BUG)


def _begin(row: Download) -> bool:
    """Whether there is something to do: what the last one left behind is put right."""
    if row.state in (DownloadState.FETCHING, DownloadState.RENDERING):
        for left in files.scratch().glob(f"part-{row.pk}-*"):
            left.unlink(missing_ok=True)
        return waiting.lost(row, "worker_lost", "The worker that had it was lost.")
    if row.state == DownloadState.RETRY_WAIT:
        if row.attempts >= len(schedule.WAITS):
            settle(row, DownloadState.FAILED, reason=row.reason, detail=row.detail)
            return False
        move(row, DownloadState.PENDING, reason=row.reason, detail=row.detail)
    return True


def _fetch(row: Download, path: Path) -> Brought | None:
    """Fetch the file and put it into the store, if there is one."""
    wish = wishes.of(row)
    move(row, DownloadState.FETCHING, fetched_key=wish.key, next_attempt_at=None)
    try:
        disk_space.guard()
        brought = bring(row, wish, path)
        if not isinstance(brought, Brought):
            waiting.give_back(row, wish, brought)
            return None
        files.put(brought.name, path)
    except DiskFull as error:
        waiting.wait(row, DownloadState.RETRY_WAIT, error.code, error.message)
        raise
    except OSError as error:
        waiting.wait_for_room(row, DownloadState.RETRY_WAIT, error)
    remember(row, brought)
    return brought


def _show(row: Download, path: Path, brought: Brought | None) -> None:
    """Make the sizes of what is stored, and show it."""
    file = row.file
    if file is None:
        # Its row was taken away meanwhile: fetched again.
        move(row, DownloadState.PENDING, **ANEW)
        return
    hold = Now() + timedelta(seconds=schedule.HOLD)
    move(row, DownloadState.RENDERING, claim_until=hold, next_attempt_at=None)
    try:
        _make_sizes(row, file, path if brought else None)
        if not files.exists(file.name):
            # A sweep took it for nobody's, just before it had a row; or it was lost.
            if brought is None:
                raise FileNotFoundError(file.name)
            files.put(file.name, path)
    except PictureRefused as error:
        _refuse(row, brought, error)
    except FileNotFoundError:
        move(row, DownloadState.PENDING, **ANEW)
    except DiskFull as error:
        waiting.wait(row, DownloadState.STORED, error.code, error.message)
        raise
    except OSError as error:
        waiting.wait_for_room(row, DownloadState.STORED, error)
    else:
        settle(row, DownloadState.READY)


def _make_sizes(row: Download, file: StoredFile, path: Path | None) -> None:
    if row.role != Role.FILM:
        renditions.make(file, path, portrait=row.role == Role.AVATAR or None)


def _refuse(row: Download, brought: Brought | None, error: PictureRefused) -> None:
    if brought is None or brought.is_whole or row.attempts >= SHORT:
        settle(row, DownloadState.REJECTED, reason=error.code, detail=error.message)
        return
    wait = schedule.WAITS[row.attempts + 1]
    again = {
        "attempts": row.attempts + 1,
        "next_attempt_at": Now() + timedelta(seconds=wait),
    }
    said = {"reason": error.code, "detail": error.message}
    move(row, DownloadState.PENDING, **ANEW | again | said)
