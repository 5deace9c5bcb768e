"""Listings and their cursors, both ways.

Cursors are opaque texts that changed four times (2011 pk; 2012 ms; 2014 µs; 2017
``AQ…``), and were integers in the first years. There is no ``next_min_tag_id``: the
forward cursor is ``min_tag_id`` (= ``next_min_id``). ``next_url`` repeats the
caller's credentials: a cursor is taken out of it, it is never kept or called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, urlencode, urlsplit

from subscriptions.providers.base import Page, Quota
from subscriptions.providers.instagram_v1.wire import fields
from subscriptions.providers.instagram_v1.wire.envelope import NotOurFormat, data_in
from subscriptions.providers.instagram_v1.wire.media import parse_media

DEPRECATION_WARNING = (
    "next_max_id and min_id are deprecated for this endpoint; "
    "use min_tag_id and max_tag_id instead"
)

MAX_ENTRIES = 2_000
"""Of one listing; 33 are asked for. More is not a page, and would hold the rows of
everybody for as long as it takes to write them."""

NEWEST = ("min_tag_id", "next_min_id")
OLDER = ("next_max_tag_id", "next_max_id")
OLDER_IN_URL = ("max_tag_id", "max_id")


def parse_page(document: object, quota: Quota | None = None) -> Page:
    """One answer of a media listing. Raises ``NotOurFormat`` without an envelope,
    and for more than ``MAX_ENTRIES``.

    Entries without any identity are counted in ``skipped``, and cost nobody else
    anything. ``data: null`` is an empty listing.
    """
    data = data_in(document)
    if isinstance(data, Mapping):
        data = [data]
    if not isinstance(data, list | tuple | None):
        raise NotOurFormat("The data of a listing is not a list.")
    if len(data or ()) > MAX_ENTRIES:
        raise NotOurFormat(f"The listing has more than {MAX_ENTRIES} entries.")
    read = [parse_media(item) for item in data or ()]
    media = tuple(item for item in read if item is not None)
    newest, older = parse_cursors(document)
    return Page(
        media=media,
        newest=newest,
        older=older,
        quota=quota or Quota(),
        skipped=len(read) - len(media),
    )


def parse_cursors(document: object) -> tuple[str | None, str | None]:
    """(newest, older) of a listing; ``paging`` was the key in 2010."""
    outside = fields.mapping(document)
    said = fields.mapping(outside.get("pagination") or outside.get("paging"))
    newest = _first(said, NEWEST)
    older = _first(said, OLDER)
    if older is None:
        older = _cursor_in_url(said.get("next_url") or said.get("next"))
    return newest, older


def _first(said: Mapping[str, object], keys: Sequence[str]) -> str | None:
    read = (fields.cursor(said.get(key)) for key in keys)
    return next((cursor for cursor in read if cursor is not None), None)


def _cursor_in_url(value: object) -> str | None:
    if not isinstance(value, str) or len(value) > 4 * fields.MAX_URL:
        return None
    try:
        query = parse_qs(urlsplit(value).query)
    except ValueError:
        return None
    return _first({key: values[-1] for key, values in query.items()}, OLDER_IN_URL)


def render_tag_pagination(
    newest: str | None, older: str | None, next_url: str | None
) -> dict[str, object]:
    """All the keys a tag page carried at once (2014-15).

    The last page has no ``older``: then ``next_max_*`` and ``next_url`` are left
    out, never null. ``newest`` alone is what a poll that found nothing says.
    """
    said: dict[str, object] = {}
    if older is not None:
        said["next_max_tag_id"] = older
    said["deprecation_warning"] = DEPRECATION_WARNING
    if older is not None:
        said["next_max_id"] = older
    if newest is not None:
        said["next_min_id"] = newest
        said["min_tag_id"] = newest
    if older is not None and next_url is not None:
        said["next_url"] = next_url
    return said


def render_list_pagination(
    older: str | None, next_url: str | None
) -> dict[str, object]:
    """The other media listings: users, places, areas. Empty on the last page."""
    if older is None:
        return {}
    said: dict[str, object] = {"next_max_id": older}
    if next_url is not None:
        said["next_url"] = next_url
    return said


def render_next_url(
    address: str,
    query: Sequence[tuple[str, str]],
    older: str,
    name: str = "max_tag_id",
) -> str:
    """``address`` (absolute, as it was asked) with the caller's own ``query`` —
    credentials, ``count`` and ``callback`` included — and the cursor in ``name``."""
    kept = [(key, value) for key, value in query if key not in OLDER_IN_URL]
    return f"{address}?{urlencode([*kept, (name, older)])}"
