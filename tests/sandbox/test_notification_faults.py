"""Faults of notifications, as a receiver over HTTP meets them."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from media_archive import outgoing_http
from photowall.sandbox.control import orders
from photowall.sandbox.counting import counts
from photowall.sandbox.faults.board import board
from photowall.sandbox.faults.kinds import KINDS, Family
from photowall.sandbox.faults.notifications import carry

SECRET = "s3cret"
URL = "/callback"


def signed(body: bytes) -> str:
    return hmac.new(SECRET.encode(), body, "sha1").hexdigest()


@pytest.fixture
def heard(settings: Settings, httpserver: HTTPServer) -> Iterator[list[Request]]:
    """The notifications of a receiver that refuses what is not signed."""
    settings.PHOTOWALL_PRIVATE_HOSTS = [f"{httpserver.host}:{httpserver.port}"]
    settings.PHOTOWALL_SANDBOX_CLIENT_SECRET = SECRET
    found: list[Request] = []

    def answer(request: Request) -> Response:
        if request.headers.get("X-Hub-Signature") != signed(request.get_data()):
            return Response("", 403)
        found.append(request)
        return Response("", 200)

    httpserver.expect_request(URL).respond_with_handler(answer)
    yield found
    board.put([], 0)


@pytest.fixture
def send(heard: list[Request], httpserver: HTTPServer) -> Callable[..., int]:
    def send(tag: str = "fox", moment: int = 5) -> int:
        said = [{"object_id": tag, "time": moment, "subscription_id": 1}]
        body = json.dumps(said).encode()
        answer = carry(
            "POST",
            httpserver.url_for(URL),
            body=body,
            headers={"X-Hub-Signature": signed(body)},
            limits=outgoing_http.DELIVERY,
        )
        return answer.status

    return send


def fail(kind: str, **said: Any) -> None:
    board.put(*orders.faults({"faults": [{"kind": kind, **said}], "seed": 1}))


def until(ready: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def moments(heard: list[Request]) -> list[int]:
    return [json.loads(request.get_data())[0]["time"] for request in heard]


def test_without_a_fault_it_arrives_once(
    send: Callable[..., int], heard: list[Request]
) -> None:
    assert send("calmtag") == 200
    assert len(heard) == 1
    assert counts.report("", "calmtag")["of_tag"] == {
        "calls": 0,
        "answered": 1,
        "refused": 0,
        "unanswered": 0,
    }


def test_a_storm_is_many_signed_ones_the_same_and_others(
    send: Callable[..., int], heard: list[Request]
) -> None:
    fail("storm", times=11)
    assert send(moment=500) == 200
    assert len(heard) == 11
    assert len(set(moments(heard))) == 6
    assert moments(heard).count(500) == 6


def test_silence_tells_nobody(send: Callable[..., int], heard: list[Request]) -> None:
    fail("silence", tag="fox")
    assert send() == 200
    assert heard == []
    assert send("owl") == 200
    assert len(heard) == 1


def test_delayed_comes_later(send: Callable[..., int], heard: list[Request]) -> None:
    fail("delayed", delay=0.4, count=1)
    begun = time.monotonic()
    assert send() == 200
    assert heard == []
    until(lambda: heard)
    assert time.monotonic() - begun >= 0.4


def test_out_of_order_the_last_comes_first(
    send: Callable[..., int], heard: list[Request]
) -> None:
    fail("out_of_order", delay=0.3)
    for moment in (1, 2, 3):
        assert send(moment=moment) == 200
    until(lambda: len(heard) == 3)
    assert moments(heard) == [3, 2, 1]


def test_forged_ones_are_beside_the_true_and_who_takes_them_is_told(
    send: Callable[..., int], heard: list[Request], httpserver: HTTPServer
) -> None:
    fail("forged", times=6)
    assert send() == 200
    assert len(heard) == 1
    assert len(httpserver.log) == 7
    assert board.report()["forgeries_accepted"] == 0

    httpserver.clear_all_handlers()
    httpserver.expect_request(URL).respond_with_data("")
    assert send() == 200
    assert board.report()["forgeries_accepted"] == 6


def test_every_kind_of_notification_fault_is_shown_here() -> None:
    kinds = {k.name for k in KINDS.values() if k.family == Family.NOTIFICATION}
    assert kinds == {"storm", "silence", "delayed", "out_of_order", "forged"}
