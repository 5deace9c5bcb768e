"""Clients, endpoints and deliveries in the admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_httpserver import HTTPServer

from photowall.facades.models import (
    ApiClient,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
)
from tests.builders import some_items
from tests.facades.conftest import SECRET

FAR = "https://wall.example.org/callback"


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    """A browser in which Ada is signed in."""
    client.force_login(ada)
    return client


def act(desk: Client, row: Any, action: str) -> str:
    """Choose an action for one row of a list; the page that follows."""
    name = row._meta.model_name
    answer = desk.post(
        reverse(f"admin:facades_{name}_changelist"),
        {"action": action, "_selected_action": [str(row.pk)]},
        follow=True,
    )
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("name", ["apiclient", "endpoint", "delivery"])
def test_who_has_no_business_here_sees_nothing(
    client: Client, vera: User, desk: Client, name: str
) -> None:
    address = reverse(f"admin:facades_{name}_changelist")
    assert desk.get(address).status_code == 200
    client.force_login(vera)
    assert client.get(address).status_code == 302


def test_a_secret_is_shown_when_it_is_made_and_never_again(desk: Client) -> None:
    answer = desk.post(
        reverse("admin:facades_apiclient_add"),
        {"name": "old wall", "enabled": "on"},
        follow=True,
    )
    made = ApiClient.objects.get()
    assert made.client_secret in answer.content.decode()
    for address in (
        reverse("admin:facades_apiclient_changelist"),
        reverse("admin:facades_apiclient_change", args=[made.pk]),
        reverse("admin:facades_apiclient_history", args=[made.pk]),
    ):
        page = desk.get(address).content.decode()
        assert "old wall" in page
        assert made.client_secret not in page


def test_changing_the_name_keeps_the_secret_to_itself(
    desk: Client, program: ApiClient
) -> None:
    answer = desk.post(
        reverse("admin:facades_apiclient_change", args=[program.pk]),
        {"name": "new name", "enabled": "on"},
        follow=True,
    )
    program.refresh_from_db()
    assert (program.name, program.client_secret) == ("new name", SECRET)
    assert SECRET not in answer.content.decode()


def test_a_new_secret_ends_the_old_one(desk: Client, program: ApiClient) -> None:
    page = act(desk, program, "rotate")
    program.refresh_from_db()
    assert program.client_secret != SECRET
    assert program.client_secret in page
    who = {"client_id": "CLIENT-ID", "client_secret": SECRET}
    assert desk.get("/v1/subscriptions", who).status_code == 400
    who["client_secret"] = program.client_secret
    assert desk.get("/v1/subscriptions", who).status_code == 200


def test_a_client_is_disabled_and_enabled(desk: Client, program: ApiClient) -> None:
    target = "/v1/tags/fox?client_id=CLIENT-ID"
    act(desk, program, "disable")
    assert desk.get(target).status_code == 400
    act(desk, program, "enable")
    assert desk.get(target).status_code == 200


def test_an_endpoint_says_how_it_is(
    desk: Client, an_endpoint: Callable[..., Endpoint]
) -> None:
    an_endpoint(
        FAR, state=EndpointState.FAILING, state_reason="The receiver answered 500."
    )
    some_items(17, tags=["snow"])
    page = desk.get(reverse("admin:facades_endpoint_changelist")).content.decode()
    assert "The receiver answered 500." in page
    assert '<td class="field-behind">17</td>' in page
    change = reverse("admin:facades_endpoint_change", args=[Endpoint.objects.get().pk])
    assert desk.get(change).status_code == 200


def test_an_endpoint_is_disabled_and_challenged_before_it_is_active_again(
    desk: Client, an_endpoint: Callable[..., Endpoint], callback: str
) -> None:
    endpoint = an_endpoint(callback)
    assert "is disabled" in act(desk, endpoint, "disable")
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.state_reason) == ("disabled", "Disabled by ada.")
    assert "is active" in act(desk, endpoint, "enable_again")
    endpoint.refresh_from_db()
    assert endpoint.state == EndpointState.ACTIVE


def test_an_endpoint_that_does_not_answer_stays_off_and_says_why(
    desk: Client, an_endpoint: Callable[..., Endpoint], receiver: HTTPServer
) -> None:
    receiver.expect_request("/no").respond_with_data("no")
    endpoint = an_endpoint(receiver.url_for("/no"), state=EndpointState.GONE)
    page = act(desk, endpoint, "enable_again")
    assert "Challenge verification failed" in page
    endpoint.refresh_from_db()
    assert endpoint.state == EndpointState.UNVERIFIED
    assert "Challenge verification failed" in endpoint.state_reason


def test_a_dead_delivery_is_tried_again_a_delivered_one_is_not(
    desk: Client, an_endpoint: Callable[..., Endpoint]
) -> None:
    endpoint = an_endpoint(FAR)
    dead, delivered = (
        Delivery.objects.create(
            endpoint=endpoint, seq=seq, body=b"[]", state=state, attempts=8
        )
        for seq, state in enumerate([DeliveryState.DEAD, DeliveryState.DELIVERED])
    )
    assert "1 due now" in act(desk, dead, "retry")
    assert "0 due now" in act(desk, delivered, "retry")
    dead.refresh_from_db()
    delivered.refresh_from_db()
    assert (dead.state, dead.attempts) == ("pending", 0)
    assert delivered.state == DeliveryState.DELIVERED
    change = reverse("admin:facades_delivery_change", args=[dead.pk])
    assert "[]" in desk.get(change).content.decode()
    assert desk.post(change, {"state": "dead"}).status_code == 302
    dead.refresh_from_db()
    assert dead.state == DeliveryState.PENDING
