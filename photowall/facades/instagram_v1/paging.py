"""A tag's listing in pages, newest first.

A cursor is the journal's number with which an item joined the listing. Numbers are
committed in their order, so nothing ever appears below a cursor that was given out:
who walks back to the end and then asks for newer than the first page's
``min_tag_id`` has seen everything. An item that is shown again joins anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F

from media_archive.models import MediaItem, Tag
from photowall.facades.instagram_v1.records import whole


@dataclass(frozen=True, slots=True)
class TagPage:
    """One page. ``newest`` is where to ask for newer, ``older`` where to walk back;
    ``None`` = nowhere."""

    items: Sequence[MediaItem]
    newest: str | None
    older: str | None


def tag_page(tag: str, *, count: int, above: int | None, below: int | None) -> TagPage:
    """Up to ``count`` visible items of ``tag``, of those that joined after ``above``
    and before ``below`` the newest."""
    # A subquery and not a join: the database needs one tag to walk in order. Items
    # and listings come together: what is hidden meanwhile leaves no hole in a page.
    row = Tag.objects.filter(name=tag).values("id")[:1]
    listed = (
        whole(MediaItem.objects.visible())
        .filter(listings__tag=row)
        .annotate(joined=F("listings__seq"))
    )
    if above is not None:
        listed = listed.filter(joined__gt=above)
    if below is not None:
        listed = listed.filter(joined__lt=below)
    found = list(listed.order_by("-joined")[: count + 1])
    page = found[:count]
    newest = page[0].joined if page else above
    return TagPage(
        items=page,
        newest=str(newest) if newest is not None else None,
        older=str(page[-1].joined) if len(found) > count else None,
    )
