"""``/readyz`` when the disk is full."""

from __future__ import annotations

import pytest
from django.test import Client

from media_archive import disk_space
from photowall import health

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("full", "broker", "state"),
    [
        (True, True, "degraded"),
        (False, False, "degraded"),
        (False, True, "ready"),
    ],
)
def test_no_room_is_told_and_loses_no_requests(
    full: bool,
    broker: bool,
    state: str,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(disk_space, "is_full", lambda: full)
    monkeypatch.setattr(health, "_broker_answers", lambda: broker)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    said = answer.json()
    assert (said["state"], said["room"]) == (state, not full)
    assert (said["broker"], said["database"]) == (broker, True)
