"""Request lines as real client libraries of 2011 - 2017 send them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from pytest_httpserver import HTTPServer

from photowall.facades.models import ApiClient, Endpoint
from tests.builders import some_items
from tests.facades.conftest import SECRET

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def foxes(program: ApiClient) -> None:
    some_items(5, tags=["fox"])


PYTHON = {"User-Agent": "Instagram Python Client", "Accept-Encoding": "gzip, deflate"}
NODE_LIB = {"User-Agent": "Instagram Node Lib 0.0.9", "Accept": "application/json"}
RUBY = {
    "Accept": "application/json; charset=utf-8",
    "User-Agent": "Instagram Ruby Gem 1.1.6",
}
READS = {
    "python-instagram": (
        "/v1/tags/fox/media/recent.json?client_id=CLIENT-ID&count=3",
        PYTHON,
    ),
    "python-instagram with a secret": (
        "/v1/tags/fox/media/recent.json?client_id=CLIENT-ID&sig=ab&count=3&sig=cd",
        PYTHON,
    ),
    "instagram-node-lib": (
        "/v1/tags/fox/media/recent?name=fox&count=3&client_id=CLIENT-ID",
        {**NODE_LIB, "Content-Length": "0"},
    ),
    "instagram-node": (
        f"/v1/tags/fox/media/recent?client_id=CLIENT-ID&client_secret={SECRET}&count=3",
        {},
    ),
    "instafeed": (
        "/v1/tags/fox/media/recent?client_id=CLIENT-ID&count=3&_=1438104912",
        {"Accept": "*/*"},
    ),
    "a stray question mark": (
        "/v1/tags/fox/media/recent?&count=3&client_id=CLIENT-ID&?access_token=TOKEN",
        {},
    ),
}


@pytest.mark.usefixtures("foxes")
@pytest.mark.parametrize("library", list(READS))
def test_reading_a_tag(client: Client, library: str) -> None:
    target, headers = READS[library]
    answer = client.get(target, headers=headers)
    assert answer.status_code == 200, answer.content
    assert len(answer.json()["data"]) == 3
    assert answer.json()["meta"]["code"] == 200
    assert answer["X-Ratelimit-Remaining"]


@pytest.mark.usefixtures("foxes")
def test_python_instagrams_pages_to_the_end(client: Client) -> None:
    """It requests ``next_url`` as it stands and reads ``pagination`` unasked."""
    target = "/v1/tags/fox/media/recent.json?client_id=CLIENT-ID&count=2"
    seen: list[str] = []
    while target:
        document = client.get(target, headers=PYTHON).json()
        seen += [said["id"] for said in document["data"]]
        for said in document["data"]:
            assert set(said["images"]["thumbnail"]) == {"url", "width", "height"}
            assert said["caption"]["from"]["profile_picture"]
            assert isinstance(said["likes"]["count"], int)
            assert said["created_time"].isdigit()
        target = document["pagination"].get("next_url", "")
        target = target.removeprefix("http://testserver")
    assert len(seen) == len(set(seen)) == 5


def subscribing(callback: str) -> dict[str, Callable[[Client], Any]]:
    """Each library's way to subscribe to #fox."""
    secret = f"client_id=CLIENT-ID&client_secret={SECRET}"
    wish = f"object=tag&aspect=media&object_id=fox&callback_url={quote(callback, '')}"
    node = f"object=tag&aspect=media&{secret}&callback_url={quote(callback, '')}"
    return {
        "python-instagram": lambda client: client.post(
            f"/v1/subscriptions.json?{secret}&sig=ab",
            wish,
            content_type=FORM,
            headers=PYTHON,
        ),
        "ruby": lambda client: client.post(
            "/v1/subscriptions.json",
            f"{wish}&{secret}",
            content_type=FORM,
            headers={**RUBY, "X-Insta-Forwarded-For": "10.0.0.1|ab"},
        ),
        "instagram-node-lib": lambda client: client.generic(
            "POST",
            "/v1/subscriptions/",
            f"{node}&object_id=fox",
            content_type="",
            headers=NODE_LIB,
        ),
        "curl -F": lambda client: client.post(
            "/v1/subscriptions/",
            {
                "client_id": "CLIENT-ID",
                "client_secret": SECRET,
                "object": "tag",
                "aspect": "media",
                "object_id": "fox",
                "callback_url": callback,
            },
        ),
    }


@pytest.mark.parametrize("library", list(subscribing("")))
def test_subscribing_listing_and_ending(
    client: Client, program: ApiClient, callback: str, library: str
) -> None:
    made = subscribing(callback)[library](client)
    assert made.status_code == 200, made.content
    data = made.json()["data"]
    assert isinstance(data["id"], str)
    assert data["type"] == "subscription"
    secret = urlencode({"client_secret": SECRET, "client_id": "CLIENT-ID"})
    listed = client.get(f"/v1/subscriptions?{secret}", headers=NODE_LIB)
    assert listed.json()["data"] == [data]
    ended = client.delete(f"/v1/subscriptions/?object=tag&{secret}", headers=NODE_LIB)
    assert ended.content == b'{"meta": {"code": 200}, "data": null}'
    assert not Endpoint.objects.exists()


def test_a_callback_may_echo_as_html(
    client: Client, program: ApiClient, receiver: HTTPServer
) -> None:
    """Express sends text/html unless it is told otherwise; the tutorial app does."""
    from werkzeug import Response

    receiver.expect_request("/html").respond_with_handler(
        lambda request: Response(request.args["hub.challenge"], mimetype="text/html")
    )
    ways = subscribing(receiver.url_for("/html"))
    assert ways["instagram-node-lib"](client).status_code == 200
