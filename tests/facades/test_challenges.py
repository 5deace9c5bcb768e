"""The challenge of a callback: who fails it, and what happens meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from threading import Thread

import pytest
from django.db import connection
from django.test import Client
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from media_archive import journal
from photowall.facades.deliveries import deliver_due
from photowall.facades.models import (
    Endpoint,
)
from tests.builders import some_items
from tests.facades.conftest import refusal
from tests.facades.waiting import wait_until

PATH = "/v1/subscriptions"
FORM = "application/x-www-form-urlencoded"


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


def test_little_of_a_wrong_answer_is_told(
    client: Client, wish: dict[str, str], receiver: HTTPServer
) -> None:
    receiver.expect_request("/wrong").respond_with_data("\x1b[2J\r\n" + "y" * 100)
    wish["callback_url"] = wish["callback_url"].replace("/callback", "/wrong")
    _, message = refusal(client.post(PATH, wish))
    quoted = message.partition(', received "')[2].removesuffix('".')
    assert 50 < len(quoted) <= 64
    assert quoted.isprintable()
    assert set(quoted.lstrip(" [2J")) == {"y"}


def test_a_callback_that_hangs_is_given_up_after_2_seconds(
    client: Client, wish: dict[str, str], receiver: HTTPServer
) -> None:
    let_go = threading.Event()

    def hang(request: Request) -> Response:
        let_go.wait(60)
        return Response(request.args["hub.challenge"])

    receiver.expect_request("/slow").respond_with_handler(hang)
    wish["callback_url"] = wish["callback_url"].replace("/callback", "/slow")
    begun = time.monotonic()
    try:
        assert "Unable to reach" in refusal(client.post(PATH, wish))[1]
        assert time.monotonic() - begun >= 1.5
    finally:
        # Not before: it was we who gave up.
        let_go.set()
    # Or the next test would find the late request in its log.
    assert wait_until(lambda: len(receiver.log) == 1)


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
    some_items(2, tags=["fox"])
    wish["callback_url"] = while_challenged(lambda: void(some_items(1, tags=["fox"])))
    assert client.post(PATH, wish).status_code == 200
    deliver_due()
    assert wait_until(lambda: len(receiver.log) == 2)
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
