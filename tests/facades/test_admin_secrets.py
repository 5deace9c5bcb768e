"""What is secret is on no page of the admin, whoever adds a field to a model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.test import Client
from django.urls import reverse

from media_archive.encryption import EncryptedTextField
from photowall.facades.models import ApiClient, Delivery, Endpoint
from subscriptions.models import Backfill, Receipt
from tests.subscriptions.upstream import a_subscription

OURS = ("facades", "subscriptions")
PAGES = [model for model in admin.site._registry if model._meta.app_label in OURS]


def secret_names(model: type[models.Model]) -> list[str]:
    return [
        field.name
        for field in model._meta.get_fields()
        if isinstance(field, EncryptedTextField)
    ]


@pytest.fixture
def secrets(an_endpoint: Callable[..., Endpoint]) -> list[str]:
    """One row of everything, each secret column filled with a word of its own."""
    endpoint = an_endpoint("https://wall.example.org/callback")
    Delivery.objects.create(endpoint=endpoint, seq=1, body=b"[]")
    subscription = a_subscription("fox")
    Receipt.objects.create(subscription=subscription, body=b"[]", body_sha256="1")
    Backfill.objects.create(subscription=subscription)
    words = []
    for model in PAGES:
        for name in secret_names(model):
            word = f"hush-{model._meta.model_name}-{name}"
            model._default_manager.update(**{name: word})
            words.append(word)
    return words


def test_no_page_shows_a_stored_secret(
    client: Client, ada: User, secrets: list[str]
) -> None:
    assert len(secrets) >= 5
    client.force_login(ada)
    for model in PAGES:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.first()
        assert row is not None, f"the test makes no {model.__name__}"
        for address in (
            reverse(f"{name}_changelist"),
            reverse(f"{name}_change", args=[row.pk]),
            reverse(f"{name}_history", args=[row.pk]),
        ):
            answer = client.get(address)
            assert answer.status_code == 200, address
            page = answer.content.decode()
            assert [word for word in secrets if word in page] == [], address


def test_a_secret_that_is_posted_changes_nothing(
    client: Client, ada: User, secrets: list[str]
) -> None:
    """An account's may be typed anew: tests/subscriptions/test_admin_accounts.py"""
    client.force_login(ada)
    posted = {
        "name": "renamed",
        "client_secret": "typed by somebody",
        "verify_token": "typed by somebody",
    }
    for model in (ApiClient, Endpoint):
        row = model._default_manager.get()
        name = f"admin:facades_{model._meta.model_name}_change"
        assert client.post(reverse(name, args=[row.pk]), posted).status_code == 302
        row.refresh_from_db()
        (field,) = secret_names(model)
        assert getattr(row, field).startswith("hush-")
    assert ApiClient.objects.get().name == "renamed"
