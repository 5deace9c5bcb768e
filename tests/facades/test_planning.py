"""What is planned for those who follow us, and what is of no interest to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from media_archive import journal, moderation
from photowall.facades import deliveries
from photowall.facades.models import (
    ApiClient,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
)
from subscriptions.providers.instagram_v1.wire.notifications import (
    parse_notifications,
)
from tests.builders import a_record, an_item, settle, some_items, store

MakeEndpoint = Callable[..., Endpoint]
FAR = "https://wall.example.org/callback"


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


def test_a_picture_that_is_kept_later_is_not_told_again(
    an_endpoint: MakeEndpoint,
) -> None:
    an_endpoint(FAR)
    item = an_item(tags=["fox"])
    assert deliveries.plan_due() == 1
    Delivery.objects.all().delete()  # it was told
    settle(item)
    settle(item, film=True)
    assert deliveries.plan_due() == 0
    some_items(1, tags=["fox"])
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
