"""An account in the admin: secrets go in, and a new one wakes what was suspended."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client

from subscriptions.models import (
    ProviderAccount,
    State,
    Subscription,
)
from tests.subscriptions.upstream import (
    SECRET,
    a_subscription,
    an_account,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(ada: User) -> Client:
    """Ada's browser, signed in."""
    client = Client()
    client.force_login(ada)
    return client


def told(response: Any) -> str:
    return " | ".join(str(message) for message in get_messages(response.wsgi_request))


def state_of(subscription: Subscription) -> str:
    subscription.refresh_from_db()
    return subscription.state


def test_secrets_go_in_and_never_come_out(desk: Client) -> None:
    account = an_account(access_token="a token of ours")
    path = f"/admin/subscriptions/provideraccount/{account.pk}/change/"
    text = desk.get(path).content.decode()
    assert "Set. Leave empty to keep it." in text
    assert SECRET not in text
    assert "a token of ours" not in text
    said = {
        "name": "Renamed",
        "provider": account.provider,
        "base_url": "https://api.example.org/v1/",
        "client_id": "photowall",
        "client_secret": "",
        "access_token": "",
    }
    assert desk.post(path, said).status_code == 302
    account.refresh_from_db()
    assert (account.name, account.client_secret) == ("Renamed", SECRET)
    assert account.access_token == "a token of ours"
    assert account.base_url == "https://api.example.org/v1"
    desk.post(path, {**said, "client_secret": "newer", "forget_access_token": "on"})
    account.refresh_from_db()
    assert (account.client_secret, account.access_token) == ("newer", "")


@pytest.mark.parametrize(
    "address",
    [
        "ftp://x.example/v1",
        "api.example.org",
        "https://",
        "https://a b.example",
        "https://user:pass@api.example.org",
        "https://api.example.org/v1?client_secret=abc",
        "https://[::1",
        "https://api.example.org:99999",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_base_url_is_told(desk: Client, address: str) -> None:
    said = {"name": "x", "provider": "instagram_v1", "base_url": address}
    response = desk.post("/admin/subscriptions/provideraccount/add/", said)
    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    assert not ProviderAccount.objects.exists()


def test_a_new_credential_wakes_what_was_suspended(
    desk: Client, rung: list[Any]
) -> None:
    subscription = a_subscription(state=State.SUSPENDED)
    account = subscription.account
    path = f"/admin/subscriptions/provideraccount/{account.pk}/change/"
    said = {
        "name": account.name,
        "provider": account.provider,
        "base_url": account.base_url,
        "client_id": account.client_id,
    }
    desk.post(path, said)
    assert state_of(subscription) == State.SUSPENDED
    response = desk.post(path, {**said, "client_secret": "the right one"})
    assert "1 suspended subscription is tried again" in told(response)
    assert state_of(subscription) == State.ACTIVE
    assert rung == [("fetch_subscription", subscription.pk)]
