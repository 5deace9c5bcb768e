"""A provider account's form: a stored secret never goes to another host."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from subscriptions.models import ProviderAccount
from tests.subscriptions.upstream import SECRET, an_account

pytestmark = pytest.mark.django_db

TOKEN = "a token of ours"
AT = "https://api.example.org/v1"


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    """A browser in which Ada is signed in."""
    client.force_login(ada)
    return client


def save(desk: Client, account: ProviderAccount, **said: str) -> Any:
    usual = {
        "name": account.name,
        "provider": account.provider,
        "base_url": account.base_url,
        "client_id": account.client_id,
        "client_secret": "",
        "access_token": "",
    }
    path = f"/admin/subscriptions/provideraccount/{account.pk}/change/"
    return desk.post(path, usual | said)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/v1",
        "http://api.example.org/v1",
        "https://api.example.org:8443/v1",
        "https://api.example.org.evil.example/v1",
    ],
)
def test_another_host_wants_the_secrets_typed_again(desk: Client, address: str) -> None:
    account = an_account(base_url=AT, access_token=TOKEN)
    half: dict[str, str] = {"client_secret": "typed"}
    for typed, missing in (({}, 2), (half, 1), ({"access_token": "typed"}, 1)):
        answer = save(desk, account, base_url=address, **typed)
        assert answer.status_code == 200
        page = answer.content.decode()
        assert page.count("leads to another host") == missing
        assert SECRET not in page
        account.refresh_from_db()
        assert (account.base_url, account.client_secret) == (AT, SECRET)
    typed = {"client_secret": "new", "access_token": "newer"}
    assert save(desk, account, base_url=address, **typed).status_code == 302
    account.refresh_from_db()
    assert account.base_url == address
    assert (account.client_secret, account.access_token) == ("new", "newer")


def test_a_token_may_be_forgotten_instead(desk: Client) -> None:
    account = an_account(base_url=AT, access_token=TOKEN)
    said = {"base_url": "https://other.example/v1", "client_secret": "new"}
    answer = save(desk, account, **said, forget_access_token="on")
    assert answer.status_code == 302
    account.refresh_from_db()
    assert (account.client_secret, account.access_token) == ("new", "")


def test_what_is_not_stored_is_not_asked_for(desk: Client) -> None:
    account = an_account(base_url=AT, client_secret="")
    assert save(desk, account, base_url="https://b.example/v1").status_code == 302
    account.refresh_from_db()
    assert account.base_url == "https://b.example/v1"


@pytest.mark.parametrize(
    "address",
    [
        "https://api.example.org/v2",
        "https://API.example.org/v1/",
        "https://api.example.org:443/v1",
    ],
)
def test_the_same_host_keeps_them(desk: Client, address: str) -> None:
    account = an_account(base_url=AT, access_token=TOKEN)
    assert save(desk, account, base_url=address).status_code == 302
    account.refresh_from_db()
    assert account.base_url == address.rstrip("/")
    assert (account.client_secret, account.access_token) == (SECRET, TOKEN)
