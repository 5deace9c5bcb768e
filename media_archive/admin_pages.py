"""The page of one media item in the admin: everything we know, nothing to edit."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from media_archive.admin_alike import near_identical
from media_archive.admin_keeping import TryingAgain
from media_archive.admin_pictures import every_asset, link
from media_archive.models import MediaItem

NOT_TOLD = "-"
ENTRIES_SHOWN = 100
RAW_SHOWN = 200_000
"""Characters of a raw document; a page with more helps nobody."""


class ItemPage(TryingAgain):
    """The sections of the page."""

    fieldsets: Any = (
        (None, {"fields": ("pictures", "alike")}),
        (
            "Post",
            {
                "fields": (
                    "by",
                    "caption",
                    "all_tags",
                    "original",
                    "kind",
                    "posted_at",
                    "place",
                    "likes",
                    "comments",
                    "views",
                )
            },
        ),
        (
            "Archive",
            {
                "fields": (
                    "provider",
                    "native_id",
                    "visibility",
                    "pinned",
                    "archived_at",
                    "changed_at",
                    "revision",
                    "history",
                )
            },
        ),
        ("What the provider sent", {"fields": ("document",), "classes": ("collapse",)}),
    )
    readonly_fields: Any = (
        "pictures",
        "pictures_to_read",
        "alike",
        "by",
        "all_tags",
        "original",
        "place",
        "history",
        "document",
    )

    @admin.display(description="Pictures")
    def pictures(self, item: MediaItem) -> SafeString:
        """Every asset: its picture, what became of keeping it, its files."""
        return every_asset(item, may_try_again=True)

    @admin.display(description="Pictures")
    def pictures_to_read(self, item: MediaItem) -> SafeString:
        """The same without buttons."""
        return every_asset(item, may_try_again=False)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """With buttons for those who may press them."""
        if self.may_try_again(request):
            return self.fieldsets
        return ((None, {"fields": ("pictures_to_read",)}), *self.fieldsets[1:])

    @admin.display(description="Near-identical shots")
    def alike(self, item: MediaItem) -> SafeString | str:
        """The author's other posts that look like this one."""
        return near_identical(item)

    @admin.display(description="Author")
    def by(self, item: MediaItem) -> str:
        """All three names there are."""
        author = item.author
        if author is None:
            return NOT_TOLD
        user = f"@{author.username}" if author.username else None
        known = (author.name, user, f"id {author.native_id}")
        return " · ".join(name for name in known if name)

    @admin.display(description="Tags")
    def all_tags(self, item: MediaItem) -> str:
        """In normal form."""
        return " ".join(sorted(f"#{tag.name}" for tag in item.tags.all()))

    @admin.display(description="Original")
    def original(self, item: MediaItem) -> SafeString | str:
        """The post at the provider."""
        return link(item.permalink, item.permalink) if item.permalink else NOT_TOLD

    @admin.display(description="Place")
    def place(self, item: MediaItem) -> str:
        """Name, id and degrees, as far as they were told."""
        known = [item.place_name, item.place_native_id and f"id {item.place_native_id}"]
        if item.latitude is not None and item.longitude is not None:
            known.append(f"{item.latitude:.6f}, {item.longitude:.6f}")
        return " · ".join(text for text in known if text) or NOT_TOLD

    @admin.display(description="Journal")
    def history(self, item: MediaItem) -> SafeString:
        """What happened to it, newest first."""
        entries = item.journal.order_by("-seq")[:ENTRIES_SHOWN]
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    entry.seq,
                    f"{entry.at:%Y-%m-%d %H:%M:%S} UTC",
                    entry.get_kind_display(),
                    entry.actor or "Photowall",
                    "; ".join(f"{name}: {said}" for name, said in entry.detail.items()),
                )
                for entry in entries
            ),
        )
        return format_html(
            '<table class="archive-journal"><thead><tr><th>No.</th><th>When</th>'
            "<th>What</th><th>Who</th><th>Details</th></tr></thead><tbody>{}</tbody></table>",
            rows,
        )

    @admin.display(description="Raw document")
    def document(self, item: MediaItem) -> SafeString | str:
        """The provider's JSON, indented."""
        raw = getattr(item, "raw", None)
        if raw is None:
            return NOT_TOLD
        # ensure_ascii: a lone surrogate in it has no form in a page's UTF-8.
        text = json.dumps(json.loads(raw.document), indent=2, ensure_ascii=True)
        if len(text) > RAW_SHOWN:
            text = f"{text[:RAW_SHOWN]}\n… {len(text) - RAW_SHOWN:,} characters more"
        return format_html('<pre class="raw">{}</pre>', text)
