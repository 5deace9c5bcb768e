"""``/v1/subscriptions``: refusals, and what stands afterwards."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.test import AsyncClient, Client
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from media_archive import journal
from photowall.facades.models import (
    ApiClient,
    Endpoint,
    EndpointState,
)
from tests.builders import some_items
from tests.facades.conftest import refusal

PATH = "/v1/subscriptions"
FORM = "application/x-www-form-urlencoded"


BAD_CLIENT = ("APISubscriptionError", 'Invalid "client_id" and/or "client_secret."')


@pytest.mark.parametrize(
    "change",
    [
        {"client_secret": "wrong"},
        {"client_secret": "ü\u2028"},
        {"client_id": "nobody"},
        {"client_id": "x" * 5000},
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_a_wrong_client_is_refused_and_nobody_is_called(
    client: Client,
    wish: dict[str, str],
    change: dict[str, str],
    method: str,
    receiver: HTTPServer,
) -> None:
    answer = getattr(client, method)(PATH, {**wish, **change})
    if method == "delete":
        answer = client.delete(PATH, query_params={**wish, **change})
    assert refusal(answer) == BAD_CLIENT
    assert not receiver.log
    assert not Endpoint.objects.exists()


def test_a_disabled_client_is_refused(client: Client, wish: dict[str, str]) -> None:
    ApiClient.objects.update(enabled=False)
    assert refusal(client.post(PATH, wish)) == BAD_CLIENT
    ApiClient.objects.update(enabled=True)
    assert client.post(PATH, wish).status_code == 200


def test_missing_credentials_are_named(client: Client, wish: dict[str, str]) -> None:
    assert refusal(client.post(PATH, {**wish, "client_id": ""})) == (
        "OAuthParameterException",
        "Missing client_id or access_token URL parameter.",
    )
    kind, message = refusal(client.post(PATH, {**wish, "client_secret": ""}))
    assert kind == "OAuthClientException"
    assert "client_secret" in message


@pytest.mark.parametrize(
    ("change", "kind", "word"),
    [
        ({"object": "user"}, "APISubscriptionError", '"tag"'),
        ({"object": "location"}, "APISubscriptionError", '"tag"'),
        ({"object": "geography"}, "APISubscriptionError", '"tag"'),
        ({"object": "moon"}, "APIInvalidParametersError", "object"),
        ({"object": ""}, "APIInvalidParametersError", "object"),
        ({"aspect": "comments"}, "APIInvalidParametersError", "aspect"),
        ({"object_id": ""}, "APIInvalidParametersError", "hashtag"),
        ({"object_id": "a b"}, "APIInvalidParametersError", "hashtag"),
        ({"object_id": "x" * 200}, "APIInvalidParametersError", "100"),
        ({"callback_url": ""}, "APIInvalidParametersError", "callback_url"),
        ({"callback_url": "ftp://a/"}, "APISubscriptionError", "Unable to reach"),
        ({"callback_url": "no"}, "APISubscriptionError", "Unable to reach"),
        ({"callback_url": "http://"}, "APISubscriptionError", "Unable to reach"),
        ({"callback_url": "http://a@b/"}, "APISubscriptionError", "Unable to reach"),
        ({"callback_url": "http://[::1"}, "APISubscriptionError", "Unable to reach"),
        (
            {"callback_url": "http://a/" + "x" * 3000},
            "APISubscriptionError",
            "Unable to reach",
        ),
        ({"verify_token": "x" * 5000}, "APIInvalidParametersError", "verify_token"),
    ],
)
def test_a_wish_that_cannot_be_granted_is_refused_in_words(
    client: Client,
    wish: dict[str, str],
    receiver: HTTPServer,
    change: dict[str, str],
    kind: str,
    word: str,
) -> None:
    said, message = refusal(client.post(PATH, {**wish, **change}))
    assert said == kind
    assert word in message
    assert not receiver.log
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/callback",
        "http://localhost/callback",
        "http://10.0.0.1/callback",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_an_inside_address_is_never_called(
    client: Client, wish: dict[str, str], address: str
) -> None:
    assert refusal(client.post(PATH, {**wish, "callback_url": address})) == (
        "APISubscriptionError",
        f'Unable to reach callback URL "{address}".',
    )
    assert Endpoint.objects.get().state == EndpointState.UNVERIFIED
    assert client.get(PATH, wish).json()["data"] == []


def test_a_loopback_callback_is_refused_without_its_exception(
    client: Client,
    wish: dict[str, str],
    settings: Settings,
    receiver: HTTPServer,
) -> None:
    settings.PHOTOWALL_PRIVATE_HOSTS = []
    assert "Unable to reach" in refusal(client.post(PATH, wish))[1]
    assert not receiver.log


def test_a_subscription_as_recorded(
    client: Client, wish: dict[str, str], receiver: HTTPServer
) -> None:
    some_items(3, tags=["fox"])
    answer = client.post(PATH, {**wish, "object_id": "#Fox", "verify_token": "t-7"})
    endpoint = Endpoint.objects.get()
    assert answer.json() == {
        "meta": {"code": 200},
        "data": {
            "object": "tag",
            "object_id": "fox",
            "aspect": "media",
            "callback_url": wish["callback_url"],
            "type": "subscription",
            "id": str(endpoint.pk),
        },
    }
    assert endpoint.state == EndpointState.ACTIVE
    assert endpoint.cursor == journal.head() == 3
    (request, _), *others = receiver.log
    assert not others
    assert request.method == "GET"
    assert request.args["hub.mode"] == "subscribe"
    assert request.args["hub.verify_token"] == "t-7"
    assert len(request.args["hub.challenge"]) == 32


def test_a_callbacks_own_query_is_kept_and_no_token_is_made_up(
    client: Client, wish: dict[str, str], receiver: HTTPServer
) -> None:
    wish["callback_url"] += "?room=7&x=%20"
    answer = client.post(PATH, wish)
    assert answer.json()["data"]["callback_url"] == wish["callback_url"]
    args = receiver.log[0][0].args
    assert list(args) == ["room", "x", "hub.mode", "hub.challenge"]
    assert args["room"] == "7"


@pytest.mark.parametrize("path", [PATH, f"{PATH}/", f"{PATH}.json"])
@pytest.mark.parametrize("shape", ["form", "multipart", "no type", "query and body"])
def test_every_shape_of_a_subscribing_post(
    client: Client, wish: dict[str, str], path: str, shape: str
) -> None:
    body = urlencode(wish)
    if shape == "form":
        answer = client.post(path, body, content_type=FORM)
    elif shape == "multipart":
        answer = client.post(path, wish)
    elif shape == "no type":
        answer = client.generic("POST", path, body, content_type="")
    else:
        names = ("client_id", "client_secret")
        query = {name: wish.pop(name) for name in names} | {"sig": "x"}
        answer = client.post(
            f"{path}?{urlencode(query)}", urlencode(wish), content_type=FORM
        )
    assert answer.status_code == 200, answer.content
    assert answer.json()["data"]["object_id"] == "fox"


def test_a_checked_browser_needs_no_csrf_token(wish: dict[str, str]) -> None:
    assert Client(enforce_csrf_checks=True).post(PATH, wish).status_code == 200


def test_the_same_wish_twice_is_one_subscription(
    client: Client, wish: dict[str, str], who: dict[str, str]
) -> None:
    first, second = client.post(PATH, wish), client.post(PATH, wish)
    assert first.json() == second.json()
    other = client.post(PATH, {**wish, "object_id": "snow"})
    assert other.json()["data"]["id"] != first.json()["data"]["id"]
    assert len(client.get(PATH, who).json()["data"]) == 2


def test_a_client_may_have_so_many_and_confirm_them(
    client: Client, wish: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photowall.facades.endpoints.MOST_ENDPOINTS", 1)
    assert client.post(PATH, wish).status_code == 200
    kind, message = refusal(client.post(PATH, {**wish, "object_id": "snow"}))
    assert kind == "APISubscriptionError"
    assert "too many" in message
    assert client.post(PATH, wish).status_code == 200


def test_a_failed_confirmation_leaves_what_stood(
    client: Client, wish: dict[str, str], receiver: HTTPServer
) -> None:
    assert client.post(PATH, wish).status_code == 200
    receiver.clear()
    receiver.expect_request("/callback").respond_with_data("gone away")
    assert client.post(PATH, wish).status_code == 400
    assert Endpoint.objects.get().state == EndpointState.ACTIVE


@pytest.mark.parametrize("state", [EndpointState.DISABLED, EndpointState.GONE])
def test_its_owner_brings_an_endpoint_back(
    client: Client, wish: dict[str, str], state: EndpointState
) -> None:
    client.post(PATH, wish)
    Endpoint.objects.update(state=state, state_reason="was away")
    assert client.get(PATH, wish).json()["data"] == []
    assert client.post(PATH, wish).status_code == 200
    endpoint = Endpoint.objects.get()
    assert (endpoint.state, endpoint.state_reason) == ("active", "")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe\x00" * 50, FORM),
        (b"%00=%00&object=%ff&%", FORM),
        (b"x" * 200_000, FORM),
        (b"a=1&" * 5_000, FORM),
        (b"{" * 5_000, "application/json"),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (b"no boundary", "multipart/form-data"),
        (b"--x\r\n" * 5_000, "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data; boundary=" + "y" * 500),
    ],
)
def test_bytes_that_make_no_sense_are_an_error_of_the_dialect(
    client: Client, who: dict[str, str], body: bytes, kind: str
) -> None:
    for target in (PATH, f"{PATH}?{urlencode(who)}"):
        answer = client.generic("POST", target, body, content_type=kind)
        assert 400 <= answer.status_code < 500, answer.content
        assert answer.json()["meta"]["code"] == answer.status_code
        assert answer["X-Ratelimit-Limit"] == "5000"


@pytest.mark.django_db(transaction=True)
async def test_a_charset_that_is_none_of_text_is_an_error_of_the_dialect(
    async_client: AsyncClient, program: ApiClient
) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="object"\r\n\r\nt\r\n--x--'
    answer = await async_client.generic(
        "POST", PATH, part, "multipart/form-data; boundary=x; charset=hex"
    )
    assert refusal(answer)[0] == "APIInvalidParametersError"
