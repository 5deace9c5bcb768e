"""Requests that fail before any door of the API is reached: refused in its shape."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import bad_request

from media_archive.api.errors import CODES, shape


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The site's answer 400: JSON below ``/api/``, elsewhere the page for people."""
    if not request.path_info.startswith("/api/"):
        return bad_request(request, exception)
    message = "The request cannot be read."
    if isinstance(exception, TooManyFieldsSent):
        most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        message = f"The request has more than {most:,} parameters."
    return JsonResponse(shape(CODES[400], message), status=400)
