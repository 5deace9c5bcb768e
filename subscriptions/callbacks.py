"""Callback addresses: where a provider reaches us, and whose one is."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.urls import reverse

from subscriptions.models import Subscription


def callback_url(subscription: Subscription) -> str:
    """Where the provider reaches us, absolute."""
    path = reverse("callback", args=[subscription.callback_id])
    return f"{settings.PHOTOWALL_BASE_URL}{path}"


def by_callback(callback_id: str) -> Subscription | None:
    """The subscription behind a callback's path, with its account."""
    uuid = _uuid(callback_id)
    if uuid is None:
        return None
    rows = Subscription.objects.select_related("account")
    return rows.filter(callback_id=uuid).first()


def our_callback_id(address: str) -> UUID | None:
    """The id in a callback address of ours; ``None`` for all other addresses."""
    before, _, after = reverse("callback", args=["-"]).partition("-")
    start = f"{settings.PHOTOWALL_BASE_URL}{before}"
    if not (address.startswith(start) and address.endswith(after)):
        return None
    text = address[len(start) : len(address) - len(after)]
    uuid = _uuid(text)
    return uuid if str(uuid) == text else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
