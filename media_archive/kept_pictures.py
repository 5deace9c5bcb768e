"""What is kept of a picture, by what it is for: the sizes and their addresses.

A stored file must be loaded with its renditions (``MediaItemQuerySet.whole()``);
nothing here asks the database for a file that is.
"""

from __future__ import annotations

from django.conf import settings

from media_archive import files
from media_archive.models import Rendition, StoredFile

WEBP = "image/webp"
JPEG = "image/jpeg"


def sizes(file: StoredFile, content_type: str = WEBP) -> list[Rendition]:
    """The whole picture in several widths, smallest first."""
    found = [
        each
        for each in file.renditions.all()
        if each.content_type == content_type and _purpose(each)[:1] == "w"
    ]
    return sorted(found, key=lambda each: each.width)


def for_purpose(
    file: StoredFile | None, purpose: str, content_type: str = WEBP
) -> Rendition | None:
    """The one rendition made for ``purpose``: "s168" (a square of 168 px), "bg",
    "a480" (it moves), "s96" and "s192" (portraits)."""
    if file is None:
        return None
    found = (
        each
        for each in file.renditions.all()
        if _purpose(each) == purpose and each.content_type == content_type
    )
    return next(found, None)


def address_of(rendition: Rendition | None) -> str | None:
    """Where a page finds it."""
    return None if rendition is None else files.address(rendition.name)


def srcset(renditions: list[Rendition]) -> str:
    """As HTML writes it: ``/media/… 240w, /media/… 480w``."""
    return ", ".join(f"{files.address(r.name)} {r.width}w" for r in renditions)


def absolute(name: str) -> str:
    """Where anybody finds the file ``name``: with our own host, or the store's."""
    address = files.address(name)
    base: str = settings.PHOTOWALL_BASE_URL
    return f"{base}{address}" if address.startswith("/") else address


def _purpose(rendition: Rendition) -> str:
    return rendition.spec.partition(".")[0]
