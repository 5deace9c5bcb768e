"""Which files everybody may see: what a visible item shows, and nothing else.

A film or picture is shown by the assets that have it, a portrait by the author's
items. Equal bytes are one file: it is visible as long as one visible item shows it.
Originals are for those alone who may read the archive.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import BooleanField, Exists, OuterRef, Value

from media_archive.handing_out.answers import Shown
from media_archive.models import Author, MediaAsset, Rendition, StoredFile, Visibility
from media_archive.stores.shape import is_name

_VISIBLE = Visibility.VISIBLE


def look_up(names: Collection[str]) -> dict[str, Shown]:
    """By name what our rows know; ``to_all`` says whether everybody may see it. One
    query for each kind of file among the names."""
    found: dict[str, Shown] = {}
    ours = [name for name in names if is_name(name)]
    for kind in {name[0] for name in ours}:
        wanted = [name for name in ours if name[0] == kind]
        for name, size, to_all in _rows(kind, wanted):
            # Renditions of two files may be equal: one that is visible decides.
            if name not in found or to_all:
                found[name] = Shown(name, size, to_all)
    return found


def _rows(kind: str, names: list[str]) -> list[tuple[str, int, bool]]:
    columns = ("name", "size", "to_all")
    if kind == "r":
        pictures = MediaAsset.objects.filter(
            picture=OuterRef("file"), item__visibility=_VISIBLE
        )
        portraits = Author.objects.filter(
            avatar=OuterRef("file"), media__visibility=_VISIBLE
        )
        made = Rendition.objects.filter(name__in=names)
        shown = made.annotate(to_all=Exists(pictures) | Exists(portraits))
        return list(shown.values_list(*columns))
    stored = StoredFile.objects.filter(name__in=names)
    if kind == "o":
        nobody = Value(value=False, output_field=BooleanField())
        return list(stored.annotate(to_all=nobody).values_list(*columns))
    films = MediaAsset.objects.filter(film=OuterRef("pk"), item__visibility=_VISIBLE)
    return list(stored.annotate(to_all=Exists(films)).values_list(*columns))
