"""The door to the provider: the callback. (The door to people: ``home.py``.)

Under the web server notifications do not come this far: ``callback_door.py`` takes
them, with the same refusals.
"""

from __future__ import annotations

import logging

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from subscriptions import inbox, lifecycle
from subscriptions.errors import ChallengeRefused
from subscriptions.inbox import Verdict
from subscriptions.tasks import fetch_subscription

logger = logging.getLogger(__name__)

RETRY_AFTER = "5"

UNAVAILABLE = (503, "Not now.")
BROKEN_OFF = (400, "The body broke off.")
STATUS = {
    Verdict.KEPT: (200, "ok"),
    Verdict.UNKNOWN: (404, "Not found."),
    Verdict.TOO_LARGE: (413, "Too large."),
    Verdict.REFUSED: (403, "The signature is missing or wrong."),
}


@method_decorator(csrf_exempt, name="dispatch")
class CallbackView(View):
    """``/callbacks/<id>/``: GET answers a challenge, POST takes in a notification.

    A 200 to a POST says that the notification is committed. While the database is
    away the answer is 503 with ``Retry-After``. Nothing here calls a provider.
    """

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, callback_id: str) -> HttpResponse:
        """The challenge as the whole body; every refusal is the same 404."""
        try:
            text = lifecycle.answer_challenge(callback_id, request.GET)
        except ChallengeRefused as error:
            return _plain(404, error.message)
        except (DatabaseError, InterfaceError, ImproperlyConfigured) as error:
            return _unavailable(error)
        return _plain(200, text)

    def post(self, request: HttpRequest, callback_id: str) -> HttpResponse:
        """Keep it, ring, answer."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = request.read(inbox.LARGEST + 1)
            outcome = inbox.accept(callback_id, headers, body)
        except UnreadablePostError:
            return _plain(*BROKEN_OFF)
        except (DatabaseError, InterfaceError, ImproperlyConfigured) as error:
            return _unavailable(error)
        if outcome.feed_pk is not None:
            fetch_subscription.delay_on_commit(outcome.feed_pk)
        return _plain(*STATUS[outcome.verdict])


def _unavailable(error: Exception) -> HttpResponse:
    logger.error("A callback could not be kept: %s", type(error).__name__)
    response = _plain(*UNAVAILABLE)
    response["Retry-After"] = RETRY_AFTER
    return response


def _plain(status: int, text: str) -> HttpResponse:
    response = HttpResponse(text, status=status, content_type="text/plain")
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response
