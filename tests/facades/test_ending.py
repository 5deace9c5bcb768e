"""The end of a subscription: by id, by object, or all of a client's."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.test import Client

from photowall.facades.models import (
    ApiClient,
    Delivery,
    Endpoint,
)
from tests.facades.conftest import refusal

PATH = "/v1/subscriptions"
FORM = "application/x-www-form-urlencoded"


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
