"""Authors, tags and the journal in the admin: to read."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from media_archive.admin_erasing import Erasing, erase_posts
from media_archive.admin_pictures import link, square
from media_archive.admin_reading import ReadingAdmin
from media_archive.models import Author, JournalEntry, Tag


class AuthorAdmin(Erasing, ReadingAdmin):
    """Who posted."""

    actions = (erase_posts,)
    list_display = ("portrait", "id", "username", "name", "provider", "native_id")
    list_display_links = ("id", "username")
    search_fields = ("=username", "=native_id", "name")
    search_help_text = "Username or id (exact), or part of a name"
    ordering = ("-id",)
    sortable_by = ()
    fields = (
        "portrait",
        "provider",
        "native_id",
        "username",
        "name",
        "avatar_source",
        "posts",
    )
    readonly_fields = ("portrait", "avatar_source", "posts")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Author]:
        """With the kept portraits."""
        rows: QuerySet[Author] = super().get_queryset(request)
        return rows.select_related("avatar").prefetch_related("avatar__renditions")

    @admin.display(description="Portrait")
    def portrait(self, author: Author) -> SafeString:
        """As we keep it."""
        return square(author.avatar, "s192", "Portrait")

    @admin.display(description="Portrait at its source")
    def avatar_source(self, author: Author) -> SafeString | str:
        """The address of it."""
        return link(author.avatar_url, author.avatar_url) if author.avatar_url else "-"

    @admin.display(description="Media")
    def posts(self, author: Author) -> SafeString:
        """A search for what they posted."""
        return _media("q", author.username or author.native_id, "All of them")


class TagAdmin(ReadingAdmin):
    """Hashtags in normal form."""

    list_display = ("name", "posts")
    search_fields = ("name",)
    ordering = ("-id",)
    sortable_by = ("name",)
    fields = ("name", "posts")
    readonly_fields = ("posts",)

    @admin.display(description="Media")
    def posts(self, tag: Tag) -> SafeString:
        """What is listed under it."""
        return _media("tag", tag.name, "Media items")


class JournalEntryAdmin(ReadingAdmin):
    """What happened to the archive, newest first."""

    list_display = ("seq", "at", "kind", "about", "actor", "detail")
    list_filter = ("kind", ("at", admin.DateFieldListFilter))
    search_fields = ("=item__id", "=actor")
    search_help_text = "A media item's number, or a person (exact)"
    ordering = ("-seq",)
    sortable_by = ()
    fields = ("seq", "at", "kind", "about", "revision", "actor", "detail")
    readonly_fields = ("about",)

    @admin.display(description="Media item")
    def about(self, entry: JournalEntry) -> SafeString:
        """Its page; it may be gone, the entry stays."""
        address = reverse("admin:media_archive_mediaitem_change", args=[entry.item_id])
        return format_html('<a href="{}">{}</a>', address, entry.item_id)


def _media(parameter: str, value: str, text: str) -> SafeString:
    address = reverse(
        "admin:media_archive_mediaitem_changelist", query={parameter: value}
    )
    return format_html('<a href="{}">{}</a>', address, text)
