"""``/media/…``: stored pictures and films, for those who may see them.

Everybody sees what a visible item shows. People who may read the archive (session or
API token) also see originals and what is hidden. All else is 404, alike for what never
was, what is hidden and what was purged.
"""

from __future__ import annotations

import logging

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from media_archive.api.authentication import ApiTokenAuthentication
from media_archive.handing_out.answers import Answer, Shown, answer_to, sent_on
from media_archive.handing_out.bodies import body_of
from media_archive.handing_out.rights import look_up
from media_archive.stores.shape import Damaged, is_name

logger = logging.getLogger(__name__)

RETRY_AFTER = "5"
"""Seconds after which whoever met a store or a database that is away may come back."""


@csrf_exempt  # a method that is not allowed is told so, and not asked for a cookie
@require_safe
async def media_file(request: HttpRequest, name: str) -> HttpResponseBase:
    """A stored file, whole or a part of it, without a body for HEAD."""
    if not is_name(name):
        return _not_there()
    try:
        file = await sync_to_async(_visible_to)(request, name)
    except (DatabaseError, InterfaceError) as error:
        return _away(error)
    if file is None:
        return _not_there()
    prefix = settings.PHOTOWALL_ACCEL_REDIRECT
    if prefix and not settings.S3_OPTIONS["bucket_name"]:
        return _said(sent_on(file, prefix))
    headers = {key.lower(): value for key, value in request.headers.items()}
    answer = answer_to(request.method or "GET", headers, file)
    if not answer.length:
        return _said(answer)
    try:
        body = await body_of(answer, file)
    except (FileNotFoundError, Damaged) as error:
        logger.warning("A file of a row is not in the store: %s", error)
        return _not_there()
    except OSError as error:
        return _away(error)
    return StreamingHttpResponse(body, status=answer.status, headers=answer.headers)


def _visible_to(request: HttpRequest, name: str) -> Shown | None:
    file = look_up([name]).get(name)
    if file is None or file.to_all or _may_read_archive(request):
        return file
    return None


def _may_read_archive(request: HttpRequest) -> bool:
    """By API token if one is shown, else by session. That the archive may be public
    does not count: originals say where they were taken."""
    try:
        shown = ApiTokenAuthentication().authenticate(Request(request))
    except APIException:
        return False
    person = shown[0] if shown else request.user
    return bool(person.has_perm("media_archive.view_mediaitem"))


def _said(answer: Answer) -> HttpResponse:
    response = HttpResponse(status=answer.status, headers=answer.headers)
    if "Content-Type" not in answer.headers:
        del response["Content-Type"]
    return response


def _not_there() -> HttpResponse:
    text = "There is no such file.\n"
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(text, "text/plain", status=404, headers=headers)


def _away(error: Exception) -> HttpResponse:
    logger.error("A file cannot be handed out: %s: %s", type(error).__name__, error)
    headers = {"Retry-After": RETRY_AFTER, "Cache-Control": "no-store"}
    text = "This file cannot be read at the moment.\n"
    return HttpResponse(text, "text/plain", status=503, headers=headers)
