"""Telling those who follow us: what is planned, sent, tried again, and given up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from media_archive import journal, moderation
from photowall.facades import deliveries
from photowall.facades.models import (
    ApiClient,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
)
from photowall.facades.sending import SCHEDULE, send
from photowall.facades.tasks import deliver_endpoint, reconcile
from subscriptions.providers.instagram_v1.wire.notifications import (
    parse_notifications,
)
from subscriptions.providers.instagram_v1.wire.signatures import verify_body
from tests.builders import a_record, an_item, some_items, store
from tests.facades.conftest import SECRET

MakeEndpoint = Callable[..., Endpoint]
FAR = "https://wall.example.org/callback"


def one_attempt(endpoint: Endpoint) -> bool:
    """Plan and send, whatever the time of the next attempt is."""
    deliveries.plan_due()
    Delivery.objects.update(next_attempt_at=timezone.now())
    return send(Delivery.objects.open().get(endpoint=endpoint).pk)


# --- What is planned ----------------------------------------------------------


@pytest.mark.parametrize(
    "state",
    [EndpointState.UNVERIFIED, EndpointState.DISABLED, EndpointState.GONE],
)
def test_who_does_not_hear_is_told_nothing(
    an_endpoint: MakeEndpoint, state: EndpointState
) -> None:
    deaf = an_endpoint(FAR, state=state)
    control = an_endpoint(f"{FAR}/2", state=EndpointState.FAILING)
    some_items(1, tags=["fox"])
    assert deliveries.plan_due() == 1
    assert Delivery.objects.get().endpoint == control
    deaf.refresh_from_db()
    assert deaf.cursor == 0


def test_a_disabled_clients_endpoints_are_told_nothing(
    an_endpoint: MakeEndpoint,
) -> None:
    an_endpoint(FAR)
    some_items(1, tags=["fox"])
    ApiClient.objects.update(enabled=False)
    assert deliveries.plan_due() == 0
    ApiClient.objects.update(enabled=True)
    assert deliveries.plan_due() == 1


def test_what_is_of_no_interest_moves_the_cursor_only(
    an_endpoint: MakeEndpoint,
) -> None:
    endpoint = an_endpoint(FAR)
    items = some_items(2, tags=["snow"])
    moderation.pin([items[0].pk], actor="ada")
    assert deliveries.plan_due() == 0
    endpoint.refresh_from_db()
    assert endpoint.cursor == journal.head() == 3


def test_a_burst_is_one_delivery_and_the_rest_follows(
    an_endpoint: MakeEndpoint,
) -> None:
    endpoint = an_endpoint(FAR)
    for _ in range(30):
        an_item(tags=["fox"])
    assert deliveries.plan_due() == 1
    assert Delivery.objects.get().seq == 30
    some_items(5, tags=["fox"])
    # One is on its way: the next one waits for it, and then tells all five.
    assert deliveries.plan_due() == 0
    Delivery.objects.update(state=DeliveryState.DEAD)
    assert deliveries.plan_due() == 1
    assert sorted(Delivery.objects.values_list("seq", flat=True)) == [30, 35]
    endpoint.refresh_from_db()
    assert endpoint.cursor == 35
    assert deliveries.plan_due() == 0


def test_shown_again_and_tagged_later_are_news_hidden_is_none(
    an_endpoint: MakeEndpoint,
) -> None:
    old = a_record(tags=["snow"])
    store([old])
    item = an_item(tags=["fox"])
    an_endpoint(FAR, cursor=journal.head())

    def news() -> int:
        Delivery.objects.update(state=DeliveryState.DELIVERED)
        return deliveries.plan_due()

    moderation.hide([item.pk], actor="ada")
    assert news() == 0
    moderation.show([item.pk], actor="ada")
    assert news() == 1
    store([old], listed_under="fox")
    assert news() == 1
    hidden = an_item(tags=["fox"])
    moderation.hide([hidden.pk], actor="ada")
    assert news() == 0
    store([a_record(item.native_id, tags=["fox"], caption="edited")])
    assert news() == 0


def test_the_body_is_the_recorded_notification(an_endpoint: MakeEndpoint) -> None:
    endpoint = an_endpoint(FAR)
    some_items(1, tags=["fox"])
    deliveries.plan_due()
    body = bytes(Delivery.objects.get().body)
    assert body.isascii()
    (said,) = parse_notifications(body)
    assert (said.object, said.object_id) == ("tag", "fox")
    assert said.subscription_id == str(endpoint.pk)
    assert said.time is not None
    assert abs(timezone.now() - said.time) < timedelta(seconds=5)
    assert f'"subscription_id": {endpoint.pk}, "data": {{}}' in body.decode()


@pytest.mark.django_db
def test_idle_costs_three_small_queries(
    an_endpoint: MakeEndpoint, django_assert_num_queries: Any
) -> None:
    an_endpoint(FAR)
    some_items(1, tags=["snow"])
    deliveries.plan_due()
    with django_assert_num_queries(3):
        assert deliveries.deliver_due() == 0


# --- One attempt ---------------------------------------------------------------


def test_it_is_signed_and_carries_an_id_that_never_changes(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    statuses = iter([500, 200])
    receiver.expect_request("/callback", method="POST").respond_with_handler(
        lambda _: Response(status=next(statuses))
    )
    endpoint = an_endpoint(receiver.url_for("/callback?room=7"))
    some_items(1, tags=["fox"])
    assert not one_attempt(endpoint)
    assert one_attempt(endpoint)
    first, second = (request for request, _ in receiver.log)
    for request in (first, second):
        signed = {"x-hub-signature": request.headers["X-Hub-Signature"]}
        verify_body(signed, request.get_data(), [SECRET])
        assert len(signed["x-hub-signature"]) == 40
        assert request.headers["Content-Type"] == "application/json"
        assert request.args["room"] == "7"
    assert first.get_data() == second.get_data()
    delivery = Delivery.objects.get()
    assert {request.headers["X-Photowall-Delivery"] for request in (first, second)} == {
        str(delivery.pk)
    }
    assert (delivery.state, delivery.attempts) == ("delivered", 2)


@pytest.mark.parametrize("status", [301, 302, 400, 404, 500, 503])
def test_whatever_is_not_2xx_is_tried_again(
    an_endpoint: MakeEndpoint, receiver: HTTPServer, status: int
) -> None:
    receiver.expect_request("/no").respond_with_data(
        "", status, {"Location": "/callback"}
    )
    endpoint = an_endpoint(receiver.url_for("/no"))
    some_items(1, tags=["fox"])
    assert not one_attempt(endpoint)
    delivery = Delivery.objects.get()
    endpoint.refresh_from_db()
    assert delivery.state == DeliveryState.RETRY_WAIT
    assert str(status) in delivery.last_error
    assert endpoint.state == EndpointState.FAILING
    assert str(status) in endpoint.state_reason
    assert endpoint.failing_since is not None
    assert len(receiver.log) == 1
    # Not due before its time.
    assert deliveries.deliver_due() == 0


def test_a_success_heals_the_endpoint(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    receiver.expect_request("/ok").respond_with_data("", 204)
    endpoint = an_endpoint(
        receiver.url_for("/ok"),
        state=EndpointState.FAILING,
        state_reason="The receiver answered 500.",
        failing_since=timezone.now() - timedelta(days=4),
    )
    some_items(1, tags=["fox"])
    assert one_attempt(endpoint)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.state_reason) == ("active", "")
    assert endpoint.failing_since is None
    assert endpoint.last_success_at is not None


def test_410_ends_it(an_endpoint: MakeEndpoint, receiver: HTTPServer) -> None:
    receiver.expect_request("/gone").respond_with_data("", 410)
    endpoint = an_endpoint(receiver.url_for("/gone"))
    some_items(1, tags=["fox"])
    assert not one_attempt(endpoint)
    endpoint.refresh_from_db()
    assert endpoint.state == EndpointState.GONE
    assert "410" in endpoint.state_reason
    assert Delivery.objects.get().state == DeliveryState.DEAD
    some_items(1, tags=["fox"])
    assert deliveries.plan_due() == 0


def test_the_schedule_and_then_it_is_given_up(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    receiver.expect_request("/no").respond_with_data("", 500)
    endpoint = an_endpoint(receiver.url_for("/no"))
    some_items(1, tags=["fox"])
    for attempt, seconds in enumerate(SCHEDULE, start=1):
        assert not one_attempt(endpoint)
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.attempts) == ("retry_wait", attempt)
        left = (delivery.next_attempt_at - timezone.now()).total_seconds()
        assert 0.8 * seconds - 2 <= left <= 1.2 * seconds
    assert not one_attempt(endpoint)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("dead", 8)
    endpoint.refresh_from_db()
    assert endpoint.state == EndpointState.FAILING
    # A later announcement still follows.
    some_items(1, tags=["fox"])
    assert deliveries.plan_due() == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_may_say_how_long_to_wait(
    an_endpoint: MakeEndpoint, receiver: HTTPServer, status: int
) -> None:
    receiver.expect_request("/busy").respond_with_data(
        "", status, {"Retry-After": "1234"}
    )
    endpoint = an_endpoint(receiver.url_for("/busy"))
    some_items(1, tags=["fox"])
    assert not one_attempt(endpoint)
    left = Delivery.objects.get().next_attempt_at - timezone.now()
    assert 1200 < left.total_seconds() <= 1234


def test_five_days_without_success_disable_it(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    receiver.expect_request("/no").respond_with_data("", 500)
    url = receiver.url_for("/no")
    old, younger = (
        an_endpoint(
            f"{url}?{days}",
            state=EndpointState.FAILING,
            failing_since=timezone.now() - timedelta(days=days),
        )
        for days in (5, 4)
    )
    some_items(1, tags=["fox"])
    for endpoint in (old, younger):
        one_attempt(endpoint)
        endpoint.refresh_from_db()
    assert old.state == EndpointState.DISABLED
    assert "No success since" in old.state_reason
    assert Delivery.objects.get(endpoint=old).state == DeliveryState.DEAD
    assert younger.state == EndpointState.FAILING
    assert Delivery.objects.get(endpoint=younger).state == DeliveryState.RETRY_WAIT


def test_an_inside_address_is_not_called_even_if_it_was_once_allowed(
    an_endpoint: MakeEndpoint, receiver: HTTPServer, settings: Settings
) -> None:
    receiver.expect_request("/ok").respond_with_data("")
    endpoint = an_endpoint(receiver.url_for("/ok"))
    some_items(1, tags=["fox"])
    allowed = settings.PHOTOWALL_PRIVATE_HOSTS
    settings.PHOTOWALL_PRIVATE_HOSTS = []
    assert not one_attempt(endpoint)
    assert not receiver.log
    settings.PHOTOWALL_PRIVATE_HOSTS = allowed
    assert one_attempt(endpoint)


def test_what_is_claimed_or_over_is_not_sent(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    receiver.expect_request("/ok").respond_with_data("")
    an_endpoint(receiver.url_for("/ok"))
    some_items(1, tags=["fox"])
    deliveries.plan_due()
    delivery = Delivery.objects.get()
    Delivery.objects.update(claim_until=timezone.now() + timedelta(seconds=30))
    assert not send(delivery.pk)
    # A worker that died holds it no longer than its claim.
    Delivery.objects.update(claim_until=timezone.now() - timedelta(seconds=1))
    assert send(delivery.pk)
    assert not send(delivery.pk)
    assert len(receiver.log) == 1


def test_what_is_over_for_long_is_swept_away(an_endpoint: MakeEndpoint) -> None:
    endpoint = an_endpoint(FAR)
    an_endpoint(FAR, "snow", state=EndpointState.UNVERIFIED)
    long_ago = timezone.now() - timedelta(days=8)
    for seq, state in enumerate(DeliveryState.values):
        Delivery.objects.create(
            endpoint=endpoint, seq=seq, body=b"", state=state, next_attempt_at=long_ago
        )
    deliveries.sweep()
    assert Endpoint.objects.count() == 2
    Endpoint.objects.update(created_at=long_ago)
    deliveries.sweep()
    assert Endpoint.objects.get() == endpoint
    left = Delivery.objects.values_list("state", flat=True)
    assert sorted(left) == ["pending", "retry_wait"]


@pytest.mark.django_db(transaction=True)
def test_one_endpoint_alone_is_told_when_it_is_asked_for(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    receiver.expect_request("/ok").respond_with_data("")
    one = an_endpoint(receiver.url_for("/ok?1"))
    other = an_endpoint(receiver.url_for("/ok?2"))
    some_items(1, tags=["fox"])
    deliver_endpoint(one.pk)
    told = Delivery.objects.filter(state=DeliveryState.DELIVERED)
    assert wait_until(told.exists)
    assert Delivery.objects.get().endpoint == one
    reconcile()
    assert wait_until(lambda: told.filter(endpoint=other).exists())


# --- Many at once ---------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_deliver_once(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    def slowly(_: Request) -> Response:
        time.sleep(0.2)
        return Response("")

    receiver.expect_request("/ok").respond_with_handler(slowly)
    endpoint = an_endpoint(receiver.url_for("/ok"))
    some_items(3, tags=["fox"])
    start = threading.Barrier(4)

    def worker() -> None:
        try:
            start.wait(5)
            deliveries.work_off(endpoint.pk)
        finally:
            close_connection()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(receiver.log) == 1
    assert Delivery.objects.get().state == DeliveryState.DELIVERED


@pytest.mark.django_db(transaction=True)
def test_a_dead_receiver_delays_only_itself(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    let_go = threading.Event()

    def hang(_: Request) -> Response:
        let_go.wait(14)
        return Response("")

    receiver.expect_request("/dead").respond_with_handler(hang)
    receiver.expect_request("/good").respond_with_data("")
    dead = an_endpoint(receiver.url_for("/dead"))
    good = an_endpoint(receiver.url_for("/good"))
    try:
        for number in range(1, 4):
            some_items(1, tags=["fox"])
            begun = time.monotonic()
            deliveries.deliver_due()
            assert time.monotonic() - begun < 5
            told = Delivery.objects.filter(endpoint=good, state=DeliveryState.DELIVERED)
            assert wait_until(lambda: told.count() == number, 5)  # noqa: B023
        assert Delivery.objects.get(endpoint=dead).state == DeliveryState.PENDING
    finally:
        let_go.set()
    # What came while it hung is told as well, in one.
    told = Delivery.objects.filter(endpoint=dead, state=DeliveryState.DELIVERED)
    assert wait_until(lambda: told.count() == 2)
    dead.refresh_from_db()
    assert dead.cursor == journal.head()


@pytest.mark.django_db(transaction=True)
def test_everything_published_is_announced_after_it_was_published(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    """However the announcements are put together, one comes after the last item."""
    heads: list[int] = []

    def look(_: Request) -> Response:
        try:
            heads.append(journal.head())
        finally:
            close_connection()
        return Response("")

    receiver.expect_request("/ok").respond_with_handler(look)
    endpoint = an_endpoint(receiver.url_for("/ok"))
    stop = threading.Event()

    def deliver() -> None:
        try:
            while not stop.is_set():
                deliveries.deliver_due()
                time.sleep(0.01)
        finally:
            close_connection()

    thread = threading.Thread(target=deliver)
    thread.start()
    try:
        for _ in range(40):
            some_items(1, tags=["fox"])
        told = Endpoint.objects.filter(pk=endpoint.pk, cursor=40)
        assert wait_until(told.exists)
        assert wait_until(lambda: not Delivery.objects.open().exists())
    finally:
        stop.set()
        thread.join(10)
    assert heads[-1] == 40
    assert 1 <= len(heads) <= 40
    assert not Delivery.objects.exclude(state=DeliveryState.DELIVERED).exists()


@pytest.mark.django_db(transaction=True)
def test_an_endpoint_deleted_while_it_is_told_leaves_nothing_behind(
    an_endpoint: MakeEndpoint, receiver: HTTPServer
) -> None:
    def delete(_: Request) -> Response:
        try:
            Endpoint.objects.all().delete()
        finally:
            close_connection()
        return Response("")

    receiver.expect_request("/ok").respond_with_handler(delete)
    endpoint = an_endpoint(receiver.url_for("/ok"))
    some_items(1, tags=["fox"])
    deliveries.work_off(endpoint.pk)
    assert len(receiver.log) == 1
    assert not Delivery.objects.exists()


def wait_until(true: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def close_connection() -> None:
    from django.db import connection

    connection.close()
