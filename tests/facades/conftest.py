"""A client of the facade, and somebody who can be called back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from photowall.facades import deliveries, receivers
from photowall.facades.instagram_v1 import budget
from photowall.facades.models import ApiClient, Endpoint, EndpointState
from tests.facades.waiting import wait_until

SECRET = "test-secret-0001"


@pytest.fixture(autouse=True)
def _alone(settings: Settings) -> Iterator[None]:
    """No broker is rung, requests are counted in the process, from zero."""
    settings.PHOTOWALL_RING_TASKS = False
    budget.forget()
    yield
    budget.forget()


@pytest.fixture(autouse=True)
def _nothing_is_left_over() -> Iterator[None]:
    """A late thread of this test must not meet the next one's database."""
    yield
    assert deliveries.idle(60)
    assert wait_until(lambda: not receivers.bell.is_waiting())


@pytest.fixture(scope="session")
def make_httpserver() -> Iterator[HTTPServer]:
    """Answers several at once, and has a number: a name could mean another address
    first."""
    with HTTPServer("127.0.0.1", 0, threaded=True) as server:
        yield server


@pytest.fixture
def program(db: None) -> ApiClient:
    """A third party's program."""
    return ApiClient.objects.create(
        name="the old wall", client_id="CLIENT-ID", client_secret=SECRET
    )


@pytest.fixture
def receiver(settings: Settings, httpserver: HTTPServer) -> HTTPServer:
    """A server on the loopback that we may call, by exception."""
    settings.PHOTOWALL_PRIVATE_HOSTS = [f"127.0.0.1:{httpserver.port}"]
    return httpserver


@pytest.fixture
def callback(receiver: HTTPServer) -> str:
    """The address of a callback that echoes challenges and takes notifications."""

    def answer(request: Request) -> Response:
        if request.method == "GET":
            return Response(request.args["hub.challenge"])
        return Response("", 200)

    receiver.expect_request("/callback").respond_with_handler(answer)
    return f"http://127.0.0.1:{receiver.port}/callback"


@pytest.fixture
def ask(client: Client, program: ApiClient) -> Callable[..., Any]:
    """Asks the facade as the program; the document of a 200."""

    def ask(path: str, /, **parameters: Any) -> Any:
        response = client.get(path, {"client_id": "CLIENT-ID", **parameters})
        assert response.status_code == 200, response.content
        return response.json()

    return ask


@pytest.fixture
def an_endpoint(program: ApiClient) -> Callable[..., Endpoint]:
    """Makes a row of an active endpoint that has heard everything so far."""

    def make(callback_url: str, tag: str = "fox", **said: Any) -> Endpoint:
        said.setdefault("state", EndpointState.ACTIVE)
        return Endpoint.objects.create(
            client=program, object_id=tag, callback_url=callback_url, **said
        )

    return make


@pytest.fixture
def wish(program: ApiClient, callback: str) -> dict[str, str]:
    """What a client sends to hear of #fox."""
    return {
        "client_id": "CLIENT-ID",
        "client_secret": SECRET,
        "object": "tag",
        "aspect": "media",
        "object_id": "fox",
        "callback_url": callback,
    }


@pytest.fixture
def who(program: ApiClient) -> dict[str, str]:
    return {"client_id": "CLIENT-ID", "client_secret": SECRET}


def refusal(response: Any) -> tuple[str, str]:
    """Type and message of a 400."""
    said = response.json()["meta"]
    assert response.status_code == said["code"] == 400
    return said["error_type"], said["error_message"]
