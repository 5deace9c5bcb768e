"""API tokens in the admin."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from media_archive.models import ApiToken
from tests.media_archive.at_the_desk import may, text_of

pytestmark = pytest.mark.django_db
TOKENS = "/admin/media_archive/apitoken/"


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
