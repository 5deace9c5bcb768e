"""Media items in the admin: seen with their pictures, hidden, shown, pinned."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from media_archive import moderation
from media_archive.admin_erasing import Erasing, erase
from media_archive.admin_filters import (
    ClusterFilter,
    PicturesFilter,
    PostedFilter,
    ProviderFilter,
    TagFilter,
)
from media_archive.admin_pages import ItemPage
from media_archive.admin_pictures import thumbnail
from media_archive.admin_reading import ReadingAdmin
from media_archive.live.posts import source_label
from media_archive.models import MediaAsset, MediaItem, Visibility

AT_ONCE = 500
"""Items decided on in one transaction."""
CAPTION_SHOWN = 120
Decision = Callable[..., int]

DONE = {
    moderation.hide: "hidden",
    moderation.show: "shown",
    moderation.pin: "pinned",
    moderation.unpin: "unpinned",
}
COLOURS = {
    Visibility.VISIBLE: "is-good",
    Visibility.HIDDEN: "is-off",
    Visibility.REMOVED: "is-bad",
}
TIMES = (
    '<div class="archive-times">{}<span class="quiet-line">archived {}</span>'
    '<span class="quiet-line">{}</span></div>'
)
ONE_CLICK = {"hide": moderation.hide, "show": moderation.show}


@admin.action(
    description="Hide on every screen, list and answer", permissions=["moderate"]
)
def hide(
    page: MediaItemAdmin, request: HttpRequest, items: QuerySet[MediaItem]
) -> None:
    """Take the chosen items off everything."""
    page.decide(request, moderation.hide, _keys(items))


@admin.action(description="Show again", permissions=["moderate"])
def show(
    page: MediaItemAdmin, request: HttpRequest, items: QuerySet[MediaItem]
) -> None:
    """Let the chosen items be seen again."""
    page.decide(request, moderation.show, _keys(items))


@admin.action(
    description="Pin: return on the wall more often", permissions=["moderate"]
)
def pin(page: MediaItemAdmin, request: HttpRequest, items: QuerySet[MediaItem]) -> None:
    """Pin the chosen items."""
    page.decide(request, moderation.pin, _keys(items))


@admin.action(description="Unpin", permissions=["moderate"])
def unpin(
    page: MediaItemAdmin, request: HttpRequest, items: QuerySet[MediaItem]
) -> None:
    """Unpin the chosen items."""
    page.decide(request, moderation.unpin, _keys(items))


class MediaItemAdmin(Erasing, ItemPage, ReadingAdmin):
    """The list with thumbnails, filters and decisions."""

    list_display: Any = (
        "picture",
        "post",
        "under",
        "badge",
        "times",
        "source",
    )
    list_display_links = ("picture", "post")
    list_filter = (
        "visibility",
        "pinned",
        TagFilter,
        ClusterFilter,
        "kind",
        ProviderFilter,
        PicturesFilter,
        ("dated_at", PostedFilter),
    )
    search_fields = ("caption", "author__username", "author__name", "=native_id")
    search_help_text = "Caption, author, or the provider's id"
    ordering = ("-dated_at", "-id")
    sortable_by = ("times",)
    actions = (hide, show, pin, unpin, erase)

    def get_queryset(self, request: HttpRequest) -> QuerySet[MediaItem]:
        """All items, with what a row shows."""
        rows: QuerySet[MediaItem] = super().get_queryset(request)
        assets = MediaAsset.objects.select_related("picture", "film")
        return rows.select_related("author").prefetch_related(
            Prefetch("assets", assets), "assets__picture__renditions", "tags"
        )

    def get_list_display(self, request: HttpRequest) -> Any:
        """With the button, for those who may decide."""
        columns = list(self.list_display)
        if self.has_moderate_permission(request):
            columns.insert(columns.index("badge") + 1, "one_click")
        return columns

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        """Whether the person may hide, show and pin."""
        return request.user.has_perm("media_archive.moderate_mediaitem")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; or one decision by the button of a row, and the list again."""
        word, _, key = request.POST.get("one_click", "").partition(":")
        if word in ONE_CLICK and key.isascii() and key.isdigit() and len(key) < 19:
            if self.has_moderate_permission(request):
                self.decide(request, ONE_CLICK[word], [int(key)])
            else:
                self.message_user(
                    request, "You may not decide about media.", messages.ERROR
                )
            return HttpResponseRedirect(request.get_full_path())
        return super().changelist_view(request, extra_context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page; or the step of its button, and the page again."""
        if (answer := self.pressed(request)) is not None:
            return answer
        return super().change_view(request, object_id, form_url, extra_context)

    def decide(self, request: HttpRequest, decision: Decision, keys: list[int]) -> None:
        """Do it, in portions, and say how many items it was."""
        actor = request.user.get_username()
        changed = 0
        for start in range(0, len(keys), AT_ONCE):
            changed += decision(keys[start : start + AT_ONCE], actor=actor)
        already = len(keys) - changed
        text = (
            f"{changed} media {'item' if changed == 1 else 'items'} {DONE[decision]}."
        )
        if already:
            text += f" {already} {'was' if already == 1 else 'were'} so already."
        level = messages.SUCCESS if changed else messages.WARNING
        self.message_user(request, text, level)

    @admin.display(description="Picture")
    def picture(self, item: MediaItem) -> SafeString:
        """84 px of it."""
        return thumbnail(item)

    @admin.display(description="Post")
    def post(self, item: MediaItem) -> SafeString:
        """Who, and the beginning of what they wrote."""
        text = item.caption or "(no caption)"
        if len(text) > CAPTION_SHOWN:
            text = text[:CAPTION_SHOWN].rstrip() + "…"
        return format_html(
            '<strong><bdi>{}</bdi></strong><span dir="auto">{}</span>',
            _author(item) or "(author not told)",
            text,
        )

    @admin.display(description="Tags")
    def under(self, item: MediaItem) -> SafeString:
        """The first five."""
        tags = sorted(tag.name for tag in item.tags.all())
        more = [f"and {len(tags) - 5} more"] if len(tags) > 5 else []
        lines = [*(f"#{tag}" for tag in tags[:5]), *more]
        shown = format_html_join("", "<div><bdi>{}</bdi></div>", ((x,) for x in lines))
        return format_html('<div class="archive-tags">{}</div>', shown)

    @admin.display(description="On the wall")
    def badge(self, item: MediaItem) -> SafeString:
        """A word with a colour, never the colour alone."""
        return format_html(
            '<span class="badge {}">{}</span>{}',
            COLOURS[Visibility(item.visibility)],
            item.get_visibility_display(),
            format_html(' <span class="badge is-busy">{}</span>', "Pinned")
            if item.pinned
            else "",
        )

    @admin.display(description="Posted (UTC)", ordering="dated_at")
    def times(self, item: MediaItem) -> SafeString:
        """When it was posted, when we first stored it, and what lies between."""
        posted, archived = item.posted_at, item.archived_at
        if posted is None:
            told = "time of posting not told"
            return format_html(TIMES, told, f"{archived:%Y-%m-%d %H:%M:%S}", "")
        lag, same_day = archived - posted, posted.date() == archived.date()
        return format_html(
            TIMES,
            f"{posted:%Y-%m-%d %H:%M:%S}",
            f"{archived:%H:%M:%S}" if same_day else f"{archived:%Y-%m-%d %H:%M:%S}",
            f"{_short(lag)} later" if lag >= timedelta(0) else "",
        )

    @admin.display(description="Source")
    def source(self, item: MediaItem) -> SafeString:
        """What people call the place, and the kind."""
        return format_html(
            '{}<span class="quiet-line">{}</span>',
            source_label(item.provider),
            item.get_kind_display(),
        )

    @admin.display(description="One click")
    def one_click(self, item: MediaItem) -> SafeString:
        """The decision one most likely wants; part of the list's own form."""
        word = "hide" if item.visibility == Visibility.VISIBLE else "show"
        return format_html(
            '<button class="row-button" name="one_click" value="{}:{}">{}</button>',
            word,
            item.pk,
            word.title(),
        )


def _keys(items: QuerySet[MediaItem]) -> list[int]:
    return list(items.order_by().values_list("pk", flat=True))


def _short(time: timedelta) -> str:
    """ "4.2 s" below a minute, else the one or two largest units."""
    if time < timedelta(minutes=1):
        return f"{time.total_seconds():.1f} s"
    began = timezone.now()
    return timesince(began - time, began)


def _author(item: MediaItem) -> str | None:
    if item.author is None:
        return None
    if item.author.username:
        return f"@{item.author.username}"
    return item.author.name
