"""Each refusal of the callback, through the whole application, and beside each the
request that is taken: so it was the one thing wrong that was refused."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from typing import Any
from uuid import uuid4

import pytest
from django.core.asgi import get_asgi_application

from subscriptions import group_commit, inbox
from subscriptions.callback_door import CallbackDoor
from subscriptions.models import Feed, Receipt, ReceiptState, State, Subscription
from tests.subscriptions.knocking import Knock, ask, good, raw, to
from tests.subscriptions.upstream import (
    SECRET,
    Upstream,
    a_subscription,
    notification,
    signed,
)

pytestmark = pytest.mark.django_db(transaction=True)

BODY = notification()
SHA1 = signed(BODY)["x-hub-signature"]
SHA256 = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
WEAKER, STRONGER = b"x-hub-signature", b"x-hub-signature-256"
TOO_MUCH = inbox.LARGEST + 1


@pytest.fixture
def subscription(upstream: Upstream, door: CallbackDoor) -> Subscription:
    """Active, with nothing to read."""
    return a_subscription(done_seq=1)


def assert_nothing_kept() -> None:
    assert not Receipt.objects.exists()
    feed = Feed.objects.get()
    assert (feed.dirty_seq, feed.heard_seq, feed.last_heard_at) == (1, 0, None)


def assert_taken(subscription: Subscription, body: bytes = BODY) -> None:
    """The positive control: the good request is kept and marks the tag."""
    before = Receipt.objects.count()
    answer = ask(good(subscription, body))
    assert (answer.status, answer.body) == (200, b"ok")
    assert Receipt.objects.count() == before + 1
    feed = Feed.objects.get()
    assert feed.heard_seq == feed.dirty_seq > 1


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="no header"),
        pytest.param([(WEAKER, b"")], id="empty"),
        pytest.param([(WEAKER, b" ")], id="a blank"),
        pytest.param([(WEAKER, b"0" * 40)], id="wrong digest"),
        pytest.param([(WEAKER, SHA1[:-1].encode())], id="cut off"),
        pytest.param([(WEAKER, SHA1.upper().encode())], id="upper case"),
        pytest.param([(WEAKER, b"sha1=" + SHA1.encode())], id="another form"),
        pytest.param([(WEAKER, b"md5=" + SHA1[:32].encode())], id="md5"),
        pytest.param([(WEAKER, b"sha512=" + b"0" * 128)], id="unknown algorithm"),
        pytest.param([(WEAKER, SHA256.encode())], id="stronger in the weaker's place"),
        pytest.param([(WEAKER, SHA1.encode()), (STRONGER, b"")], id="stronger empty"),
        pytest.param(
            [(WEAKER, SHA1.encode()), (STRONGER, b"sha256=" + b"0" * 64)],
            id="stronger wrong",
        ),
        pytest.param(
            [(WEAKER, SHA1.encode()), (STRONGER, b"sha999=" + SHA256.encode())],
            id="stronger unknown",
        ),
        pytest.param([(WEAKER, SHA1.encode())] * 2, id="said twice"),
        pytest.param(
            [(WEAKER, b"0" * 40), (WEAKER, SHA1.encode())], id="wrong, then right"
        ),
        pytest.param([(WEAKER, SHA1.encode() + b"\xff")], id="not ASCII"),
        pytest.param([(WEAKER, "٣".encode() * 20)], id="other digits"),
        pytest.param([(WEAKER, b"\x00" * 40)], id="NUL"),
        pytest.param([(b"x_hub_signature", SHA1.encode())], id="another name"),
        pytest.param(raw(signed(BODY, "another secret")), id="signed by somebody else"),
    ],
)
def test_a_wrong_signature_is_refused(
    subscription: Subscription, headers: Any, rung: list[Any], door: CallbackDoor
) -> None:
    answer = ask(to(subscription, BODY, *headers))
    assert answer.status == 403
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert_nothing_kept()
    assert_taken(subscription)
    door.rest()
    assert rung == [("fetch_subscription", subscription.pk)]


def test_the_stronger_signature_decides(subscription: Subscription) -> None:
    right = (STRONGER, b"sha256=" + SHA256.encode())
    assert ask(to(subscription, BODY, (WEAKER, b"0" * 40), right)).status == 200
    assert Receipt.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        BODY + b" ",
        b"\xef\xbb\xbf" + BODY,
        json.dumps(json.loads(BODY), indent=1).encode(),
    ],
)
def test_a_signature_over_other_bytes_is_refused(
    subscription: Subscription, body: bytes
) -> None:
    assert body != BODY
    assert ask(to(subscription, body, *raw(signed(BODY)))).status == 403
    assert_nothing_kept()
    assert_taken(subscription, body)


@pytest.mark.parametrize("key", ["", SECRET])
def test_without_a_secret_of_ours_nothing_is_accepted(
    subscription: Subscription, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "FRESH", 0.0)
    account = subscription.account
    account.client_secret = ""
    account.save()
    asked = to(subscription, BODY, *raw(signed(BODY, key)))
    assert ask(asked).status == 403
    assert_nothing_kept()
    account.client_secret = SECRET
    account.save()
    assert_taken(subscription)


def test_a_secret_that_was_changed_counts_within_a_second(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "FRESH", 1_000.0)
    assert_taken(subscription)
    account = subscription.account
    account.client_secret = "another secret"
    account.save()
    # It is believed for a while; that is what makes the door fast.
    assert_taken(subscription, notification(time=1))
    monkeypatch.setattr(group_commit, "FRESH", 0.0)
    late = notification(time=2)
    assert ask(good(subscription, late)).status == 403
    answer = ask(to(subscription, late, *raw(signed(late, "another secret"))))
    assert answer.status == 200


def test_an_ended_subscription_is_gone_within_a_second(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_taken(subscription)
    Subscription.objects.update(state=State.ENDED)
    monkeypatch.setattr(group_commit, "FRESH", 0.0)
    assert ask(good(subscription, BODY)).status == 404


def test_all_that_is_unknown_looks_alike(subscription: Subscription) -> None:
    draft = a_subscription("draft", State.DRAFT, subscription.account)
    ended = a_subscription("ended", State.ENDED, subscription.account)
    headers = raw(signed(BODY))
    names = (uuid4(), draft.callback_id, ended.callback_id, "x", "0" * 500)
    odd = ("\x00", "é", "..", "%2e", "'; DROP TABLE", "1" * 32 + "z", "{}")
    said = {
        ask(Knock(f"/callbacks/{name}/", pieces, headers)).all_of_it
        for name in (*names, *odd)
        for pieces in ([BODY], [b" " * TOO_MUCH])
    }
    assert [each[0] for each in said] == [404]
    assert not Receipt.objects.exists()
    Subscription.objects.filter(pk__in=[draft.pk, ended.pk]).delete()
    assert_taken(subscription)


@pytest.mark.parametrize(
    ("pieces", "length"),
    [
        pytest.param([b" " * TOO_MUCH], None, id="in one piece, no length"),
        pytest.param([b" " * 65_536] * 17, None, id="in chunks, no length"),
        pytest.param([b" " * TOO_MUCH], TOO_MUCH, id="with its length"),
        pytest.param([b" " * 65_536] * 17, 5, id="with another length"),
        pytest.param([b"[]"], TOO_MUCH, id="too much announced"),
        pytest.param([b"[]"], 10**19, id="far too much announced"),
    ],
)
def test_a_body_over_a_mebibyte_is_refused(
    subscription: Subscription, pieces: list[bytes], length: int | None
) -> None:
    body = b"".join(pieces)
    headers = list(raw(signed(body)))
    if length is not None:
        headers.append((b"content-length", b"%d" % length))
    assert ask(to(subscription, body, *headers, pieces=pieces)).status == 413
    assert_nothing_kept()
    full = BODY + b" " * (inbox.LARGEST - len(BODY))
    assert_taken(subscription, full)
    cut = [full[i : i + 65_536] for i in range(0, len(full), 65_536)]
    assert ask(good(subscription, full, pieces=[*cut, b""])).status == 200
    assert Receipt.objects.get().seen == 2


@pytest.mark.parametrize("pieces", [[], [b""], [BODY[:20]], [BODY[:20], BODY[20:]]])
def test_a_body_that_breaks_off_is_not_kept(
    subscription: Subscription, pieces: list[bytes]
) -> None:
    body = b"".join(pieces)
    asked = good(subscription, body, pieces=pieces, breaks_off=True)
    assert ask(asked).status == 400
    assert_nothing_kept()
    assert_taken(subscription)


NONSENSE = [
    b"",
    b"\x00",
    b"\x00" * 100_000,
    b"\xff\xfe\xfd" * 1000,
    bytes(range(256)) * 64,
    b"[" * 500_000,
    b"{" * 500_000,
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    b'[{"object":"tag","object_id":"nofilter\x00"}]',
    b'[{"object":"tag","object_id":"nofilter\\u0000","time":"\\u0000"}]',
    b'[{"object":"tag","object_id":"\\ud800"}]',
    b'[{"object":"\\udfff\\ud800"}]',
    b'[{"object":"tag","object_id":' + b"9" * 500_000 + b"}]",
    b'[{"object":"tag","time":1e999999,"subscription_id":-1e400}]',
    b'[{"object":"tag","object_id":NaN,"time":-Infinity}]',
    b'[{"object":"tag","object_id":"x"}' + b',{"object":"tag"}' * 50_000 + b"]",
    b'{"object":{"object":["tag"]},"object_id":[[]],"data":true}',
    b'[{"object":"<script>alert(1)</script>","object_id":"\xe2\x80\xae"}]',
    '[{"object":"tag","object_id":"\uff2eo\ufb01lter"}]'.encode(),
    b"%s%n%d" * 1000,
]


@pytest.mark.also_on_sqlite
@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: repr(body[:24]))
def test_nonsense_is_kept_if_signed_and_never_an_error(
    subscription: Subscription, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert ask(to(subscription, body)).status == 403
    assert_nothing_kept()
    began = time.monotonic()
    assert ask(good(subscription, body)).status == 200
    assert time.monotonic() - began < 3
    assert bytes(Receipt.objects.get().body) == body
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "headers",
    [
        [(b"user-agent", b"\xff\xfe\x00\x1b[31m")],
        [(b"user-agent", b"x" * 60_000)],
        [(b"user-agent", b"a"), (b"user-agent", b"b")],
        [(b"content-length", b"-1")],
        [(b"content-length", b"\xb2")],
        [(b"content-length", b"9" * 5000 + b"x")],
        [(b"content-type", b"multipart/form-data; boundary=\x00")],
        [(b"content-type", b"\xff" * 200)],
        [(b"date", b"client_secret=hunter2")],
        [(b"\xff\x00", b"\xff"), (b"", b"")],
        [(b"transfer-encoding", b"chunked")],
        [(b"x-http-method-override", b"DELETE")],
        [(b"cookie", b"sessionid=\xff"), (b"authorization", b"Token \xff")],
    ],
)
def test_odd_headers_are_no_error(subscription: Subscription, headers: Any) -> None:
    assert ask(to(subscription, BODY, *headers)).status == 403
    assert_nothing_kept()
    asked = to(subscription, BODY, *raw(signed(BODY)), *headers)
    assert ask(asked).status == 200
    kept = Receipt.objects.get().headers
    assert all(value.isprintable() and len(value) <= 300 for value in kept.values())
    assert "hunter2" not in json.dumps(kept)


@pytest.mark.parametrize("host", [b"", b"evil.example", b"\xff", b"localhost:x"])
def test_another_host_is_refused(subscription: Subscription, host: bytes) -> None:
    assert ask(good(subscription, BODY, host=host)).status == 400
    assert_nothing_kept()
    assert ask(good(subscription, BODY, host=b"localhost:8000")).status == 200


def test_where_https_is_asked_for_nothing_else_is_taken(
    subscription: Subscription, settings: Any
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    door = CallbackDoor(get_asgi_application())  # Django's part reads it only once
    believed = (b"x-forwarded-proto", b"https")
    clear = (b"x-forwarded-proto", b"http")
    headers = raw(signed(BODY))
    answer = ask(to(subscription, BODY, *headers), door)
    assert answer.status == 301
    assert answer.headers["location"].startswith("https://localhost/callbacks/")
    # Whoever only says so is not believed, unless a proxy is known to say it.
    assert ask(to(subscription, BODY, *headers, believed), door).status == 301
    assert_nothing_kept()
    assert ask(to(subscription, BODY, *headers, scheme="https"), door).status == 200
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert ask(to(subscription, BODY, *headers, believed), door).status == 200
    assert ask(to(subscription, BODY, *headers, scheme="https"), door).status == 200
    asked = to(subscription, BODY, *headers, clear, scheme="https")
    assert ask(asked, door).status == 301
    assert Receipt.objects.get().seen == 3
    door.rest()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "X"])
def test_other_methods_are_refused(subscription: Subscription, method: str) -> None:
    assert ask(good(subscription, BODY, method=method)).status == 405
    assert_nothing_kept()
    assert_taken(subscription)


@pytest.mark.parametrize(
    ("method", "status"), [("GET", 404), ("PUT", 405), ("HEAD", 405)]
)
def test_no_method_is_overridden(
    subscription: Subscription, method: str, status: int
) -> None:
    override = (b"x-http-method-override", b"POST"), (b"x-method-override", b"POST")
    asked = to(
        subscription,
        BODY,
        *raw(signed(BODY)),
        *override,
        method=method,
        query=b"_method=POST",
    )
    assert ask(asked).status == status
    assert_nothing_kept()
    assert_taken(subscription)


def test_a_refused_post_tells_no_secret_to_the_log(
    subscription: Subscription, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = raw({"x-hub-signature": SHA1[::-1]})
    ask(to(subscription, BODY, *wrong, query=b"access_token=hunter2"))
    ask(good(subscription, BODY))
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("asyncio")]
    assert not [line for line in ours if SHA1 in line or "hunter2" in line]
    assert Receipt.objects.get().state == ReceiptState.APPLIED
