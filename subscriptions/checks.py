"""System checks of what we follow; each id stands in ``docs/reference/checks.md``."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from subscriptions.models import ProviderAccount, State

LEAST = {
    "PHOTOWALL_POLL_SECONDS": (1, "photowall.E001"),
    "PHOTOWALL_PAGES_PER_RUN": (1, "photowall.E002"),
    "PHOTOWALL_FIRST_READ_PAGES": (1, "photowall.E003"),
}
"""Setting → the least that makes sense, and the check's id."""


@register()
def check_settings(**_: Any) -> list[CheckMessage]:
    """Values with which nothing good can happen."""
    found: list[CheckMessage] = [
        Error(
            f"{name} is {getattr(settings, name)}; {least} is the least.",
            hint="Correct the environment variable, or unset it.",
            id=check_id,
        )
        for name, (least, check_id) in LEAST.items()
        if getattr(settings, name) < least
    ]
    if not _is_web_address(settings.PHOTOWALL_BASE_URL):
        found.append(
            Error(
                f"PHOTOWALL_BASE_URL is no web address: {settings.PHOTOWALL_BASE_URL}",
                hint="For example https://photos.example.org, without a path.",
                id="photowall.E004",
            )
        )
    return found + _of_keys(settings.PHOTOWALL_ENCRYPTION_KEYS)


@register(Tags.security, deploy=True)
def check_encryption_key(**_: Any) -> list[CheckMessage]:
    """In production stored secrets need a key of their own."""
    if settings.PHOTOWALL_ENCRYPTION_KEYS:
        return []
    return [
        checks.Info(
            "PHOTOWALL_ENCRYPTION_KEY is not set: the key of stored secrets is made "
            "from SECRET_KEY, and changing that loses them.",
            hint="docs/reference/settings.md says how a key is made.",
            id="photowall.I001",
        )
    ]


@register(Tags.database)
def check_callbacks(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Providers out there have to reach us. Runs with ``check --database default``
    and before ``migrate``."""
    if "default" not in (databases or ()):
        return []
    tables = connections["default"].introspection.table_names()
    if "subscriptions_provideraccount" not in tables:
        return []
    columns = ("pk", "name", "base_url")
    found: list[CheckMessage] = []
    accounts = ProviderAccount.objects.only(*columns).filter(
        subscriptions__state__in=[s for s in State if s != State.ENDED]
    )
    for account in accounts.distinct().order_by("pk"):
        if words := unreachable_callback(account):
            hint = "Set PHOTOWALL_BASE_URL to the address that others reach us at."
            found.append(checks.Warning(words, hint=hint, id="photowall.W002"))
    return found


def unreachable_callback(account: ProviderAccount) -> str:
    """The sentence for an account at a public provider that cannot call us back;
    empty = it can, as far as addresses tell."""
    ours = urlsplit(settings.PHOTOWALL_BASE_URL).hostname or ""
    theirs = urlsplit(account.base_url).hostname or ""
    if _is_inside(theirs) or not _is_inside(ours):
        return ""
    return (
        f"“{account.name}” is at {theirs}, which cannot reach us at "
        f"{settings.PHOTOWALL_BASE_URL}."
    )


def _of_keys(keys: Sequence[str]) -> list[CheckMessage]:
    bad = [number for number, key in enumerate(keys, start=1) if not _is_key(key)]
    return [
        Error(
            f"Key {number} of PHOTOWALL_ENCRYPTION_KEY is no Fernet key.",
            hint="docs/reference/settings.md says how one is made.",
            id="photowall.E005",
        )
        for number in bad
    ]


def _is_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _is_inside(host: str) -> bool:
    """Whether the name or address leads nowhere for the rest of the world."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        inside = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
        name = host.lower().rstrip(".")
        return "." not in name or name.endswith(inside)
