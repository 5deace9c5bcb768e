"""The one way through which every v1 request comes in and every answer leaves.

Whatever arrives, the answer is JSON (or a script) in the dialect, with
``X-Ratelimit-*``; never HTML, never a redirect.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from photowall.facades.instagram_v1 import budget, jsonp
from photowall.facades.instagram_v1.errors import (
    DialectError,
    ours,
    too_many,
    unavailable,
    wrong_method,
)
from photowall.facades.instagram_v1.parameters import Parameters
from photowall.facades.models import ApiClient
from subscriptions.providers.instagram_v1.wire import envelope

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be answered: who asks, and for what."""

    request: HttpRequest
    parameters: Parameters
    client: ApiClient

    @property
    def address(self) -> str:
        """The absolute address that was asked, without its query."""
        return self.request.build_absolute_uri(self.request.path)


Authenticate = Callable[[Parameters], ApiClient]
Handler = Callable[..., Mapping[str, object]]


def door(authenticate: Authenticate, **handlers: Handler) -> Callable[..., Any]:
    """A view that answers the methods named in ``handlers`` (``GET=tag``)."""
    allowed = ", ".join(handlers)

    @csrf_exempt
    def view(request: HttpRequest, **captured: str) -> HttpResponse:
        spent, function = None, None
        try:
            parameters = Parameters.of(request)
            method = parameters.method(request.method or "GET")
            if method in ("GET", "HEAD"):
                method = "GET"
                function = jsonp.function_name(parameters.get("callback"))
            client, refusal = _who(authenticate, parameters)
            spent = budget.spend(_payer(client, request))
            if not spent.within:
                raise too_many()
            if client is None:
                raise refusal or ours()
            if method not in handlers:
                raise wrong_method(allowed)
            asked = Asked(request, parameters, client)
            document = handlers[method](asked, **captured)
            response = _answer(document, 200, function)
        except DialectError as error:
            response = _refusal(error, function)
        except (OperationalError, InterfaceError):
            logger.warning("The database did not answer a v1 request.", exc_info=True)
            response = _refusal(unavailable(), function)
        except Exception:  # old clients crash on an HTML error page
            logger.exception("A v1 request failed.")
            response = _refusal(ours(), function)
        spent = spent or budget.spend(_payer(None, request))
        for name, value in spent.headers.items():
            response[name] = value
        return response

    return view


def _who(
    authenticate: Authenticate, parameters: Parameters
) -> tuple[ApiClient | None, DialectError | None]:
    """The client, or why there is none: a refused request is counted first."""
    try:
        return authenticate(parameters), None
    except DialectError as refusal:
        return None, refusal


def _payer(client: ApiClient | None, request: HttpRequest) -> str:
    if client is not None:
        return f"client:{client.pk}"
    return f"address:{request.META.get('REMOTE_ADDR', '')}"


def _refusal(error: DialectError, function: str | None) -> HttpResponse:
    # As recorded, the rate limiter's answer has no envelope. A script reads
    # ``meta.code`` before anything else, so there it has one.
    enveloped = error.code != 429 or function is not None
    response = _answer(error.document(enveloped=enveloped), error.code, function)
    for name, value in error.headers.items():
        response[name] = value
    return response


def _answer(
    document: Mapping[str, object], status: int, function: str | None
) -> HttpResponse:
    body = envelope.encode(document)
    if function is None:
        response = HttpResponse(body, envelope.CONTENT_TYPE, status)
    else:
        # A browser does not run a script that comes with an error's status.
        response = HttpResponse(jsonp.script(function, body), jsonp.CONTENT_TYPE, 200)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
