"""Pictures and links as HTML for the admin. Everything in them is escaped.

All pictures are our own; a provider's address is only a link.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from media_archive import files
from media_archive.admin_keeping import (
    badge,
    button,
    file_size,
    next_attempt,
    sentence,
    when,
)
from media_archive.kept_pictures import address_of, for_purpose, sizes, srcset
from media_archive.models import (
    Download,
    MediaAsset,
    MediaItem,
    Rendition,
    StoredFile,
)

FRAME = SafeString(
    '<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="2.5" y="4" width="19"'
    ' height="16" rx="3"/><circle cx="8" cy="9.3" r="1.6"/>'
    '<path d="m3 18 5.5-5 3.5 3 4-4.5 5.5 5"/></svg>'
)
"""Stands where a picture cannot."""

WIDEST = 320
"""Pixels of a picture on the page of its item."""


def thumbnail(item: MediaItem) -> SafeString:
    """The item's first kept picture, 84 px; below it the kind, which is seen when no
    picture can be."""
    pictures = (asset.picture for asset in item.assets.all())
    first = next((picture for picture in pictures if picture is not None), None)
    alt = next((a.alt_text for a in item.assets.all() if a.alt_text), "")
    return square(first, "s168", item.get_kind_display(), alt or "")


def square(
    file: StoredFile | None, purpose: str, word: str, alt: str = ""
) -> SafeString:
    """A kept picture in 84 px over ``word``; the rendition has twice as many."""
    made = for_purpose(file, purpose)
    picture: SafeString | str = ""
    if made is not None:
        picture = format_html(
            '<img class="may-go" src="{}" srcset="{} {}w" sizes="84px" alt="{}"'
            ' width="84" height="84" loading="lazy" decoding="async">',
            address_of(made),
            address_of(made),
            made.width,
            alt,
        )
    return format_html(
        '<span class="archive-thumb"><span>{}{}</span>{}</span>', FRAME, word, picture
    )


def every_asset(item: MediaItem, *, may_try_again: bool) -> SafeString:
    """All assets: the picture, what became of keeping it, its sizes, its sources."""
    return format_html_join(
        "",
        '<section class="archive-asset"><h3>{} {}</h3><div>{}<div>{}{}</div></div>'
        "<p>{}</p></section>",
        (
            (
                asset.position + 1,
                asset.kind,
                _picture(asset),
                _rows(asset, may_try_again=may_try_again),
                _files(asset),
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


def _picture(asset: MediaAsset) -> SafeString | str:
    made = sizes(asset.picture) if asset.picture is not None else []
    if not made or asset.picture is None:
        return ""
    width, height = made[-1].width, made[-1].height
    scale = min(1.0, WIDEST / width, WIDEST / height)
    return format_html(
        '<figure class="archive-size"><img class="may-go" src="{}" srcset="{}"'
        ' sizes="{}px" width="{}" height="{}" alt="{}" loading="lazy">'
        '<span class="archive-unseen" hidden>The file is not in the store.</span>'
        "</figure>",
        address_of(made[0]),
        srcset(made),
        round(width * scale),
        round(width * scale),
        round(height * scale),
        asset.alt_text or "",
    )


def _rows(asset: MediaAsset, *, may_try_again: bool) -> SafeString:
    """One line for each download: how it stands, since when, what comes next."""
    downloads = sorted(asset.downloads.all(), key=lambda row: row.role, reverse=True)
    if not downloads:
        return format_html("<p>{}</p>", "The provider offers no picture of it.")
    return format_html_join(
        "",
        '<p class="archive-download"><strong>{}</strong> {} {} <span '
        'class="sentence">{}</span></p>',
        (
            (
                row.get_role_display(),
                badge(row.state),
                button(row) if may_try_again else "",
                _said(row),
            )
            for row in downloads
        ),
    )


def _said(row: Download) -> SafeString:
    following = next_attempt(row)
    return format_html(
        "{} Since {}.{}",
        sentence(row),
        when(row.state_since),
        "" if following == "-" else format_html(" Next attempt: {}.", following),
    )


def _files(asset: MediaAsset) -> SafeString:
    lines = [
        ("Original", _file(asset.picture)) if asset.picture else None,
        ("Film", _file(asset.film)) if asset.film else None,
        ("Sizes", _sizes(asset.picture)) if asset.picture else None,
        ("At the provider", _sources(asset.sources)) if asset.sources else None,
    ]
    return format_html(
        '<dl class="archive-files">{}</dl>',
        format_html_join(
            "", "<dt>{}</dt><dd>{}</dd>", (each for each in lines if each)
        ),
    )


def _file(file: StoredFile) -> SafeString:
    pixels = f"{file.width} × {file.height} · " if file.width else ""
    return format_html(
        '<a href="{}">{}</a> · {}{} · SHA-256 <code title="{}">{}…</code>',
        files.address(file.name),
        file.content_type,
        pixels,
        file_size(file.size),
        file.sha256,
        file.sha256[:12],
    )


def _sizes(file: StoredFile) -> SafeString:
    def order(made: Rendition) -> tuple[int, str]:
        return made.width, made.spec

    return format_html_join(
        " · ",
        '<a class="nowrap" href="{}" title="{}, {}">{} × {} {}</a>',
        (
            (
                address_of(made),
                made.spec,
                file_size(made.size),
                made.width,
                made.height,
                made.content_type.partition("/")[2],
            )
            for made in sorted(file.renditions.all(), key=order)
        ),
    )


def _sources(sources: list[Mapping[str, Any]]) -> SafeString:
    return format_html_join(
        " · ",
        '<span class="nowrap">{}</span>',
        ((link(source.get("url"), _source(source)),) for source in sources),
    )


def _source(source: Mapping[str, Any]) -> str:
    width, height = source.get("width"), source.get("height")
    pixels = f"{width} × {height}" if width and height else "size not told"
    kind = "film, " if source.get("kind") == "video" else ""
    return f"{source.get('name') or 'unnamed'} ({kind}{pixels})"
