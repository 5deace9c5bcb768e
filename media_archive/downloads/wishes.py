"""What a download is to bring: where from, and which picture is meant."""

from __future__ import annotations

from dataclasses import dataclass

from media_archive.downloads import sources
from media_archive.errors import ClaimLost
from media_archive.models import Author, Download, MediaAsset, Role


@dataclass(frozen=True, slots=True)
class Wish:
    """The addresses, the best first, and the key of what they mean."""

    urls: list[str]
    key: str


def of(row: Download) -> Wish:
    """As the provider told it last. Raises ``ClaimLost`` if the owner is gone."""
    if row.role == Role.AVATAR:
        author = Author.objects.filter(download=row).first()
        if author is None:
            raise ClaimLost("Whose portrait it was is not there any more.")
        url = author.avatar_url
        return Wish([url] if url else [], sources.key_of_address(url))
    asset = MediaAsset.objects.filter(downloads=row).first()
    if asset is None:
        raise ClaimLost("What the download was for is not there any more.")
    kind = "video" if row.role == Role.FILM else "image"
    return Wish(sources.best_first(asset.sources, kind), sources.key_of(asset.sources))
