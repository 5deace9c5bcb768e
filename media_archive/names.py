"""Tags and authors of a page: rows that many posts share, found or made.

Both are written in the order of their names, so that two pages cannot deadlock.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from functools import lru_cache
from typing import Any

from django.db import connection

from media_archive import rows_of_records as rows
from media_archive import set_wise
from media_archive.downloads import wanting
from media_archive.errors import InvalidTag
from media_archive.models import Author, Tag
from media_archive.records import IncomingAuthor, IncomingMedia
from media_archive.tags import normalise_tag

REMEMBERED = 4096
"""Texts whose normal form is kept in memory."""
LONGEST_REMEMBERED = 100


def tags_of(record: IncomingMedia, listed_under: str | None) -> dict[str, bool]:
    """Normal form → whether the post itself names it. What is no tag is left out:
    the raw document keeps it."""
    tags = {}
    for text in record.tags:
        if (tag := _normal(text)) is not None:
            tags[tag] = True
    if listed_under is not None:
        tags.setdefault(listed_under, False)
    return tags


def tag_ids(names: Iterable[str]) -> dict[str, int]:
    """Name → primary key of all ``names``, made where there is none."""
    wanted = {*names}
    found = _stored_tags(wanted)
    if missing := sorted(wanted - found.keys()):
        found |= set_wise.insert(
            Tag,
            ("name",),
            [(name,) for name in missing],
            set_wise.Ignore(),
            returning=("name", "id"),
        )
    if late := wanted - found.keys():
        # Made by another worker since we looked.
        found |= _stored_tags(late)
    return found


def author_ids(
    provider: str, said: Iterable[IncomingAuthor], older: Set[str] = frozenset()
) -> dict[str, int]:
    """Native id → primary key of the authors ``said``, made or brought up to date;
    nothing known is blanked. Who has an id that no row can hold is left out.

    Of the native ids ``older`` an older word is said: it only fills what is blank.
    """
    latest = {
        author.native_id: rows.author(author)
        for author in said
        if rows.usable_id(author.native_id)
    }
    stored = {
        native_id: (pk, columns)
        for native_id, pk, *columns in _stored_authors(provider, latest)
    }
    found = {native_id: pk for native_id, (pk, _) in stored.items()}
    for native_id in older & stored.keys() & latest.keys():
        pairs = zip(latest[native_id], stored[native_id][1], strict=True)
        latest[native_id] = tuple(t if have is None else None for t, have in pairs)
    write = [
        (provider, native_id, *told)
        for native_id, told in sorted(latest.items())
        if native_id not in stored or _tells_more(told, stored[native_id][1])
    ]
    written = dict(
        set_wise.insert(
            Author,
            rows.AUTHOR,
            write,
            set_wise.Update(rows.AUTHOR[:2], rows.AUTHOR[2:], keep_known=True),
            returning=("native_id", "id"),
        )
    )
    wanting.portraits_told(
        {pk: latest[native_id][-1] for native_id, pk in written.items()},
        {pk: columns[-1] for pk, columns in stored.values()},
    )
    return found | written


def _tells_more(told: Iterable[str | None], known: Iterable[str | None]) -> bool:
    pairs = zip(told, known, strict=True)
    return any(said is not None and said != have for said, have in pairs)


def _stored_authors(provider: str, native_ids: Iterable[str]) -> list[tuple[Any, ...]]:
    """Nobody erases them until the commit: posts are about to name them."""
    among, said = set_wise.among(native_ids)
    share = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT native_id, id, username, name, avatar_url FROM {_AUTHOR} "
            f"WHERE provider = %s AND native_id {among} ORDER BY native_id{share}",
            [provider, said],
        )
        return cursor.fetchall()


_AUTHOR = Author._meta.db_table  # noqa: SLF001  public in Django


def _stored_tags(names: set[str]) -> dict[str, int]:
    return dict(Tag.objects.filter(name__in=names).values_list("name", "pk"))


def _normal(text: str) -> str | None:
    return (_remembered if len(text) <= LONGEST_REMEMBERED else _normalised)(text)


def _normalised(text: str) -> str | None:
    try:
        return normalise_tag(text)
    except InvalidTag:
        return None


_remembered = lru_cache(maxsize=REMEMBERED)(_normalised)
