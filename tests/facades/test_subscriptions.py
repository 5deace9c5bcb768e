"""``/v1/subscriptions``: refusals, the challenge, and what stands afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.test import AsyncClient, Client
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from media_archive import journal
from photowall.facades.models import (
    ApiClient,
    Delivery,
    Endpoint,
    EndpointState,
)
from tests.builders import some_items
from tests.facades.conftest import SECRET

PATH = "/v1/subscriptions"
FORM = "application/x-www-form-urlencoded"


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
    said = response.json()["meta"]
    assert response.status_code == said["code"] == 400
    return said["error_type"], said["error_message"]


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


CHALLENGE_ANSWERS: dict[str, tuple[Callable[[str], Response], str]] = {
    "another text": (lambda _: Response("nope"), 'received "nope".'),
    "quoted": (lambda text: Response(f'"{text}"'), "Challenge verification failed."),
    "with a newline": (lambda text: Response(f"{text}\n"), "Challenge verification"),
    "empty": (lambda _: Response(""), 'received "".'),
    "html": (lambda _: Response("<html>" + "x" * 5000), "Invalid response"),
    "an error": (lambda text: Response(text, 500), "Invalid response"),
    "a redirect": (
        lambda text: Response(text, 302, headers={"Location": "/callback"}),
        "Invalid response",
    ),
    "forbidden": (lambda text: Response(text, 403), "Invalid response"),
}


@pytest.mark.parametrize("what", list(CHALLENGE_ANSWERS))
def test_a_callback_that_does_not_echo_is_refused(
    client: Client, wish: dict[str, str], receiver: HTTPServer, what: str
) -> None:
    answer, words = CHALLENGE_ANSWERS[what]
    receiver.expect_request("/wrong").respond_with_handler(
        lambda request: answer(request.args["hub.challenge"])
    )
    wish["callback_url"] = wish["callback_url"].replace("/callback", "/wrong")
    kind, message = refusal(client.post(PATH, wish))
    assert kind == "APISubscriptionError"
    assert words in message
    endpoint = Endpoint.objects.get()
    assert (endpoint.state, endpoint.state_reason) == ("unverified", message)
    assert len(receiver.log) == 1
    assert client.get(PATH, wish).json()["data"] == []


def test_the_recorded_words_of_a_failed_challenge(
    client: Client, wish: dict[str, str], receiver: HTTPServer
) -> None:
    receiver.expect_request("/wrong").respond_with_data("nope\x00 client_secret=abc")
    wish["callback_url"] = wish["callback_url"].replace("/callback", "/wrong")
    _, message = refusal(client.post(PATH, wish))
    sent = receiver.log[0][0].args["hub.challenge"]
    assert message == (
        f'Challenge verification failed. Sent "{sent}", '
        'received "nope  client_secret=…".'
    )


def test_a_callback_that_hangs_is_given_up_after_2_seconds(
    client: Client, wish: dict[str, str], receiver: HTTPServer
) -> None:
    def hang(request: Request) -> Response:
        time.sleep(2.5)
        return Response(request.args["hub.challenge"])

    receiver.expect_request("/slow").respond_with_handler(hang)
    wish["callback_url"] = wish["callback_url"].replace("/callback", "/slow")
    begun = time.monotonic()
    assert "Unable to reach" in refusal(client.post(PATH, wish))[1]
    assert 1.5 < time.monotonic() - begun < 2.5
    while not receiver.log:  # or the next test would find the late request in it
        time.sleep(0.05)


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
    from urllib.parse import urlencode

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


def test_a_client_sees_and_ends_its_own_only(
    client: Client, wish: dict[str, str], who: dict[str, str]
) -> None:
    other = ApiClient.objects.create(name="another")
    theirs = {"client_id": other.client_id, "client_secret": other.client_secret}
    number = client.post(PATH, wish).json()["data"]["id"]
    assert client.get(PATH, theirs).json()["data"] == []
    for choice in ({"id": number}, {"object": "all"}, {"object": "tag"}):
        answer = client.delete(PATH, query_params={**theirs, **choice})
        assert answer.json() == {"meta": {"code": 200}, "data": None}
        assert Endpoint.objects.count() == 1
    mine = client.get(PATH, who).json()["data"]
    assert [said["id"] for said in mine] == [number]


@pytest.mark.parametrize(
    ("choice", "left"),
    [
        ({"id": "fox"}, ["snow", "sun"]),
        ({"object": "all"}, []),
        ({"object": "tag"}, []),
        ({"object": "tag", "object_id": "#FOX"}, ["snow", "sun"]),
        ({"object": "user"}, ["fox", "snow", "sun"]),
        ({"id": "999999"}, ["fox", "snow", "sun"]),
        ({"id": "9" * 5000}, ["fox", "snow", "sun"]),
        ({"id": str(2**63)}, ["fox", "snow", "sun"]),
        ({"id": "x'; --"}, ["fox", "snow", "sun"]),
    ],
)
@pytest.mark.parametrize("way", ["query", "body", "override"])
def test_ending_answers_null_and_ends_what_was_said(
    client: Client,
    an_endpoint: Callable[..., Endpoint],
    who: dict[str, str],
    choice: dict[str, str],
    left: list[str],
    way: str,
) -> None:
    made = {
        tag: an_endpoint("https://wall.example.org/callback", tag)
        for tag in ("fox", "snow", "sun")
    }
    if choice.get("id") == "fox":
        choice = {"id": str(made["fox"].pk)}
    said = {**who, **choice}
    if way == "query":
        answer = client.delete(f"{PATH}/", query_params=said)
    elif way == "body":
        from urllib.parse import urlencode

        answer = client.delete(PATH, urlencode(said), content_type=FORM)
    else:
        answer = client.post(PATH, {**said, "_method": "DELETE"})
    assert answer.json() == {"meta": {"code": 200}, "data": None}
    assert sorted(Endpoint.objects.values_list("object_id", flat=True)) == left


@pytest.mark.parametrize("choice", [{}, {"object": "moon"}, {"id": ""}])
def test_ending_nothing_in_particular_is_refused(
    client: Client,
    an_endpoint: Callable[..., Endpoint],
    who: dict[str, str],
    choice: dict[str, str],
) -> None:
    an_endpoint("https://wall.example.org/callback")
    answer = client.delete(PATH, query_params={**who, **choice})
    assert refusal(answer)[0] == "APIInvalidParametersError"
    assert Endpoint.objects.count() == 1


def test_ending_takes_its_deliveries_along(
    client: Client, an_endpoint: Callable[..., Endpoint], who: dict[str, str]
) -> None:
    endpoint = an_endpoint("https://wall.example.org/callback")
    Delivery.objects.create(endpoint=endpoint, seq=1, body=b"[]")
    client.delete(PATH, query_params={**who, "object": "all"})
    assert not Delivery.objects.exists()


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
    from urllib.parse import urlencode

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


@pytest.fixture
def while_challenged(
    receiver: HTTPServer,
) -> Iterator[Callable[[Callable[[], None]], str]]:
    """A callback that has something else happen before it echoes."""
    problems: list[BaseException] = []

    def make(happen: Callable[[], None]) -> str:
        def work() -> None:
            try:
                happen()
            except BaseException as problem:  # noqa: BLE001  raised again below
                problems.append(problem)
            finally:
                connection.close()

        def answer(request: Request) -> Response:
            if request.method == "GET":
                thread = Thread(target=work)
                thread.start()
                thread.join()
            return Response(request.args.get("hub.challenge", ""))

        receiver.expect_request("/busy").respond_with_handler(answer)
        return f"http://127.0.0.1:{receiver.port}/busy"

    yield make
    assert not problems


@pytest.mark.django_db(transaction=True)
def test_the_row_is_there_and_no_transaction_open_while_it_is_challenged(
    client: Client,
    wish: dict[str, str],
    while_challenged: Callable[[Callable[[], None]], str],
) -> None:
    seen: list[str] = []

    def look() -> None:
        seen.append(Endpoint.objects.get().state)
        # A row lock held by the open POST would keep this waiting for ever.
        Endpoint.objects.update(aspect="media")

    wish["callback_url"] = while_challenged(look)
    assert client.post(PATH, wish).status_code == 200
    assert seen == ["unverified"]


@pytest.mark.django_db(transaction=True)
def test_what_is_published_while_it_is_challenged_is_announced(
    client: Client,
    wish: dict[str, str],
    while_challenged: Callable[[Callable[[], None]], str],
    receiver: HTTPServer,
) -> None:
    from photowall.facades.deliveries import deliver_due

    some_items(2, tags=["fox"])
    wish["callback_url"] = while_challenged(lambda: void(some_items(1, tags=["fox"])))
    assert client.post(PATH, wish).status_code == 200
    deliver_due()
    deadline = time.monotonic() + 10
    while len(receiver.log) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [request.method for request, _ in receiver.log] == ["GET", "POST"]
    assert Endpoint.objects.get().cursor == journal.head() == 3


@pytest.mark.django_db(transaction=True)
def test_a_subscription_that_is_deleted_while_it_is_challenged_stays_deleted(
    client: Client,
    wish: dict[str, str],
    while_challenged: Callable[[Callable[[], None]], str],
) -> None:
    wish["callback_url"] = while_challenged(
        lambda: void(Endpoint.objects.all().delete())
    )
    assert refusal(client.post(PATH, wish))[0] == "APISubscriptionError"
    assert not Endpoint.objects.exists()


def void(_: object) -> None:
    """For what is done for its effect."""
