"""A site with pictures, and posts that show them."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from django.utils import timezone
from PIL import Image
from werkzeug import Request, Response

from media_archive.models import Download, MediaAsset, MediaItem
from media_archive.records import AssetSource, IncomingAsset, IncomingAuthor, Kind
from tests.builders import an_item

Answer = Callable[[Request], Response]


@cache
def a_jpeg(number: int = 0, side: int = 64) -> bytes:
    """Another picture for each ``number``, and always the same one for that."""
    noise = random.Random(number).randbytes(side * side * 3)
    picture = Image.frombytes("RGB", (side, side), noise)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


A_FILM = (
    b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
    b"\x00\x00\x0f\xa8mdat" + bytes(4_000)
)


@dataclass
class Site:
    """Pictures over HTTP. ``answers`` says for a path how it is answered; ``asked``
    is every path that was, in order."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    answers: dict[str, list[Answer] | Answer] = field(default_factory=dict)

    def answer(self, request: Request) -> Response:
        self.asked.append(request.path)
        said = self.answers.get(request.path)
        if said is None:
            return Response("Nothing here.", 404)
        if isinstance(said, list):
            return (said.pop(0) if len(said) > 1 else said[0])(request)
        return said(request)

    def show(self, path: str, content: bytes, content_type: str = "image/jpeg") -> None:
        """``content`` at ``path``."""
        self.answers[path] = lambda _: Response(content, content_type=content_type)

    def at(self, path: str) -> str:
        return self.url + path


def status(code: int, **headers: str) -> Answer:
    """An answer with nothing but a status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Response("", code, headers=named)


def source(url: str, side: int | None = 640, kind: Kind = Kind.IMAGE) -> AssetSource:
    """One size at ``url``."""
    return AssetSource("standard_resolution", url, kind, side, side)


def a_picture(*urls: str) -> IncomingAsset:
    """One picture in several sizes, the largest first."""
    sides = range(640, 0, -100)
    return IncomingAsset(
        Kind.IMAGE, [source(url, side) for url, side in zip(urls, sides, strict=False)]
    )


NOBODY = IncomingAuthor("99", "nobody")
"""Has no portrait."""


def a_post(*urls: str, **said: Any) -> MediaItem:
    """A stored post with one picture for each address."""
    assets = [a_picture(url) for url in urls]
    usual: dict[str, Any] = {"assets": assets, "author": NOBODY}
    return an_item(**(usual | said))


def the_download(item: MediaItem, position: int = 0, role: str = "picture") -> Download:
    """As it is now."""
    return Download.objects.get(asset__item=item, asset__position=position, role=role)


def the_asset(item: MediaItem, position: int = 0) -> MediaAsset:
    """As it is now."""
    return MediaAsset.objects.get(item=item, position=position)


def time_passes(seconds: float = 86_400) -> None:
    """Everything that was noted about downloads was so long ago."""
    ago = timedelta(seconds=seconds)
    times = ("next_attempt_at", "gone_at", "claim_until", "state_since")
    for row in Download.objects.all():
        for name in times:
            if (at := getattr(row, name)) is not None:
                setattr(row, name, at - ago)
        row.save(update_fields=times)


def wait_left(row: Download) -> float:
    """Seconds until the next attempt."""
    assert row.next_attempt_at is not None
    return (row.next_attempt_at - timezone.now()).total_seconds()
