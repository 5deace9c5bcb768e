"""Files that are really in the store, with their rows."""

from __future__ import annotations

import hashlib
from typing import Any

from media_archive import files
from media_archive.models import Author, MediaAsset, MediaItem, Rendition, StoredFile


def put(name: str, content: bytes) -> str:
    """These bytes in the store under that name."""
    path = files.scratch() / "part-test"
    path.write_bytes(content)
    files.put(name, path)
    return name


def a_picture(said: str = "picture", item: MediaItem | None = None) -> StoredFile:
    """A stored original; with ``item`` that item's first asset shows it."""
    content = said.encode() * 1_000
    digest = hashlib.sha256(content).hexdigest()
    name = put(files.original_name(digest, "image/jpeg"), content)
    file, _ = StoredFile.objects.get_or_create(
        sha256=digest,
        defaults={"name": name, "content_type": "image/jpeg", "size": len(content)},
    )
    if item is not None:
        MediaAsset.objects.filter(item=item, position=0).update(picture=file)
    return file


def a_rendition(
    file: StoredFile, said: str = "small", spec: str = "w480.webp.1"
) -> str:
    """The name of a rendition of ``file``, made of ``said``."""
    content = said.encode() * 100
    digest = hashlib.sha256(content).hexdigest()
    name = put(files.rendition_name(digest, "image/webp"), content)
    about: dict[str, Any] = {"width": 480, "height": 480, "size": len(content)}
    Rendition.objects.create(
        file=file,
        spec=spec,
        name=name,
        sha256=digest,
        content_type="image/webp",
        **about,
    )
    return name


def a_film(item: MediaItem, size: int = 1_000_000) -> str:
    """The name of a film that ``item`` shows: bytes that differ from each other."""
    content = b"".join(b"%08d" % number for number in range(size // 8))
    digest = hashlib.sha256(content).hexdigest()
    name = put(files.film_name(digest, "video/mp4"), content)
    film, _ = StoredFile.objects.get_or_create(
        sha256=digest,
        defaults={"name": name, "content_type": "video/mp4", "size": len(content)},
    )
    MediaAsset.objects.filter(item=item, position=0).update(film=film)
    return name


def a_portrait(author: Author, said: str = "portrait") -> str:
    """The name of a rendition of the author's portrait."""
    file = a_picture(said)
    Author.objects.filter(pk=author.pk).update(avatar=file)
    return a_rendition(file, said, "s96.webp.1")
