"""The callback's POST: what is refused, what is kept, what makes a tag due."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connections
from django.test import Client

from subscriptions import inbox, keeping, trimming
from subscriptions.models import (
    Feed,
    Receipt,
    ReceiptState,
    State,
    Subscription,
)
from tests.subscriptions.upstream import (
    Upstream,
    a_subscription,
    notification,
    signed,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]


@pytest.fixture
def subscription(upstream: Upstream) -> Subscription:
    """Active, with nothing to read."""
    return a_subscription(done_seq=1)


def post(subscription: Subscription, body: bytes, **headers: str) -> Any:
    """What the provider gets."""
    return Client().post(
        f"/callbacks/{subscription.callback_id}/",
        body,
        content_type="application/json",
        headers=headers,
    )


def dirty(subscription: Subscription) -> int:
    return Feed.objects.get(pk=subscription.pk).dirty_seq


BODY = notification()
DIGEST = signed(BODY)["x-hub-signature"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature": ""},
        {"x-hub-signature": "0" * 40},
        {"x-hub-signature": signed(BODY, "another secret")["x-hub-signature"]},
        {"x-hub-signature": f"sha1={DIGEST}"},
        {"x-hub-signature": f"md5={DIGEST}"},
        {"x-hub-signature": DIGEST, "x-hub-signature-256": "sha256=" + "0" * 64},
        {"x-hub-signature": "Fête" + "\udcff"},
    ],
)
def test_what_is_not_signed_by_us_is_refused_and_not_kept(
    subscription: Subscription, headers: dict[str, str], rung: list[Any]
) -> None:
    outcome = inbox.accept(str(subscription.callback_id), headers, BODY)
    assert outcome.verdict == inbox.Verdict.REFUSED
    assert not Receipt.objects.exists()
    assert dirty(subscription) == 1
    assert post(subscription, BODY).status_code == 403
    assert rung == []
    # The same with the right signature is kept.
    assert post(subscription, BODY, **signed(BODY)).status_code == 200
    assert Receipt.objects.count() == 1
    assert rung == [("fetch_subscription", subscription.pk)]


def test_without_a_secret_nothing_is_accepted(subscription: Subscription) -> None:
    subscription.account.client_secret = ""
    subscription.account.save()
    assert post(subscription, BODY, **signed(BODY, "")).status_code == 403


def test_a_signature_over_other_bytes_is_refused(subscription: Subscription) -> None:
    assert post(subscription, BODY + b" ", **signed(BODY)).status_code == 403
    rewritten = json.dumps(json.loads(BODY), indent=1).encode()
    assert post(subscription, rewritten, **signed(BODY)).status_code == 403


def test_an_unknown_callback_says_nothing(subscription: Subscription) -> None:
    client = Client()
    ended = a_subscription("ended", State.ENDED, subscription.account)
    answers = [
        client.post(f"/callbacks/{path}/", BODY, content_type="application/json")
        for path in (uuid4(), "x", "0" * 500, ended.callback_id)
    ]
    answers += [client.get(f"/callbacks/{path}/") for path in (uuid4(), "x")]
    answers.append(client.get(f"/callbacks/{subscription.callback_id}/"))
    said = {(a.status_code, a.content, a["Content-Type"]) for a in answers}
    assert len(said) == 1
    assert answers[0].status_code == 404


@pytest.mark.parametrize("method", ["put", "delete", "patch", "head", "options"])
def test_other_methods_are_refused(subscription: Subscription, method: str) -> None:
    path = f"/callbacks/{subscription.callback_id}/"
    assert getattr(Client(), method)(path).status_code == 405


def test_a_body_over_a_mebibyte_is_refused(subscription: Subscription) -> None:
    body = b" " * (inbox.LARGEST + 1)
    assert post(subscription, body, **signed(body)).status_code == 413
    assert not Receipt.objects.exists()
    body = BODY + b" " * (inbox.LARGEST - len(BODY))
    assert post(subscription, body, **signed(body)).status_code == 200
    assert Receipt.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff\xfe\x00",
        b"{}",
        b"null",
        b"17",
        b"[1, 2]",
        b'[{"object": null}]',
        b"[" * 100_000,
        b'[{"object": "tag", "object_id": "nofilter"',
        b'[{"object": "\x00"}]',
    ],
)
def test_what_we_cannot_read_is_kept_and_may_mean_news(
    subscription: Subscription, body: bytes
) -> None:
    assert post(subscription, body, **signed(body)).status_code == 200
    receipt = Receipt.objects.get()
    assert (receipt.state, bytes(receipt.body)) == (ReceiptState.FAILED, body)
    assert receipt.reason
    assert dirty(subscription) == 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (notification("other"), "tag other"),
        (notification(object="user", object_id="17"), "user 17"),
        (notification(object_id=None, subscription_id=9), "tag"),
        (notification(object_id={"a": 1}, subscription_id=9), "tag"),
        (notification("x" * 5000), "tag"),
        (b"[]", "nothing"),
    ],
)
def test_what_is_about_something_else_is_kept_and_ignored(
    subscription: Subscription, body: bytes, reason: str
) -> None:
    assert post(subscription, body, **signed(body)).status_code == 200
    receipt = Receipt.objects.get()
    assert receipt.state == ReceiptState.IGNORED
    assert reason in receipt.reason
    assert dirty(subscription) == 1
    assert Feed.objects.get().last_heard_at is not None


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        notification("NoFilter"),
        notification(object_id=None),
        notification(time="soon", data=None, changed_aspect=7, subscription_id=0),
        json.dumps(json.loads(notification("other")) + json.loads(BODY)).encode(),
        json.dumps(json.loads(BODY)[0]).encode(),
    ],
)
def test_news_of_the_tag_makes_it_due(subscription: Subscription, body: bytes) -> None:
    assert not Feed.objects.due().exists()
    assert post(subscription, body, **signed(body)).status_code == 200
    assert Receipt.objects.get().state == ReceiptState.APPLIED
    assert Feed.objects.due().get().dirty_seq == 2


def test_a_repeat_is_one_receipt_and_yet_news(subscription: Subscription) -> None:
    for _ in range(3):
        assert post(subscription, BODY, **signed(BODY)).status_code == 200
    receipt = Receipt.objects.get()
    assert receipt.seen == 3
    assert receipt.last_seen_at > receipt.received_at
    assert dirty(subscription) == 4


def test_the_same_body_at_once_is_one_receipt(subscription: Subscription) -> None:
    barrier = threading.Barrier(6)
    answers = []

    def send() -> None:
        barrier.wait()
        answers.append(post(subscription, BODY, **signed(BODY)).status_code)
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 6
    assert Receipt.objects.get().seen == 6
    assert dirty(subscription) == 7


@pytest.mark.parametrize(
    ("state", "kept_as"),
    [
        (State.REQUESTED, ReceiptState.APPLIED),
        (State.VERIFYING, ReceiptState.APPLIED),
        (State.PAUSED, ReceiptState.APPLIED),
        (State.SUSPENDED, ReceiptState.APPLIED),
        (State.FAILED, ReceiptState.APPLIED),
        (State.ENDING, ReceiptState.IGNORED),
    ],
)
def test_a_subscription_that_is_not_active_hears_but_is_not_read(
    upstream: Upstream, state: State, kept_as: ReceiptState
) -> None:
    subscription = a_subscription(state=state, done_seq=1)
    assert post(subscription, BODY, **signed(BODY)).status_code == 200
    assert Receipt.objects.get().state == kept_as
    assert not Feed.objects.due().exists()


def test_headers_are_kept_without_signature_and_control_characters(
    subscription: Subscription,
) -> None:
    headers = {
        **signed(BODY),
        "user-agent": "Python\x00-urllib\x1b/2.7 client_secret=abc " + "x" * 9000,
        "cookie": "a=b",
    }
    inbox.accept(str(subscription.callback_id), headers, BODY)
    kept = Receipt.objects.get().headers
    assert list(kept) == ["user-agent"]
    assert kept["user-agent"].startswith("Python-urllib/2.7 client_secret=… xx")
    assert len(kept["user-agent"]) <= 300


def test_while_the_database_is_away_the_provider_is_told_to_come_back(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch, rung: list[Any]
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(keeping, "keep", away)
    response = post(subscription, BODY, **signed(BODY))
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert rung == []
    monkeypatch.undo()
    assert post(subscription, BODY, **signed(BODY)).status_code == 200


def test_a_kept_receipt_can_be_read_again(subscription: Subscription) -> None:
    body = notification("nofilter2")
    post(subscription, body, **signed(body))
    receipt = Receipt.objects.get()
    assert inbox.process(receipt.pk) is None
    Subscription.objects.update(tag="nofilter2")
    assert inbox.process(receipt.pk) == subscription.pk
    receipt.refresh_from_db()
    assert receipt.state == ReceiptState.APPLIED
    assert dirty(subscription) == 2


def test_receipts_are_trimmed_by_age_and_number(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        body = notification(time=number)
        post(subscription, body, **signed(body))
    first, *rest = Receipt.objects.order_by("pk")
    first.received_at = datetime.now(UTC) - timedelta(days=8)
    first.save()
    assert trimming.trim() == 1
    assert Receipt.objects.count() == 5
    monkeypatch.setattr(trimming, "KEPT_AT_MOST", 3)
    assert trimming.trim() == 2
    assert list(Receipt.objects.order_by("pk")) == rest[2:]
    assert trimming.trim() == 0
