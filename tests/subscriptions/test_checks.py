"""Settings with which nothing good can happen are told before they do harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from subscriptions import checks
from subscriptions.models import ProviderAccount, State, Subscription
from tests.subscriptions.upstream import a_subscription

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "checks.md"


def ids(found: list[Any]) -> list[str]:
    return [message.id for message in found]


def test_what_is_usual_is_well() -> None:
    assert checks.check_settings() == []


@pytest.mark.parametrize(
    ("name", "value", "check_id"),
    [
        ("PHOTOWALL_POLL_SECONDS", 0, "photowall.E001"),
        ("PHOTOWALL_PAGES_PER_RUN", 0, "photowall.E002"),
        ("PHOTOWALL_FIRST_READ_PAGES", -1, "photowall.E003"),
        ("PHOTOWALL_BASE_URL", "photos.example.org", "photowall.E004"),
        ("PHOTOWALL_BASE_URL", "http://[::1", "photowall.E004"),
        ("PHOTOWALL_ENCRYPTION_KEYS", ["short"], "photowall.E005"),
    ],
)
def test_an_absurd_value_is_an_error(
    settings: Any, name: str, value: object, check_id: str
) -> None:
    setattr(settings, name, value)
    assert ids(checks.check_settings()) == [check_id]
    assert str(checks.check_settings()[0].msg)
    assert f"`{check_id}`" in PAGE.read_text("utf-8")


def test_the_least_is_enough(settings: Any) -> None:
    for name, (least, _) in checks.LEAST.items():
        setattr(settings, name, least)
    settings.PHOTOWALL_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert checks.check_settings() == []


def test_production_wants_a_key_of_its_own(settings: Any) -> None:
    assert ids(checks.check_encryption_key()) == ["photowall.I001"]
    assert "`photowall.I001`" in PAGE.read_text("utf-8")
    settings.PHOTOWALL_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert checks.check_encryption_key() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        ("http://127.0.0.1:8000", "https://api.example.org/v1", True),
        ("http://192.168.1.5", "https://api.example.org/v1", True),
        ("http://[::1]:8000", "https://8.8.8.8/v1", True),
        ("http://photowall", "https://api.example.org/v1", True),
        ("http://wall.local", "https://api.example.org/v1", True),
        ("https://photos.example.org", "https://api.example.org/v1", False),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8001/v1", False),
        ("http://127.0.0.1:8000", "http://sandbox:8001/v1", False),
    ],
)
def test_a_provider_out_there_must_reach_us(
    settings: Any, ours: str, theirs: str, *, told: bool
) -> None:
    a_subscription()
    settings.PHOTOWALL_BASE_URL = ours
    ProviderAccount.objects.update(base_url=theirs)
    found = checks.check_callbacks(databases=["default"])
    assert ids(found) == (["photowall.W002"] if told else [])
    assert checks.check_callbacks() == [], "no database was named"
    assert "`photowall.W002`" in PAGE.read_text("utf-8")
    Subscription.objects.update(state=State.ENDED)
    assert checks.check_callbacks(databases=["default"]) == []
