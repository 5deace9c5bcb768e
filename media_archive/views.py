"""The wall of one tag: its page, its snapshot, its notice, its QR code."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any

import segno
from csp.decorators import csp_update
from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import condition, require_safe

from media_archive import walls
from media_archive.errors import InvalidTag
from media_archive.tags import normalise_tag
from media_archive.wall_sizes import sizes_for

ONE_DAY = 86_400


@require_safe
@cache_control(no_cache=True, private=True)
@csp_update({"require-trusted-types-for": ["'script'"]})  # type: ignore[arg-type]
def wall(request: HttpRequest, tag: str) -> HttpResponse:
    """The live page of any tag; 404 with a sentence for what is no hashtag."""
    try:
        normal = normalise_tag(tag)
    except InvalidTag as error:
        said = {"form_error": error.message, "tag_text": tag[:200]}
        return render(request, "media_archive/wall_refused.html", said, status=404)
    if normal != tag:
        query = request.META.get("QUERY_STRING", "")
        address = reverse("wall", args=[normal])
        return HttpResponseRedirect(f"{address}?{query}" if query else address)
    shown = walls.snapshot(normal)
    first: dict[str, Any] = next(iter(shown["posts"]), {})
    context = {
        "tag": normal,
        "snapshot": shown,
        "first_sizes": sizes_for(first.get("w"), first.get("h")),
        "known": walls.is_known(normal),
        "join_url": join_url(normal),
        "qr_svg_url": reverse("wall-qr", args=[normal]),
    }
    return render(request, "media_archive/wall.html", context)


@require_safe
@never_cache
def snapshot(request: HttpRequest, tag: str) -> HttpResponse:
    """The newest posts and the cursor to go on from."""
    return _told(tag, walls.snapshot)


@require_safe
@never_cache
def notice(request: HttpRequest, tag: str) -> HttpResponse:
    """Why no new posts come for now: one sentence, for walls that are open."""
    return _told(tag, lambda normal: {"notice": walls.notice_of(normal)})


def _told(tag: str, tell: Callable[[str], dict[str, Any]]) -> HttpResponse:
    try:
        normal = normalise_tag(tag)
    except InvalidTag as error:
        refusal = {"error": {"code": error.code, "message": error.message}}
        return JsonResponse(refusal, status=404)
    return JsonResponse(tell(normal))


def _qr_etag(request: HttpRequest, tag: str) -> str | None:
    try:
        url = join_url(normalise_tag(tag))
    except InvalidTag:
        return None
    return f'"{hashlib.sha256(url.encode()).hexdigest()[:32]}"'


@require_safe
@cache_control(public=True, max_age=ONE_DAY)
@condition(etag_func=_qr_etag)
def qr_code(request: HttpRequest, tag: str) -> HttpResponse:
    """A QR code of the wall's address: dark on white, error level M."""
    try:
        code = segno.make(join_url(normalise_tag(tag)), error="m", micro=False)
    except InvalidTag as error:
        return HttpResponse(error.message, content_type="text/plain", status=404)
    picture = io.BytesIO()
    code.save(picture, kind="svg", border=2, dark="#08090d", light="#fff", scale=8)
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


def join_url(tag: str) -> str:
    """Where a phone that scans the wall's code is sent."""
    base: str = settings.PHOTOWALL_BASE_URL
    return base + reverse("wall", args=[tag])
