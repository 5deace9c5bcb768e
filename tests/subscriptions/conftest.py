"""The pretend provider in place of Instagram, and bells that are only noted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from photowall import asgi
from photowall.bell import BellTask
from subscriptions import providers
from subscriptions.callback_door import CallbackDoor
from subscriptions.providers.instagram_v1 import provider as real
from tests.subscriptions.upstream import KEY, PretendProvider, Upstream


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Upstream:
    """The provider's side."""
    PretendProvider.upstream = Upstream()
    path = f"{PretendProvider.__module__}.PretendProvider"
    monkeypatch.setitem(providers.REGISTRY, KEY, path)
    return PretendProvider.upstream


@pytest.fixture
def instagram(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real provider, for exchanges with a stand-in server."""
    path = f"{real.__name__}.InstagramV1"
    monkeypatch.setitem(providers.REGISTRY, KEY, path)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """(task, first argument) of every bell; nothing reaches a broker."""
    bells: list[tuple[str, Any]] = []

    def note(self: BellTask, args: tuple[Any, ...], *_: Any, **__: Any) -> None:
        bells.append((self.name.rpartition(".")[2], args[0] if args else None))

    monkeypatch.setattr(BellTask, "apply_async", note)
    monkeypatch.setattr("photowall.bell._silent_until", 0.0)
    return bells


@pytest.fixture
def door(rung: list[tuple[str, Any]]) -> Iterator[CallbackDoor]:
    """The door of the application, with its connections given back afterwards."""
    yield asgi.callback_door
    asgi.callback_door.rest()
