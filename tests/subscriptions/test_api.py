"""REST for subscriptions: read-only, filtered, without secrets."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from subscriptions.models import State
from tests.subscriptions.upstream import SECRET, a_subscription

pytestmark = pytest.mark.django_db

LIST = "/api/v1/subscriptions/"


def test_strangers_are_refused(stranger: APIClient) -> None:
    subscription = a_subscription()
    for path in (LIST, f"{LIST}{subscription.pk}/"):
        response = stranger.get(path)
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "not_authenticated"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written(api: APIClient, method: str) -> None:
    subscription = a_subscription()
    for path in (LIST, f"{LIST}{subscription.pk}/"):
        assert getattr(api, method)(path, {}, format="json").status_code == 405


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("tags=x", "tags"),
        ("tag=🎉", "tag"),
        ("state=happy", "state"),
        ("state=active&state=ended", "state"),
        ("cursor=x", "cursor"),
        ("page_size=0", "page_size"),
    ],
)
def test_what_is_not_known_is_refused_by_name(
    api: APIClient, query: str, field: str
) -> None:
    response = api.get(f"{LIST}?{query}")
    assert response.status_code == 400
    assert field in response.json()["error"]["fields"]


def test_one_that_is_not_there(api: APIClient) -> None:
    for key in ("0", "999999", "9" * 30):
        assert api.get(f"{LIST}{key}/").status_code == 404


def test_what_is_told_and_what_is_not(api: APIClient) -> None:
    subscription = a_subscription("fête", last_error="HTML <b>")
    response = api.get(f"{LIST}{subscription.pk}/")
    said = response.json()
    assert said == api.get(LIST).json()["results"][0]
    assert set(said) == {
        "id",
        "provider",
        "account",
        "tag",
        "state",
        "state_reason",
        "state_since",
        "created_at",
        "last_heard_at",
        "last_fetched_at",
        "last_error",
        "next_attempt_at",
        "media",
    }
    assert (said["tag"], said["state"], said["account"]) == (
        "fête",
        "active",
        "Pretend",
    )
    assert said["last_error"] == "HTML <b>"
    assert said["media"] == "http://testserver/api/v1/media/?tag=f%C3%AAte"
    assert said["last_heard_at"] is None
    assert said["created_at"].endswith("Z")
    secrets = (SECRET, subscription.verify_token, str(subscription.callback_id))
    assert not any(secret in response.content.decode() for secret in secrets)


def test_filters_and_pages(api: APIClient) -> None:
    first = a_subscription("a")
    for number in range(4):
        state = State.ENDED if number % 2 else State.ACTIVE
        a_subscription(f"b{number}", state, first.account)

    def tags(query: str) -> list[str]:
        return [row["tag"] for row in api.get(f"{LIST}?{query}").json()["results"]]

    assert tags("tag=%23A") == ["a"]
    assert tags("state=ended") == ["b3", "b1"]
    assert tags("state=ended&tag=a") == []
    document = api.get(f"{LIST}?page_size=2").json()
    seen = [row["tag"] for row in document["results"]]
    while document["next"]:
        document = api.get(document["next"]).json()
        seen += [row["tag"] for row in document["results"]]
    assert seen == ["b3", "b2", "b1", "b0", "a"]
