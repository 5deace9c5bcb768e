"""Serves the drawn pictures: immutable, to every site, to nobody as anything else."""

from __future__ import annotations

from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from photowall.sandbox.gallery import avatar_path, picture_path
from photowall.sandbox.people import PEOPLE

YEAR = 31_536_000


@require_safe
def picture(request: HttpRequest, seed: int, size: str) -> HttpResponse:
    """One size of a picture; 404 for one that no post can show."""
    try:
        return _jpeg(picture_path(seed, size))
    except (KeyError, ValueError) as error:
        raise Http404("There is no such picture.") from error


@require_safe
def avatar(request: HttpRequest, number: int) -> HttpResponse:
    """The portrait of one of the people."""
    try:
        return _jpeg(avatar_path(number, len(PEOPLE)))
    except ValueError as error:
        raise Http404("There is no such person.") from error


def _jpeg(path: Path) -> HttpResponse:
    return HttpResponse(
        path.read_bytes(),
        content_type="image/jpeg",
        headers={
            "Cache-Control": f"public, max-age={YEAR}, immutable",
            "X-Content-Type-Options": "nosniff",
            # Walls elsewhere show these pictures straight from here.
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )
