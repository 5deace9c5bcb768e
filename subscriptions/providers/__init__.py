"""The registry of providers: one line each. A key is stored with rows, so it stays."""

from __future__ import annotations

from django.utils.module_loading import import_string

from subscriptions.providers.base import Provider

REGISTRY = {
    "instagram_v1": "subscriptions.providers.instagram_v1.provider.InstagramV1",
}


def get_provider(key: str) -> Provider:
    """The provider behind ``key``. Raises ``KeyError`` for a key nobody registered."""
    provider: Provider = import_string(REGISTRY[key])()
    return provider
