"""A tag's listing in pages, newest first.

A cursor is the journal's number with which an item joined the listing. Numbers are
committed in their order, so nothing ever appears below a cursor that was given out:
who walks back to the end and then asks for newer than the first page's
``min_tag_id`` has seen everything. An item that is shown again joins anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from media_archive.models import MediaItem, MediaTag, Visibility
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
    listings = MediaTag.objects.filter(
        tag__name=tag, item__visibility=Visibility.VISIBLE
    )
    if above is not None:
        listings = listings.filter(seq__gt=above)
    if below is not None:
        listings = listings.filter(seq__lt=below)
    found = list(listings.order_by("-seq").values_list("seq", "item_id")[: count + 1])
    page = found[:count]
    items = whole(MediaItem.objects.visible()).in_bulk([pk for _, pk in page])
    newest = page[0][0] if page else above
    return TagPage(
        items=[items[pk] for _, pk in page if pk in items],
        newest=str(newest) if newest is not None else None,
        older=str(page[-1][0]) if len(found) > count else None,
    )
