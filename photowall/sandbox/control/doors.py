"""The one way through which every order comes in: who may, and how it is answered."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from media_archive.errors import PhotowallError
from photowall.sandbox import options
from photowall.sandbox.control.orders import OrderRefused

Handler = Callable[[HttpRequest], Mapping[str, object]]


def door(**handlers: Handler) -> Callable[[HttpRequest], HttpResponse]:
    """A view that answers the methods named in ``handlers`` (``POST=publish``), to
    who knows the secret, on this machine. All others are refused alike."""

    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        if not (_is_near(request) and _knows_the_secret(request)):
            return _refused(403, "forbidden", "This door is for a rehearsal only.")
        handler = handlers.get(request.method or "")
        if handler is None:
            answer = _refused(405, "method", f"Only {', '.join(handlers)}.")
            answer["Allow"] = ", ".join(handlers)
            return answer
        try:
            return _said(handler(request), 200)
        except OrderRefused as error:
            return _refused(400, error.code, error.message)
        except (DatabaseError, PhotowallError) as error:
            return _refused(503, "unavailable", f"{type(error).__name__}: try again.")

    return view


def _is_near(request: HttpRequest) -> bool:
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _knows_the_secret(request: HttpRequest) -> bool:
    secret = options.client()[1]
    said = request.headers.get("Authorization", "").encode("utf-8", "replace")
    same = hmac.compare_digest(f"Bearer {secret}".encode(), said)
    return bool(secret) and same


def _refused(status: int, code: str, message: str) -> HttpResponse:
    return _said({"error": {"code": code, "message": message}}, status)


def _said(document: Mapping[str, Any], status: int) -> HttpResponse:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return JsonResponse(dict(document), status=status, headers=headers)
