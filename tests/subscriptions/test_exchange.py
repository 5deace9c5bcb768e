"""The real provider against a stand-in server: what really goes over the wire."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.test import Client
from pytest_django.fixtures import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from media_archive import claims
from subscriptions import fetching, lifecycle
from subscriptions.models import Feed, State, Subscription
from tests.subscriptions.upstream import a_subscription, an_account

pytestmark = pytest.mark.django_db(transaction=True)

CREATED = {
    "meta": {"code": 200},
    "data": {
        "object": "tag",
        "object_id": "nofilter",
        "type": "subscription",
        "id": "9",
    },
}


@pytest.fixture
def base_url(instagram: None, httpserver: HTTPServer, settings: Settings) -> str:
    """Where the stand-in is; calling it is allowed."""
    settings.PHOTOWALL_PRIVATE_HOSTS = [f"{httpserver.host}:{httpserver.port}"]
    return httpserver.url_for("/v1")


def requested(base_url: str) -> Subscription:
    return lifecycle.create(an_account(base_url=base_url), "nofilter", "ada")


def read(subscription: Subscription) -> Feed:
    epoch = claims.claim(Feed.objects.due(), subscription.pk, fetching.HOLD)
    assert epoch is not None
    fetching.fetch_new(subscription.pk, epoch)
    return Feed.objects.get(pk=subscription.pk)


def challenge(form: Any, token: str | None = None) -> tuple[int, str]:
    """What a provider does inside the POST: GET the callback, in another thread
    here as in another process there."""
    said: list[tuple[int, str]] = []
    query = {"hub.mode": "subscribe", "hub.challenge": "15f7d1a91c1f40f8"}
    query["hub.verify_token"] = token or form["verify_token"]

    def get() -> None:
        answer = Client().get(urlsplit(form["callback_url"]).path, query)
        said.append((answer.status_code, answer.content.decode()))
        connections.close_all()

    thread = threading.Thread(target=get)
    thread.start()
    thread.join(60)
    return said[0]


def test_a_private_address_is_not_called(
    base_url: str, httpserver: HTTPServer, settings: Settings
) -> None:
    settings.PHOTOWALL_PRIVATE_HOSTS = []
    made = requested(base_url)
    lifecycle.request(made.pk)
    made.refresh_from_db()
    assert made.state == State.FAILED
    assert "PHOTOWALL_PRIVATE_HOSTS" in made.state_reason
    assert httpserver.log == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Response("<html>Hello</html>", 200, content_type="text/html"), "not the prov"),
        (Response("<html>Oops</html>", 500, content_type="text/html"), "not the prov"),
        (Response("", 200), "not the provider's API"),
        (Response("", 302, {"Location": "https://example.org/"}), "not the prov"),
        (Response('{"meta": {"code": 200}, "data": {}}', 200), "not the provider's"),
        (
            Response(
                json.dumps(
                    {
                        "meta": {
                            "error_type": "OAuthClientException",
                            "code": 400,
                            "error_message": "client_secret=abc is invalid <b>",
                        }
                    }
                ),
                400,
            ),
            "refuses our credential",
        ),
        (
            Response(
                json.dumps(
                    {
                        "meta": {
                            "error_type": "APISubscriptionError",
                            "code": 400,
                            "error_message": 'Unable to reach callback URL "x".',
                        }
                    }
                ),
                400,
            ),
            "Unable to reach callback URL",
        ),
    ],
)
def test_whatever_it_answers_the_failure_is_in_words(
    base_url: str, httpserver: HTTPServer, answer: Response, words: str
) -> None:
    httpserver.expect_request("/v1/subscriptions").respond_with_response(answer)
    made = requested(base_url)
    lifecycle.request(made.pk)
    made.refresh_from_db()
    assert made.state == State.FAILED
    assert words in made.state_reason
    assert "abc" not in made.state_reason
    assert "Traceback" not in made.state_reason


def test_nobody_there(base_url: str, settings: Settings) -> None:
    settings.PHOTOWALL_PRIVATE_HOSTS = ["127.0.0.1:9"]
    made = requested("http://127.0.0.1:9/v1")
    lifecycle.request(made.pk)
    made.refresh_from_db()
    assert made.state == State.FAILED
    assert "cannot be reached" in made.state_reason


def test_a_wrong_token_fails_and_a_right_one_follows(
    base_url: str, httpserver: HTTPServer
) -> None:
    seen: list[Any] = []

    def provider(token: str | None) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            seen.append((challenge(request.form, token), dict(request.form)))
            if seen[-1][0] == (200, "15f7d1a91c1f40f8"):
                return Response(json.dumps(CREATED))
            meta = {"error_type": "APISubscriptionError", "code": 400}
            meta |= {"error_message": "Challenge verification failed."}
            return Response(json.dumps({"meta": meta}), 400)

        return answer

    path = "/v1/subscriptions"
    httpserver.expect_ordered_request(path, "POST").respond_with_handler(
        provider("wrong")
    )
    httpserver.expect_ordered_request(path, "POST").respond_with_handler(provider(None))
    made = requested(base_url)
    lifecycle.request(made.pk)
    made.refresh_from_db()
    assert seen[0][0][0] == 404
    assert made.state == State.FAILED
    assert "Challenge verification failed" in made.state_reason
    lifecycle.retry(made.pk, "ada")
    lifecycle.request(made.pk)
    made.refresh_from_db()
    assert (made.state, made.upstream_id) == (State.ACTIVE, "9")
    form = seen[1][1]
    assert (form["object"], form["object_id"], form["aspect"]) == (
        "tag",
        "nofilter",
        "media",
    )
    assert form["callback_url"] == lifecycle.callback_url(made)
    reasons = [event.reason for event in made.events.all()]
    assert "The provider asked us." in reasons


def test_ending_what_is_gone_already(base_url: str, httpserver: HTTPServer) -> None:
    subscription = a_subscription(account=an_account(base_url=base_url))
    httpserver.expect_request("/v1/subscriptions", "DELETE").respond_with_data("", 404)
    lifecycle.end(subscription.pk, "ada")
    assert lifecycle.finish_ending(subscription.pk)
    subscription.refresh_from_db()
    assert subscription.state == State.ENDED
    assert httpserver.log[0][0].args["id"] == "18234411"


@pytest.mark.parametrize(
    ("answer", "code", "state"),
    [
        (Response("<html>", 502), "bad_answer", State.ACTIVE),
        (
            Response('{"meta": {"code": 200}, "data": [', 200),
            "bad_answer",
            State.ACTIVE,
        ),
        (
            Response('{"code": 429, "error_type": "OAuthRateLimitException"}', 200),
            "rate_limited",
            State.ACTIVE,
        ),
        (
            Response(
                '{"meta": {"code": 400, "error_type": "OAuthAccessTokenException"}}',
                400,
            ),
            "auth",
            State.SUSPENDED,
        ),
    ],
)
def test_reading_survives_whatever_it_answers(
    base_url: str, httpserver: HTTPServer, answer: Response, code: str, state: State
) -> None:
    subscription = a_subscription(account=an_account(base_url=base_url))
    path = "/v1/tags/nofilter/media/recent"
    httpserver.expect_oneshot_request(path).respond_with_response(answer)
    feed = read(subscription)
    subscription.refresh_from_db()
    assert (feed.last_error_code, subscription.state) == (code, state)
    assert feed.last_error
    # What it says afterwards is read.
    media = {"id": "1_2", "type": "image", "user": {"id": "2", "username": "a"}}
    good = {"meta": {"code": 200}, "data": [media], "pagination": {"min_tag_id": "7"}}
    httpserver.expect_request(path).respond_with_json(good)
    if state == State.SUSPENDED:
        lifecycle.resume(subscription.pk, "ada")
    subscription.account.paused_until = None
    subscription.account.save()
    Feed.objects.update(next_attempt_at=None, rest_until=None)
    feed = read(subscription)
    assert (feed.cursor, feed.last_error) == ("7", "")
    assert subscription.matches.count() == 1
