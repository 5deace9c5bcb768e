"""Near-identical shots on the page of an item in the admin."""

from __future__ import annotations

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from media_archive.admin_pictures import thumbnail
from media_archive.models import MediaAsset, MediaItem, Visibility

MOST_SHOWN = 24
PAGE = "admin:media_archive_mediaitem_change"
LIST = "admin:media_archive_mediaitem_changelist"


def near_identical(item: MediaItem) -> SafeString | str:
    """The others of its cluster as thumbnails, newest first, hidden ones as well; and
    where all of them are listed."""
    if item.cluster_id is None:
        return "Not known before its first picture is kept."
    assets = MediaAsset.objects.select_related("picture").prefetch_related(
        "picture__renditions"
    )
    rows = MediaItem.objects.filter(cluster_id=item.cluster_id).exclude(pk=item.pk)
    count = rows.count()
    if not count:
        return "None: no other post of the author is like it."
    newest = rows.order_by("-dated_at", "-id")[:MOST_SHOWN]
    shown = format_html_join(
        "",
        '<a href="{}" title="{}">{}</a>',
        (
            (
                reverse(PAGE, args=[other.pk]),
                _when(other),
                thumbnail(other),
            )
            for other in newest.prefetch_related(Prefetch("assets", assets))
        ),
    )
    return format_html(
        '<div class="archive-alike">{}</div><p><a href="{}?cluster={}">'
        "List all {} of them</a>. The wall shows one.</p>",
        shown,
        reverse(LIST),
        item.cluster_id,
        count + 1,
    )


def _when(item: MediaItem) -> str:
    word = Visibility(item.visibility).label
    return f"{item.dated_at:%Y-%m-%d %H:%M:%S} UTC · {word}"
