"""Connections of the door that PostgreSQL cuts (SQLite has none to cut)."""

from __future__ import annotations

import pytest
from django.db import connection

from subscriptions import group_commit
from subscriptions.callback_door import CallbackDoor
from subscriptions.models import Receipt
from tests.subscriptions.knocking import ask, good
from tests.subscriptions.upstream import Upstream, a_subscription, notification

CUT = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_cut_is_made_anew(
    upstream: Upstream, door: CallbackDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connection.vendor == "postgresql"
    subscription = a_subscription(done_seq=1)
    monkeypatch.setattr(group_commit, "FRESH", 0.0)
    for number in range(3):
        assert ask(good(subscription, notification(time=number))).status == 200
        with connection.cursor() as cursor:
            cursor.execute(CUT)
            assert cursor.fetchone() == (2,), "who looks up, and who writes"
    assert Receipt.objects.count() == 3
