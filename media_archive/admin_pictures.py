"""Pictures and links as HTML for the admin. Everything in them is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from media_archive.models import MediaItem
from media_archive.picture_addresses import may_be_shown

FRAME = SafeString(
    '<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="2.5" y="4" width="19"'
    ' height="16" rx="3"/><circle cx="8" cy="9.3" r="1.6"/>'
    '<path d="m3 18 5.5-5 3.5 3 4-4.5 5.5 5"/></svg>'
)
"""Stands where a picture cannot."""

ENOUGH = 168
"""Pixels: 84 on a screen with two to each."""


def thumbnail(item: MediaItem) -> SafeString:
    """The item's first picture, 84 px, from the smallest size that is enough; below
    it the kind, which is seen when no picture can be."""
    picture: SafeString | str = ""
    for asset in item.assets.all():
        if (source := _fitting(asset.sources)) is not None:
            picture = format_html(
                '<img class="may-go" src="{}" alt="{}" width="84" height="84"'
                ' loading="lazy" decoding="async" referrerpolicy="no-referrer">',
                source["url"],
                asset.alt_text or "",
            )
            break
    return format_html(
        '<span class="archive-thumb"><span>{}{}</span>{}</span>',
        FRAME,
        item.get_kind_display(),
        picture,
    )


def every_size(item: MediaItem) -> SafeString:
    """All sizes of all assets, each a picture (or a word) that opens it."""
    return format_html_join(
        "",
        '<section class="archive-asset"><h3>{} {}</h3><div>{}</div><p>{}</p></section>',
        (
            (
                asset.position + 1,
                asset.kind,
                format_html_join("", "{}", ((_size(s),) for s in asset.sources)),
                asset.alt_text or "",
            )
            for asset in item.assets.all()
        ),
    )


def link(url: str | None, text: str) -> SafeString | str:
    """``text`` leading outside; bare where there is no http(s) address."""
    if url is None or not url.startswith(("http://", "https://")):
        return text
    return format_html(
        '<a href="{}" target="_blank" rel="noopener noreferrer nofollow ugc">{}</a>',
        url,
        text,
    )


def _size(source: Mapping[str, Any]) -> SafeString:
    width, height = source.get("width"), source.get("height")
    pixels = f"{width} × {height}" if width and height else "size not told"
    inside: SafeString | str = "film"
    if source.get("kind") == "image":
        shown = may_be_shown(source["url"])
        inside = format_html(
            '{}<span class="archive-unseen"{}>{}</span>',
            format_html(
                '<img class="may-go" src="{}" alt="{}, {}" loading="lazy"'
                ' referrerpolicy="no-referrer">',
                source["url"],
                source.get("name") or "picture",
                pixels,
            )
            if shown
            else "",
            SafeString(" hidden") if shown else "",
            "The picture cannot be shown here. Open it at its source.",
        )
    return format_html(
        '<figure class="archive-size">{}<figcaption>{} · {}</figcaption></figure>',
        link(source["url"], inside),
        source.get("name") or "",
        pixels,
    )


def _fitting(sources: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    pictures = [
        source
        for source in sources
        if source.get("kind") == "image" and may_be_shown(source["url"])
    ]
    by_width = sorted(pictures, key=lambda source: source.get("width") or 0)
    enough = [source for source in by_width if (source.get("width") or 0) >= ENOUGH]
    return next(iter([*enough, *reversed(by_width)]), None)
