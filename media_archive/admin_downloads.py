"""Downloads in the admin: what is kept, what waits and why, and trying again."""

from __future__ import annotations

import time
from typing import Any

from django.contrib import admin
from django.core.cache import cache
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from media_archive.admin_keeping import (
    REASONS,
    TryingAgain,
    badge,
    button,
    keys_of,
    next_attempt,
    sentence,
    when,
)
from media_archive.admin_pictures import square
from media_archive.admin_reading import ReadingAdmin
from media_archive.models import OPEN, Download, DownloadState

AT_ONCE = 500
"""Downloads that one action revives."""
CAPTION_SHOWN = 60
COUNTS_KEPT = 5.0
GROUPS = {
    "Kept": ("is-good", (DownloadState.READY,)),
    "On their way": (
        "is-busy",
        tuple(state for state in OPEN if state != DownloadState.RETRY_WAIT),
    ),
    "Tried again later": (
        "is-warn",
        (DownloadState.RETRY_WAIT, DownloadState.REFRESH),
    ),
    "Not kept": (
        "is-bad",
        (
            DownloadState.GONE,
            DownloadState.REJECTED,
            DownloadState.FAILED,
            DownloadState.QUARANTINED,
        ),
    ),
}
"""What people ask for first: word → colour, and the states that are meant."""


@admin.action(description="Try again", permissions=["moderate"])
def try_again(
    page: DownloadAdmin, request: HttpRequest, rows: QuerySet[Download]
) -> None:
    """Have the chosen ones brought from the beginning."""
    page.try_again(request, keys_of(rows, AT_ONCE))


class ReasonFilter(admin.SimpleListFilter):
    """Why it is not kept (yet)."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All that there are: no row is looked at for it."""
        return [(code, words.partition(". ")[0]) for code, words in REASONS.items()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Download]
    ) -> QuerySet[Download]:
        """Those with the reason."""
        return queryset.filter(reason=self.value()) if self.value() else queryset


class DownloadAdmin(TryingAgain, ReadingAdmin):
    """One row for each file that is to be brought here."""

    list_display: Any = (
        "picture",
        "what",
        "state_badge",
        "why",
        "since",
        "attempts",
        "next",
        "again",
    )
    list_display_links = None
    list_filter = ("state", "role", ReasonFilter)
    search_fields = ("=asset__item__id", "=asset__item__native_id", "=author__username")
    search_help_text = "A media item's number, the provider's id, or a username (exact)"
    ordering = ("-id",)
    sortable_by = ()
    actions = (try_again,)
    change_list_template = "admin/media_archive/download/change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Download]:
        """With what a row shows."""
        rows: QuerySet[Download] = super().get_queryset(request)
        return rows.select_related(
            "asset__item", "asset__picture", "author__avatar"
        ).prefetch_related("asset__picture__renditions", "author__avatar__renditions")

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        """Whether the person may have it tried again."""
        return self.may_try_again(request)

    def get_list_display(self, request: HttpRequest) -> Any:
        """With the button, for those who may press it."""
        columns = list(self.list_display)
        return columns if self.may_try_again(request) else columns[:-1]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list under its numbers; or the step of a button, and the list again."""
        if (answer := self.pressed(request)) is not None:
            return answer
        extra = {"downloads": numbers(), **(extra_context or {})}
        return super().changelist_view(request, extra)

    @admin.display(description="Picture")
    def picture(self, row: Download) -> SafeString:
        """84 px of what it brought."""
        if row.author is not None:
            return square(row.author.avatar, "s96", row.get_role_display())
        kept = row.asset.picture if row.asset is not None else None
        return square(kept, "s168", row.get_role_display())

    @admin.display(description="Of")
    def what(self, row: Download) -> SafeString | str:
        """The post or the author it belongs to."""
        if row.asset is not None:
            address = reverse(
                "admin:media_archive_mediaitem_change", args=[row.asset.item_id]
            )
            text = (row.asset.item.caption or "(no caption)")[:CAPTION_SHOWN]
            place = f"{row.get_role_display()} {row.asset.position + 1}"
        else:
            address = reverse("admin:media_archive_author_change", args=[row.author_id])
            text, place = str(row.author), row.get_role_display()
        return format_html(
            '<a href="{}" dir="auto">{}</a><span class="quiet-line">{}</span>',
            address,
            text,
            place,
        )

    @admin.display(description="State")
    def state_badge(self, row: Download) -> SafeString:
        """Its word."""
        return badge(row.state)

    @admin.display(description="Why")
    def why(self, row: Download) -> SafeString:
        """One sentence, and what the other side said."""
        return format_html('<span class="sentence">{}</span>', sentence(row))

    @admin.display(description="Since")
    def since(self, row: Download) -> SafeString | str:
        """How long it has been in its state."""
        return when(row.state_since)

    @admin.display(description="Next attempt")
    def next(self, row: Download) -> SafeString | str:
        """When it is tried again by itself."""
        return next_attempt(row)

    @admin.display(description="Do")
    def again(self, row: Download) -> SafeString | str:
        """The button, where it helps."""
        return button(row)


def numbers() -> list[dict[str, Any]]:
    """How many there are of each group, and their share. A few seconds old at most,
    or twenty times as long as counting took."""
    key = "download-numbers"
    known: list[dict[str, Any]] | None = cache.get(key)
    if known is not None:
        return known
    began = time.monotonic()
    rows = Download.objects.order_by().values_list("state").annotate(Count("id"))
    counted = dict(rows)
    whole = sum(counted.values())
    found = [
        {
            "word": word,
            "colour": colour,
            "count": sum(counted.get(state, 0) for state in states),
            "whole": max(1, whole),
        }
        for word, (colour, states) in GROUPS.items()
    ]
    cache.set(key, found, max(COUNTS_KEPT, 20 * (time.monotonic() - began)))
    return found
