"""No address and no form of the admin's lists is an error of the database."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse

from media_archive.admin_reading import DeclaredLookups
from media_archive.models import MediaItem, Tombstone
from tests.builders import an_item

pytestmark = pytest.mark.django_db

OURS = [
    page
    for page in admin.site._registry.values()
    if page.opts.app_label in ("facades", "media_archive", "subscriptions")
]
NUL = "a\0b"
ODD = ("-1", "x", "9" * 30, "0001-01-01")


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def url_of(page: Any) -> str:
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")


@pytest.mark.parametrize("list_of", OURS, ids=lambda page: page.opts.label)
def test_filters_and_searches_take_anything(
    list_of: Any, desk: Client, ada: User, rf: RequestFactory
) -> None:
    assert isinstance(list_of, DeclaredLookups)
    request = rf.get("/")
    request.user = ada
    names = list_of._declared(request)
    for name in sorted(names):
        answer = desk.get(f"{url_of(list_of)}?{urlencode({name: NUL})}")
        assert answer.status_code == 302, name
        assert answer["Location"] == f"{url_of(list_of)}?e=1"
        for value in ODD:
            text = urlencode({name: value})
            answer = desk.get(f"{url_of(list_of)}?{text}")
            assert answer.status_code in (200, 302), (name, value)
    for name in ("q", "o", "p", "all", "e"):
        for value in (NUL, "9" * 30):
            text = urlencode({name: value})
            assert desk.get(f"{url_of(list_of)}?{text}").status_code == 200, (
                name,
                value,
            )
    for key in ("%00", "9" * 30, "x"):
        answer = desk.get(f"{url_of(list_of)}{key}/change/")
        assert answer.status_code == 302, key


@pytest.mark.parametrize("list_of", OURS, ids=lambda page: page.opts.label)
def test_forms_of_lists_take_anything(list_of: Any, desk: Client, ada: User) -> None:
    for name in ("action", "_selected_action", "step", "again", "one_click", "reason"):
        for value in (NUL, "9" * 30):
            form = {"action": "erase", "_selected_action": "1", name: value}
            answer = desk.post(url_of(list_of), form)
            assert answer.status_code in (200, 302), (name, value)


def test_a_reason_with_nul_erases_nothing(desk: Client) -> None:
    item = an_item()
    form = {"action": "erase", "_selected_action": str(item.pk), "sure": "yes"}
    url = reverse("admin:media_archive_mediaitem_changelist")
    answer = desk.post(url, {**form, "reason": "a\0b"}, follow=True)
    assert "Nothing was done" in answer.content.decode()
    assert MediaItem.objects.filter(pk=item.pk).exists()
    # The positive control: the same without it.
    desk.post(url, {**form, "reason": "x" * 1000})
    assert not MediaItem.objects.exists()
    assert Tombstone.objects.get().reason.startswith("xxx")
