"""Receipts in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client

from subscriptions.models import (
    Receipt,
    ReceiptState,
)
from tests.subscriptions.upstream import (
    a_subscription,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(ada: User) -> Client:
    """Ada's browser, signed in."""
    client = Client()
    client.force_login(ada)
    return client


def told(response: Any) -> str:
    return " | ".join(str(message) for message in get_messages(response.wsgi_request))


def test_receipts_are_read_only_and_can_be_replayed(
    desk: Client, rung: list[Any]
) -> None:
    subscription = a_subscription(done_seq=1)
    bodies = [
        b'[{"object": "tag", "object_id": "nofilter"}]',
        b"\xff<script>",
        b"[" * 9999,
    ]
    receipts = [
        Receipt.objects.create(
            subscription=subscription,
            body=body,
            body_sha256=str(number),
            state=ReceiptState.FAILED,
        )
        for number, body in enumerate(bodies)
    ]
    path = "/admin/subscriptions/receipt/"
    assert desk.get(path).status_code == 200
    pages = [desk.get(f"{path}{r.pk}/change/").content.decode() for r in receipts]
    assert "&quot;object_id&quot;: &quot;nofilter&quot;" in pages[0]
    assert "\\xff&lt;script&gt;" in pages[1]
    assert desk.get(f"{path}add/").status_code == 403
    assert desk.post(f"{path}{receipts[0].pk}/change/", {}).status_code == 403
    response = desk.post(
        path, {"action": "replay", "_selected_action": [receipts[0].pk]}
    )
    assert "1 read again; 1 tag is fetched now." in told(response)
    receipts[0].refresh_from_db()
    assert receipts[0].state == ReceiptState.APPLIED
    assert rung == [("fetch_subscription", subscription.pk)]
