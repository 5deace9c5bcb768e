"""Receivers that take a notification and never answer it: many old programs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from media_archive import journal, outgoing_http
from media_archive.errors import NoAnswer, OutgoingTimeout
from photowall.facades import deliveries
from photowall.facades.models import (
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
)
from photowall.facades.sending import SCHEDULE, send
from tests.builders import some_items
from tests.facades.waiting import wait_until

MakeEndpoint = Callable[..., Endpoint]


@pytest.fixture
def silence(receiver: HTTPServer) -> Iterator[threading.Event]:
    """``/silent`` answers nothing until this is set."""
    let_go = threading.Event()

    def hang(_: Request) -> Response:
        let_go.wait(30)
        return Response("")

    receiver.expect_request("/silent").respond_with_handler(hang)
    yield let_go
    let_go.set()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """10 s of silence are 0.3 s."""
    limits = replace(outgoing_http.DELIVERY, read=0.3)
    monkeypatch.setattr(outgoing_http, "DELIVERY", limits)


def told_once(endpoint: Endpoint) -> Delivery:
    some_items(1, tags=["fox"])
    assert deliveries.plan_due() == 1
    delivery = Delivery.objects.open().get(endpoint=endpoint)
    assert not send(delivery.pk)
    delivery.refresh_from_db()
    endpoint.refresh_from_db()
    return delivery


def test_silence_is_no_answer_but_a_closed_door_is_not_silence(
    receiver: HTTPServer, silence: threading.Event
) -> None:
    with pytest.raises(NoAnswer):
        outgoing_http.request(
            "POST", receiver.url_for("/silent"), limits=outgoing_http.DELIVERY
        )
    no_time = replace(outgoing_http.DELIVERY, total=0)
    with pytest.raises(OutgoingTimeout) as caught:
        outgoing_http.request("POST", receiver.url_for("/silent"), limits=no_time)
    assert not isinstance(caught.value, NoAnswer)


def test_it_is_tried_again_by_the_schedule_and_stays_active(
    an_endpoint: MakeEndpoint, receiver: HTTPServer, silence: threading.Event
) -> None:
    endpoint = an_endpoint(
        receiver.url_for("/silent"), failing_since=timezone.now() - timedelta(days=9)
    )
    delivery = told_once(endpoint)
    left = (delivery.next_attempt_at - timezone.now()).total_seconds()
    assert (delivery.state, delivery.attempts) == ("retry_wait", 1)
    assert 2 <= left <= 6
    assert endpoint.state == EndpointState.ACTIVE
    assert "without answering" in endpoint.state_reason
    assert endpoint.silent_since is not None
    assert endpoint.failing_since is None
    Delivery.objects.update(attempts=len(SCHEDULE), next_attempt_at=timezone.now())
    assert not send(delivery.pk)
    delivery.refresh_from_db()
    endpoint.refresh_from_db()
    assert delivery.state == DeliveryState.DEAD
    assert endpoint.state == EndpointState.ACTIVE


def test_news_replaces_what_waits_to_be_tried_again(
    an_endpoint: MakeEndpoint, receiver: HTTPServer, silence: threading.Event
) -> None:
    first = told_once(an_endpoint(receiver.url_for("/silent")))
    assert deliveries.plan_due() == 0
    second = told_once(first.endpoint)
    first.refresh_from_db()
    assert (first.state, first.last_error) == ("dead", deliveries.REPLACED)
    assert (second.state, second.seq) == ("retry_wait", 2)
    silence.set()
    assert wait_until(lambda: len(receiver.log) == 2)
    ids = [each.headers["X-Photowall-Delivery"] for each, _ in receiver.log]
    assert sorted(ids) == sorted([str(first.pk), str(second.pk)])


def test_a_failing_receiver_hears_of_news_with_its_next_attempt_only(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    receiver.expect_request("/no").respond_with_data("", 500)
    endpoint = an_endpoint(receiver.url_for("/no"))
    told_once(endpoint)
    assert endpoint.silent_since is None
    some_items(1, tags=["fox"])
    assert deliveries.plan_due() == 0


def test_what_is_being_sent_is_not_replaced(
    an_endpoint: MakeEndpoint, receiver: HTTPServer, silence: threading.Event
) -> None:
    delivery = told_once(an_endpoint(receiver.url_for("/silent")))
    some_items(1, tags=["fox"])
    claimed = timezone.now() + timedelta(seconds=30)
    Delivery.objects.update(claim_until=claimed)
    assert deliveries.plan_due() == 0
    # Not even by a planner that looked before it was claimed.
    assert deliveries.plan_due(Endpoint.objects.all()) == 0
    assert Delivery.objects.get().state == DeliveryState.RETRY_WAIT
    delivery.endpoint.refresh_from_db()
    assert delivery.endpoint.cursor == 1
    Delivery.objects.update(claim_until=None)
    assert deliveries.plan_due() == 1


@pytest.mark.parametrize(("status", "state"), [(200, "active"), (500, "failing")])
def test_an_answer_ends_the_silence(
    an_endpoint: MakeEndpoint, receiver: HTTPServer, status: int, state: str
) -> None:
    receiver.expect_request("/ok").respond_with_data("", status)
    endpoint = an_endpoint(receiver.url_for("/ok"), silent_since=timezone.now())
    some_items(1, tags=["fox"])
    deliveries.plan_due()
    assert send(Delivery.objects.get().pk) is (status == 200)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.silent_since) == (state, None)


@pytest.mark.parametrize(
    "state", [EndpointState.DISABLED, EndpointState.UNVERIFIED, EndpointState.GONE]
)
def test_its_silence_brings_nobody_back(
    an_endpoint: MakeEndpoint,
    receiver: HTTPServer,
    silence: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
    state: EndpointState,
) -> None:
    endpoint = an_endpoint(receiver.url_for("/silent"))
    some_items(1, tags=["fox"])
    deliveries.plan_due()
    original = outgoing_http.request

    def meanwhile(*args: Any, **options: Any) -> Any:
        Endpoint.objects.update(state=state)
        return original(*args, **options)

    monkeypatch.setattr(outgoing_http, "request", meanwhile)
    assert not send(Delivery.objects.get().pk)
    assert Delivery.objects.get().attempts == 1
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.silent_since) == (state, None)


@pytest.mark.django_db(transaction=True)
def test_what_comes_while_it_is_silent_is_told_at_once_one_at_a_time(
    an_endpoint: MakeEndpoint, receiver: HTTPServer, silence: threading.Event
) -> None:
    receiver.expect_request("/good").respond_with_data("")
    silent = an_endpoint(receiver.url_for("/silent"))
    good = an_endpoint(receiver.url_for("/good"))
    for number in range(1, 4):
        some_items(1, tags=["fox"])
        deliveries.deliver_due()
        told = Delivery.objects.filter(endpoint=good, state=DeliveryState.DELIVERED)
        assert wait_until(lambda: told.count() == number)  # noqa: B023
    mine = Delivery.objects.filter(endpoint=silent)
    last = mine.filter(seq=journal.head(), state=DeliveryState.RETRY_WAIT)
    assert wait_until(last.exists)
    assert mine.open().count() == 1
    assert 2 <= mine.count() <= 3
