"""Subscriptions in any state, and people and workers who come at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections

from media_archive.errors import PhotowallError
from subscriptions.models import State, Subscription
from tests.subscriptions.upstream import a_subscription


def raising(error: BaseException) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


def in_state(state: State, **changes: Any) -> Subscription:
    subscription = a_subscription(state=state)
    Subscription.objects.filter(pk=subscription.pk).update(**changes)
    subscription.refresh_from_db()
    return subscription


def all_at_once(count: int, work: Callable[[], object]) -> list[object]:
    """What ``work`` returned or raised in ``count`` threads that start together."""
    barrier = threading.Barrier(count)
    results: list[object] = []

    def run() -> None:
        barrier.wait()
        try:
            results.append(work())
        except PhotowallError as error:
            results.append(type(error))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
