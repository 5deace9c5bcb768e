"""One delivery: signed, sent, tried again, and given up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Response

from photowall.facades import deliveries
from photowall.facades.models import (
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
)
from photowall.facades.sending import SCHEDULE, send
from subscriptions.providers.instagram_v1.wire.signatures import verify_body
from tests.builders import some_items
from tests.facades.conftest import SECRET

MakeEndpoint = Callable[..., Endpoint]
FAR = "https://wall.example.org/callback"


def one_attempt(endpoint: Endpoint) -> bool:
    """Plan and send, whatever the time of the next attempt is."""
    deliveries.plan_due()
    Delivery.objects.update(next_attempt_at=timezone.now())
    return send(Delivery.objects.open().get(endpoint=endpoint).pk)


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
