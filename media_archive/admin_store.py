"""The store in the admin: how much there is, what room is left, what was checked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.cache import cache
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from media_archive import disk_space
from media_archive.admin_reading import ReadingAdmin
from media_archive.disk_space import in_words
from media_archive.models import Discarded, Rendition, StoreCheck, StoredFile

KEPT = 60.0
"""Seconds that counts are kept."""


class StoreAdmin(ReadingAdmin):
    """Numbers of the store, and below them its sweeps and verifications."""

    change_list_template = "admin/media_archive/store.html"
    list_display = ("word", "began_at", "lasted", "read", "found")
    list_display_links = ("word",)
    list_filter = ("kind",)
    ordering = ("-id",)
    sortable_by = ()
    fields = ("word", "began_at", "lasted", "read", "found", "faults")
    readonly_fields = ("word", "lasted", "read", "found", "faults")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with the numbers above it."""
        look = disk_space.outlook()
        numbers = cache.get_or_set("store-numbers", _numbers, KEPT) or []
        largest = max([size for _, _, size in numbers], default=0) or 1
        said = {
            "title": "Store",
            "look": look,
            "used_of_disk": _per_cent(look),
            "groups": [
                {
                    "word": word,
                    "count": count,
                    "size": in_words(size),
                    "share": round(100 * size / largest),
                }
                for word, count, size in numbers
            ],
            "growth": in_words(look.per_day),
            "waiting": Discarded.objects.count(),
        }
        return super().changelist_view(request, {**(extra_context or {}), **said})

    @admin.display(description="What")
    def word(self, check: StoreCheck) -> str:
        """Sweep or verification."""
        return check.get_kind_display()

    @admin.display(description="Lasted")
    def lasted(self, check: StoreCheck) -> str:
        """How long; or that it has no end."""
        if check.ended_at is None:
            return "under way, or interrupted"
        seconds = (check.ended_at - check.began_at).total_seconds()
        return f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"

    @admin.display(description="Read")
    def read(self, check: StoreCheck) -> str:
        """Files and bytes."""
        return f"{check.files:,} files, {in_words(check.size)}"

    @admin.display(description="Found")
    def found(self, check: StoreCheck) -> SafeString:
        """A word with a colour, never the colour alone."""
        bad = [
            f"{count:,} {word}"
            for count, word in (
                (check.missing, "missing"),
                (check.damaged, "damaged"),
            )
            if count
        ]
        if check.removed:
            bad.append(f"{check.removed:,} removed ({in_words(check.removed_size)})")
        colour = "is-bad" if check.missing or check.damaged else "is-good"
        text = ", ".join(bad) or "all in order"
        return format_html('<span class="badge {}">{}</span>', colour, text)

    @admin.display(description="The first of them")
    def faults(self, check: StoreCheck) -> SafeString | str:
        """Names, and what is wrong with each."""
        rows = ((str(name), str(what)) for name, what in check.names)
        shown = format_html_join("", "<li><code>{}</code> {}</li>", rows)
        return format_html("<ul>{}</ul>", shown) if shown else "none"


def _numbers() -> list[tuple[str, int, int]]:
    """(word, files, bytes) of each kind."""
    film = Q(content_type__startswith="video/")
    kept = StoredFile.objects.aggregate(
        pictures=Count("pk", filter=~film),
        pictures_size=Sum("size", filter=~film),
        films=Count("pk", filter=film),
        films_size=Sum("size", filter=film),
    )
    made = Rendition.objects.aggregate(count=Count("pk"), size=Sum("size"))
    return [
        ("Pictures as they came", kept["pictures"], kept["pictures_size"] or 0),
        ("Films", kept["films"], kept["films_size"] or 0),
        ("Sizes for screens", made["count"], made["size"] or 0),
    ]


def _per_cent(look: disk_space.Outlook) -> int:
    if look.total is None or look.free is None:
        return 0
    return round(100 * (look.total - look.free) / look.total)
