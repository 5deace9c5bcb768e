"""What became of keeping a picture, in words and badges, and the button that helps."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil

from media_archive import downloads
from media_archive.models import REVIVABLE, Download, DownloadState
from media_archive.tasks import keep_pictures

COLOURS = {
    DownloadState.PENDING: "is-busy",
    DownloadState.FETCHING: "is-busy",
    DownloadState.STORED: "is-busy",
    DownloadState.RENDERING: "is-busy",
    DownloadState.RETRY_WAIT: "is-warn",
    DownloadState.REFRESH: "is-warn",
    DownloadState.READY: "is-good",
    DownloadState.GONE: "is-off",
    DownloadState.PURGED: "is-off",
    DownloadState.REJECTED: "is-bad",
    DownloadState.FAILED: "is-bad",
    DownloadState.QUARANTINED: "is-bad",
}

REASONS = {
    "broken_image": "The file is damaged.",
    "bug": "An error of ours. The worker's log has it.",
    "compressed": "The source sent it packed, which we did not ask for.",
    "decoding_took_too_long": "It takes too long to decode.",
    "decoding_took_too_much_memory": "It takes too much memory to decode.",
    "disk": "There is no room for files. It goes on by itself when there is.",
    "expired": "Its address has run out; the post is read again for a new one.",
    "gone": "Its source says that it is not there any more.",
    "no_address": "The provider names no address of it.",
    "not_an_image": "What came is not a picture that we know.",
    "refused_address": "Its address leads where we do not go.",
    "store_away": "The store for files does not answer.",
    "timeout": "Its source did not answer in time.",
    "too_large": "The file is larger than we take.",
    "too_many_frames": "It has more frames than we take.",
    "too_many_pixels": "It has more pixels than we take.",
    "unreachable": "Its source could not be reached.",
    "worker_lost": "Whoever worked on it was lost.",
}
"""One sentence for each reason of a download; its detail says more."""


def badge(state: str) -> SafeString:
    """A word with a colour, never the colour alone."""
    known = DownloadState(state)
    return format_html('<span class="badge {}">{}</span>', COLOURS[known], known.label)


def sentence(row: Download) -> str:
    """Why it is in its state, for people; empty where nothing is to be said."""
    said = REASONS.get(row.reason, "")
    detail = row.detail
    if detail and detail.rstrip(".") not in said:
        said = f"{said} {detail}".strip()
    return said


def when(time: datetime | None) -> SafeString | str:
    """ "3 minutes ago" or "in 5 minutes", with the time for whoever points at it."""
    if time is None:
        return "-"
    past = time <= timezone.now()
    span = timesince(time, depth=1) if past else timeuntil(time, depth=1)
    words = f"{span} ago" if past else f"in {span}"
    return format_html(
        '<time class="nowrap" datetime="{0}" title="{0}">{1}</time>',
        f"{time:%Y-%m-%d %H:%M:%S} UTC",
        "now" if span.startswith("0") else words,
    )


def next_attempt(row: Download) -> SafeString | str:
    """When it is tried again by itself; "-" for what is settled."""
    waiting = (DownloadState.PENDING, DownloadState.RETRY_WAIT)
    if row.state not in waiting:
        return "-"
    at = row.next_attempt_at
    return when(at) if at is not None and at > timezone.now() else "now"


def button(row: Download) -> SafeString | str:
    """ "Try again", part of the page's own form, where that is possible."""
    if row.state not in REVIVABLE:
        return ""
    return format_html(
        '<button class="row-button" name="again" value="{}" formnovalidate>'
        "Try again</button>",
        row.pk,
    )


def file_size(size: int) -> str:
    """ "1.4 MB", "830 kB"."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{max(1, size // 1000)} kB"


class TryingAgain:
    """A page of the admin with "Try again" buttons."""

    def may_try_again(self, request: HttpRequest) -> bool:
        """Those who decide about media."""
        return request.user.has_perm("media_archive.moderate_mediaitem")

    def pressed(self: Any, request: HttpRequest) -> HttpResponse | None:
        """The answer to a button; None if none was pressed."""
        key = request.POST.get("again", "")
        if not (key.isascii() and key.isdigit() and len(key) < 19):
            return None
        if self.may_try_again(request):
            self.try_again(request, [int(key)])
        else:
            self.message_user(
                request, "You may not decide about media.", messages.ERROR
            )
        return HttpResponseRedirect(request.get_full_path())

    def try_again(self: Any, request: HttpRequest, keys: Iterable[int]) -> None:
        """Have them brought from the beginning, and say how many."""
        keys = list(keys)
        revived = downloads.revive(keys, request.user.get_username())
        if revived:
            keep_pictures.delay_on_commit()
        text = f"{revived} {'file is' if revived == 1 else 'files are'} tried again."
        if left := len(keys) - revived:
            said = "is kept or on its way" if left == 1 else "are kept or on their way"
            text += f" {left} {said}."
        level = messages.SUCCESS if revived else messages.WARNING
        self.message_user(request, text, level)


def keys_of(rows: QuerySet[Download], most: int) -> list[int]:
    """At most so many."""
    return list(rows.order_by().values_list("pk", flat=True)[:most])
