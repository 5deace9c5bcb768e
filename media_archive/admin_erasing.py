"""Erasing for good in the admin: asked first, with the pictures, then done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from media_archive import retention
from media_archive.admin_pictures import thumbnail
from media_archive.admin_reading import ReadingAdmin
from media_archive.models import Author, MediaItem, Tombstone

AT_MOST = 900
"""Items that one request erases: each is named in the form, and a form has no more than
a thousand fields. For more there is ``manage.py takedown``."""
SHOWN = 24


class _Page(Protocol):
    opts: Any
    admin_site: Any

    def message_user(self, request: HttpRequest, message: str, level: int) -> None: ...


def _may(request: HttpRequest) -> bool:
    return request.user.has_perm("media_archive.erase_mediaitem")


class Erasing:
    """A page with actions that erase, for those who may."""

    def has_erase_permission(self, request: HttpRequest) -> bool:
        """Whether the person may erase for good."""
        return _may(request)


@admin.action(description="Erase for good …", permissions=["erase"])
def erase(
    page: Any, request: HttpRequest, items: QuerySet[MediaItem]
) -> HttpResponse | None:
    """Erase the chosen items, after a page that asks."""
    keys = list(items.order_by().values_list("pk", flat=True)[: AT_MOST + 1])
    return _erase(page, request, "erase", keys, keys)


@admin.action(description="Erase all their posts for good …", permissions=["erase"])
def erase_posts(
    page: Any, request: HttpRequest, authors: QuerySet[Author]
) -> HttpResponse | None:
    """Erase all that the chosen authors have posted, after a page that asks."""
    chosen = list(authors.order_by().values_list("pk", flat=True)[: AT_MOST + 1])
    items = MediaItem.objects.filter(author_id__in=chosen).order_by()
    keys = list(items.values_list("pk", flat=True)[: AT_MOST + 1])
    return _erase(page, request, "erase_posts", chosen, keys)


def _erase(
    page: _Page,
    request: HttpRequest,
    action: str,
    chosen: Sequence[int],
    keys: Sequence[int],
) -> HttpResponse | None:
    if len(keys) > AT_MOST or len(chosen) > AT_MOST:
        words = (
            f"At most {AT_MOST} media items are erased at once here. For more there is "
            "the command manage.py takedown. Nothing was erased."
        )
        page.message_user(request, words, messages.WARNING)
        return None
    if request.POST.get("sure") != "yes":
        return _ask(page, request, action, chosen, keys)
    reason = request.POST.get("reason", "").strip() or "Taken down by a person."
    actor = request.user.get_username()
    count = retention.purge(keys, actor=actor, reason=reason)
    page.message_user(
        request,
        f"{_items(count)} erased for good.",
        messages.SUCCESS if count else messages.WARNING,
    )
    return None


def _ask(
    page: _Page,
    request: HttpRequest,
    action: str,
    chosen: Sequence[int],
    keys: Sequence[int],
) -> HttpResponse:
    shown = MediaItem.objects.whole().filter(pk__in=keys).newest_first()[:SHOWN]
    context = {
        **page.admin_site.each_context(request),
        "title": "Erase for good?",
        "opts": page.opts,
        "count": _items(len(keys)),
        "pictures": [(item, thumbnail(item)) for item in shown],
        "more": max(0, len(keys) - SHOWN),
        "hidden": [("action", action), *(("_selected_action", pk) for pk in chosen)],
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/erase_items.html", context)


def _items(count: int) -> str:
    return f"{count:,} media {'item' if count == 1 else 'items'}"


class TombstoneAdmin(ReadingAdmin):
    """What was erased for good: which number, when, by whom, why."""

    list_display = ("number", "purged_at", "who", "reason", "provider")
    list_display_links = None
    list_filter = (("purged_at", admin.DateFieldListFilter),)
    search_fields = ("=item_id", "=actor")
    search_help_text = "A media item's number, or a person (exact)"
    ordering = ("-id",)
    sortable_by = ()
    fields = ("number", "purged_at", "who", "reason", "provider")
    readonly_fields = ("number", "who")

    @admin.display(description="Media item")
    def number(self, stone: Tombstone) -> int:
        """Our number of it, while it was."""
        return stone.item_id

    @admin.display(description="By")
    def who(self, stone: Tombstone) -> str:
        """The person; Photowall itself when its time was over."""
        return stone.actor or "Photowall"
