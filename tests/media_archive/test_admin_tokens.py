"""API tokens in the admin."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from rest_framework.test import APIClient

from media_archive.models import ApiToken

pytestmark = pytest.mark.django_db
TOKENS = "/admin/media_archive/apitoken/"


def may(user: User, *codenames: str) -> User:
    """Let ``user`` into the admin, with these permissions."""
    user.is_staff = True
    user.save()
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return user


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    """Ada's browser."""
    client.force_login(ada)
    return client


def text_of(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    text: str = response.content.decode()
    return text


def test_a_token_is_shown_once_and_works(
    desk: Client, anton: User, stranger: APIClient
) -> None:
    page = text_of(
        desk.post(f"{TOKENS}add/", {"user": anton.pk, "name": "notebook"}, follow=True)
    )
    [token] = re.findall(r"shown only now: ([\w-]{43}) ", page)
    answer = stranger.get("/api/v1/media/", HTTP_AUTHORIZATION=f"Token {token}")
    assert answer.status_code == 200
    row = ApiToken.objects.get()
    assert row.user == anton
    for address in (TOKENS, f"{TOKENS}{row.pk}/change/"):
        page = text_of(desk.get(address))
        assert token not in page
        assert "notebook" in page
    desk.post(f"{TOKENS}{row.pk}/delete/", {"post": "yes"})
    answer = stranger.get("/api/v1/media/", HTTP_AUTHORIZATION=f"Token {token}")
    assert answer.status_code == 401


def test_only_a_superuser_makes_tokens_for_others(
    client: Client, vera: User, ada: User
) -> None:
    client.force_login(may(vera, "add_apitoken", "view_apitoken"))
    client.post(f"{TOKENS}add/", {"user": ada.pk, "name": "climb"})
    assert not ApiToken.objects.exists()
    client.post(f"{TOKENS}add/", {"user": vera.pk, "name": "mine"})
    assert ApiToken.objects.get().user == vera
