"""Every refusal of the API in one shape: ``{"error": {"code", "message", "fields"?}}``.

``code`` is stable (``docs/reference/errors.md``); ``message`` is a sentence for
people; ``fields`` names each parameter that is wrong, with its sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from media_archive.errors import PhotowallError

STATUS = {"invalid_tag": 400, "transition": 409, "already_followed": 409}
"""Our own errors that are the asker's; a retryable one is 503, the rest 400."""

CODES = {
    400: "invalid",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
    429: "throttled",
}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to ``error``; ``None`` for a bug, which is then a logged 500."""
    if isinstance(error, Http404) and _has_no_renderer(context.get("request")):
        # The framework looks for the renderer first, and has nothing else to miss.
        error = exceptions.ValidationError({"format": "There is only “json”."})
    answer = _answer(error)
    if answer is not None:
        set_rollback()
        # The documentation and the schema have other renderers; errors are JSON.
        request = context.get("request")
        if request is not None:
            request.accepted_renderer = JSONRenderer()
            request.accepted_media_type = JSONRenderer.media_type
    return answer


def _has_no_renderer(request: Any) -> bool:
    asked = request is not None and "format" in getattr(request, "query_params", {})
    return asked and not hasattr(request, "accepted_renderer")


def shape(code: str, message: str, fields: object = None) -> dict[str, Any]:
    """The body of a refusal."""
    error: dict[str, Any] = {"code": code, "message": message}
    if fields:
        error["fields"] = fields
    return {"error": error}


def _answer(error: Exception) -> Response | None:
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RecursionError):
        # A body of ten thousand brackets; the JSON parser does not catch it.
        error = exceptions.ParseError("The document is nested too deeply.")
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, PhotowallError):
        status = STATUS.get(error.code, 503 if error.retryable else 400)
        return _with_wait(
            Response(shape(error.code, error.message), status), error.retry_after
        )
    if isinstance(error, OperationalError | InterfaceError):
        sentence = "The database does not answer just now. Please try again."
        return _with_wait(Response(shape("unavailable", sentence), 503), 5)
    return None


def _of_framework(error: exceptions.APIException) -> Response:
    fields = None
    if isinstance(error, exceptions.ValidationError):
        fields = _fields(error.detail)
        first = next(iter(fields.items()), None)
        message = f"{first[0]}: {first[1][0]}" if first else "Something is wrong."
        if first and first[0] == "non_field_errors":
            message = first[1][0]
    elif isinstance(error, exceptions.NotAuthenticated):
        message = "Please show who asks: Authorization: Token <your token>."
    else:
        message = str(error.detail)
    code = CODES.get(error.status_code, "error")
    response = Response(shape(code, message, fields), error.status_code)
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    return _with_wait(response, getattr(error, "wait", None))


def _fields(detail: Any) -> dict[str, list[str]]:
    """The framework's tree of messages, flat: ``place.latitude`` → sentences."""
    if isinstance(detail, Mapping):
        flat: dict[str, list[str]] = {}
        for name, inner in detail.items():
            for below, sentences in _fields(inner).items():
                own = below == "non_field_errors"
                flat[str(name) if own else f"{name}.{below}"] = sentences
        return flat
    items = detail if isinstance(detail, list) else [detail]
    if items and isinstance(items[0], Mapping):
        merged: dict[str, list[str]] = {}
        for item in items:
            merged |= _fields(item)
        return merged
    return {"non_field_errors": [str(item) for item in items]} if items else {}


def _with_wait(response: Response, seconds: float | None) -> Response:
    if seconds is not None:
        response["Retry-After"] = str(max(1, round(seconds)))
    return response
