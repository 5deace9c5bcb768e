"""The published and recorded signature vectors, and the challenge."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from subscriptions.providers.instagram_v1.wire import notifications, signatures
from subscriptions.providers.instagram_v1.wire.notifications import Challenge
from subscriptions.providers.instagram_v1.wire.signatures import BadSignature
from tests.providers import instagram_v1_documents as documents

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    documents.body("signature_vectors.json")
)
BODIES = VECTORS["x_hub_signature_hmac_sha1_hex_no_prefix_over_raw_body"]
REQUESTS = VECTORS["sig_param_hmac_sha256_hex"]
FORWARDED = VECTORS["x_insta_forwarded_for_hmac_sha256_hex"]


@pytest.mark.parametrize("vector", BODIES, ids=lambda vector: vector["body_file"])
def test_bodies(vector: dict[str, Any]) -> None:
    body = documents.body(vector["body_file"])
    assert hashlib.sha256(body).hexdigest() == vector["body_sha256"]
    secret = vector["client_secret"]
    name, value = vector["header"].split(": ")
    assert signatures.sign_body(secret, body) == value
    signatures.verify_body({name.lower(): value}, body, [secret])
    with pytest.raises(BadSignature):
        signatures.verify_body({name.lower(): value}, body, [secret + "x"])


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda vector: vector["endpoint"])
def test_requests(vector: dict[str, Any]) -> None:
    secret, endpoint, params = vector["secret"], vector["endpoint"], vector["params"]
    sig = vector["sig"]
    assert signatures.sign_request(secret, endpoint, params) == sig
    assert signatures.sign_request(secret, endpoint, params | {"sig": "x"}) == sig
    assert signatures.verify_request(secret, ["/x", endpoint], params, ["bad", sig])
    assert not signatures.verify_request(secret, ["/x"], params, [sig])
    assert not signatures.verify_request(secret, [endpoint], params, ["bad", "ü"])
    assert not signatures.verify_request(secret, [endpoint], params, [])
    assert not signatures.verify_request("other", [endpoint], params, [sig])
    empty = signatures.sign_request("", endpoint, params)
    assert not signatures.verify_request("", [endpoint], params, [empty])


@pytest.mark.parametrize("vector", FORWARDED, ids=lambda vector: vector["ips"])
def test_forwarded_addresses(vector: dict[str, Any]) -> None:
    value = vector["header"].split(": ")[1]
    addresses = vector["ips"].split(",")
    secret = vector["secret"]
    assert signatures.sign_forwarded_for(secret, addresses) == value
    assert signatures.verify_forwarded_for(secret, value) == tuple(addresses)
    digest = value.partition("|")[2]
    for odd in ("", "|", digest, "|" + digest, "9" + value, value + "0", "ü|\ud800"):
        assert signatures.verify_forwarded_for(secret, odd) is None
    assert signatures.verify_forwarded_for("", value) is None


def test_the_stronger_header_decides_alone() -> None:
    body, secret = b"[]", "s3cret"
    weak = signatures.sign_body(secret, body)
    strong = hmac.new(secret.encode(), body, "sha256").hexdigest()
    good = {"x-hub-signature": "0" * 40, "x-hub-signature-256": f"sha256={strong}"}
    signatures.verify_body(good, body, [secret])
    for value in ("", strong, "sha256=", f"sha1={weak}", f"sha512={strong}", weak):
        headers = {"x-hub-signature": weak, "x-hub-signature-256": value}
        with pytest.raises(BadSignature):
            signatures.verify_body(headers, body, [secret])
    signatures.verify_body({"x-hub-signature": weak}, body, [secret])


QUERY = {
    "hub.mode": "subscribe",
    "hub.challenge": "15f7d1a91c1f40f8a748fd134752feb3",
    "hub.verify_token": "tok-7f3a",
}


def test_a_challenge_is_read() -> None:
    text = QUERY["hub.challenge"]
    assert notifications.parse_challenge(QUERY) == Challenge(text, "tok-7f3a")
    without = {key: QUERY[key] for key in ("hub.mode", "hub.challenge")}
    assert notifications.parse_challenge(without) == Challenge(text, None)


@pytest.mark.parametrize(
    "change",
    [
        {"hub.mode": "unsubscribe"},
        {"hub.mode": ""},
        {"hub.challenge": ""},
        {"hub.challenge": "<script>"},
        {"hub.challenge": "a b"},
        {"hub.challenge": "abc\n"},
        {"hub.challenge": "\u0661"},
        {"hub.challenge": "a" * 129},
    ],
)
def test_other_challenges_are_not_echoed(change: dict[str, str]) -> None:
    assert notifications.parse_challenge(QUERY | change) is None
    assert notifications.parse_challenge({}) is None
    assert notifications.parse_challenge(QUERY | {"hub.challenge": "a" * 128})


def test_the_challenge_keeps_the_query_of_the_callback() -> None:
    challenge = Challenge("abc", "to&ken")
    asked = notifications.render_challenge_url("https://a.b/c?x=1#f", challenge)
    assert asked == (
        "https://a.b/c?x=1&hub.mode=subscribe&hub.challenge=abc&hub.verify_token=to%26ken"
    )
    plain = notifications.render_challenge_url("http://a.b/c", Challenge("abc"))
    assert plain == "http://a.b/c?hub.mode=subscribe&hub.challenge=abc"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"[]", []),
        (b'{"object":"tag","object_id":"fox"}', [("fox", None)]),
        (
            b'[{"object_id":17,"subscription_id":5,"object":"location"}]',
            [("17", "5")],
        ),
        (
            b'[{"object":"tag","object_id":"a_b","subscription_id":"6"}]',
            [("a_b", "6")],
        ),
        (b'[{"object":"user","subscription_id":0,"data":null}]', [(None, None)]),
        (
            b'[5,null,{"object":""},{"object":"tag","object_id":"\\u0000x","time":"y"}]',
            [("x", None)],
        ),
    ],
)
def test_notifications_in_every_shape(body: bytes, expected: list[Any]) -> None:
    found = notifications.parse_notifications(body)
    assert [(each.object_id, each.subscription_id) for each in found] == expected
