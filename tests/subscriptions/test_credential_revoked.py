"""The credential is revoked at the worst moments: told, waited for, gone on from there.

The real provider over real HTTP, against a stand-in server.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from media_archive import claims
from media_archive.models import MediaItem
from subscriptions import fetching, lifecycle
from subscriptions.models import Feed, Gap, Hindrance, State, Subscription
from tests.subscriptions.upstream import a_subscription, an_account, caught

pytestmark = pytest.mark.django_db(transaction=True)

REFUSED = {
    "meta": {
        "code": 400,
        "error_type": "OAuthAccessTokenException",
        "error_message": "The access_token provided is invalid.",
    }
}
MEDIA = "/v1/tags/nofilter/media/recent"


class Listing:
    """Six posts on three pages, for who has the ``valid`` token."""

    def __init__(self) -> None:
        self.valid: str | None = "old"
        self.seen: list[dict[str, str]] = []
        self.revoke_after = 2

    def __call__(self, request: Request) -> Response:
        said = request.args.to_dict()
        if len(self.seen) == self.revoke_after:
            self.valid = None
        self.seen.append(said)
        if said.get("access_token") != self.valid:
            return Response(json.dumps(REFUSED), 400)
        below = int(said.get("max_tag_id", 100))
        above = int(said.get("min_tag_id", 0))
        numbers = [n for n in range(16, 10, -1) if above < n < below]
        shown = numbers[:2]
        pagination = {"min_tag_id": str(shown[0])} if shown else {}
        if len(numbers) > 2:
            pagination["next_max_tag_id"] = str(shown[-1])
        document = {
            "meta": {"code": 200},
            "data": [post(number) for number in shown],
            "pagination": pagination,
        }
        return Response(json.dumps(document))


def post(number: int) -> dict[str, Any]:
    return {
        "id": f"{number}_2",
        "type": "image",
        "user": {"id": "2", "username": "a"},
        "created_time": str(1_700_000_000 + number),
        "tags": ["nofilter"],
    }


@pytest.fixture
def base_url(instagram: None, httpserver: HTTPServer, settings: Settings) -> str:
    """Where the stand-in is; calling it is allowed."""
    settings.PHOTOWALL_PRIVATE_HOSTS = [f"{httpserver.host}:{httpserver.port}"]
    return httpserver.url_for("/v1")


def read(subscription: Subscription) -> None:
    Feed.objects.update(rest_until=None, next_attempt_at=None)
    epoch = claims.claim(Feed.objects.due(), subscription.pk, fetching.HOLD)
    assert epoch is not None
    fetching.fetch_new(subscription.pk, epoch)


def state_of(subscription: Subscription) -> str:
    subscription.refresh_from_db()
    return subscription.state


def enter(client: Client, subscription: Subscription, **credential: str) -> None:
    account = subscription.account
    said = {
        "name": account.name,
        "provider": account.provider,
        "base_url": account.base_url,
        "client_id": account.client_id,
    }
    address = f"/admin/subscriptions/provideraccount/{account.pk}/change/"
    assert client.post(address, said | credential).status_code == 302


def test_in_the_middle_of_a_page_run(
    base_url: str, httpserver: HTTPServer, ada: User, rung: list[Any]
) -> None:
    listing = Listing()
    httpserver.expect_request(MEDIA).respond_with_handler(listing)
    account = an_account(base_url=base_url, access_token="old")
    subscription = a_subscription(account=account, cursor="1", head="1")
    read(subscription)
    assert state_of(subscription) == State.SUSPENDED
    assert "refuses our credential" in subscription.state_reason
    assert len(listing.seen) == 3
    assert MediaItem.objects.count() == 4
    gap = Gap.objects.get(closed_at=None)
    assert gap.older == "13"
    assert Hindrance.objects.get(ended_at=None).reason == "credential_refused"
    assert not Feed.objects.due().exists(), "nobody hammers with a dead credential"
    desk = Client()
    desk.force_login(ada)
    assert "refuses the credential" in desk.get("/admin/").content.decode()
    listing.valid = "new"
    listing.seen.clear()
    listing.revoke_after = 100
    enter(desk, subscription, access_token="new")
    assert state_of(subscription) == State.ACTIVE
    assert ("fetch_subscription", subscription.pk) in rung
    assert "refuses the credential" not in desk.get("/admin/").content.decode()
    for _ in range(3):
        Feed.objects.update(rest_until=None)
        if Feed.objects.due().exists():
            read(subscription)
    assert not Gap.objects.filter(closed_at=None).exists()
    from_the_gap = [said for said in listing.seen if said.get("max_tag_id") == "13"]
    assert len(from_the_gap) == 1
    again = [s for s in listing.seen if s.get("max_tag_id") in {"15", "100"}]
    assert again == [], "what was read is not read again"
    assert caught(subscription) == {str(number) for number in range(11, 17)}
    assert MediaItem.objects.count() == 6


def test_between_our_request_and_the_challenge(
    base_url: str, httpserver: HTTPServer
) -> None:
    made = lifecycle.create(an_account(base_url=base_url), "nofilter", "ada")
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": "abc",
        "hub.verify_token": made.verify_token,
    }
    path = urlsplit(lifecycle.callback_url(made)).path
    httpserver.expect_request("/v1/subscriptions", "POST").respond_with_data(
        json.dumps(REFUSED), 400
    )
    lifecycle.request(made.pk)
    assert state_of(made) == State.FAILED
    assert "Mend the account" in made.state_reason
    assert Client().get(path, query).status_code == 404, "the challenge comes too late"
    assert state_of(made) == State.FAILED
    lifecycle.retry(made.pk, "ada")
    assert Client().get(path, query).status_code == 404, "we have not asked yet"
    assert state_of(made) == State.REQUESTED


def test_while_ending(
    base_url: str, httpserver: HTTPServer, ada: User, rung: list[Any]
) -> None:
    subscription = a_subscription(account=an_account(base_url=base_url))
    refusals = httpserver.expect_oneshot_request("/v1/subscriptions", "DELETE")
    refusals.respond_with_data(json.dumps(REFUSED), 400)
    httpserver.expect_request("/v1/subscriptions", "DELETE").respond_with_json(
        {"meta": {"code": 200}, "data": None}
    )
    lifecycle.end(subscription.pk, "ada")
    assert not lifecycle.finish_ending(subscription.pk)
    assert state_of(subscription) == State.ENDING
    assert "Mend the account" in subscription.state_reason
    assert not lifecycle.endings_due().exists(), "it waits"
    desk = Client()
    desk.force_login(ada)
    enter(desk, subscription, client_secret="new")
    assert lifecycle.endings_due().exists(), "and not longer than for the credential"
    assert lifecycle.finish_ending(subscription.pk)
    assert state_of(subscription) == State.ENDED
    assert httpserver.log[-1][0].args["client_secret"] == "new"
