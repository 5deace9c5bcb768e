"""Envelopes, errors and cursors, whole and broken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from subscriptions.providers.base import Quota
from subscriptions.providers.instagram_v1.wire import envelope, pages


def test_broken_numbers_and_bytes_do_not_take_the_page_along() -> None:
    body = (
        b'\xef\xbb\xbf{"meta":{"code":200},"data":[{"id":"1","likes":{"count":NaN}},'
        b'{"id":"2","likes":{"count":1e999}},{"id":"3","likes":{"count":'
        + b"9" * 9_000
        + b'}},{"id":"4","caption":{"text":"\xff\xfe"}},'
        b'{"id":"5","likes":{"count":8}}]}'
    )  # fmt: skip
    document = envelope.decode(body)
    page = pages.parse_page(document)
    assert [item.native_id for item in page.media] == ["1", "2", "3", "4", "5"]
    assert [item.likes for item in page.media] == [None, None, None, None, 8]
    assert page.media[3].caption == "\ufffd\ufffd"
    # What was read can be written into a JSON column again.
    assert json.loads(json.dumps(document, allow_nan=False)) == document


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"<html><body>502 Bad Gateway</body></html>", b"{",
        b'{"data":[{"id":"1"}', b"\x00\x01", b"\xff\xfe",
        b"[" * 200_000, b'{"a":' * 200_000,
    ],
)  # fmt: skip
def test_what_is_no_json_is_not_our_format(body: bytes) -> None:
    with pytest.raises(envelope.NotOurFormat):
        envelope.decode(body)


@pytest.mark.parametrize(
    "document",
    [None, 5, "x", [], {}, {"meta": {"code": 200}}, {"data": "x"}, {"data": 5}],
)
def test_another_envelope_is_not_our_format(document: Any) -> None:
    with pytest.raises(envelope.NotOurFormat):
        pages.parse_page(document)
    assert pages.parse_page({"data": None}).media == ()


def test_what_no_page_can_be_is_not_read() -> None:
    entries = [{"id": str(number)} for number in range(pages.MAX_ENTRIES + 1)]
    with pytest.raises(envelope.NotOurFormat, match="more than 2000"):
        pages.parse_page({"data": entries})
    assert len(pages.parse_page({"data": entries[1:]}).media) == pages.MAX_ENTRIES


@pytest.mark.parametrize(
    ("said", "cursors"),
    [
        ({}, (None, None)),
        (None, (None, None)),
        ("x", (None, None)),
        ({"min_tag_id": "1", "next_min_id": "2"}, ("1", None)),
        ({"next_min_id": "2"}, ("2", None)),
        ({"min_tag_id": "", "next_min_id": ""}, (None, None)),
        ({"min_tag_id": "", "next_min_id": "2"}, ("2", None)),
        ({"next_max_tag_id": "3", "next_max_id": "4"}, (None, "3")),
        ({"next_max_id": 3382522}, (None, "3382522")),
        ({"next_max_tag_id": "AQBq-_x=="}, (None, "AQBq-_x==")),
        ({"next_url": "https://a.b/v1/x?max_tag_id=5&access_token=T"}, (None, "5")),
        ({"next": "https://a.b/v1/x?max_id=6"}, (None, "6")),
        ({"next_url": "https://a.b/v1/x?count=6"}, (None, None)),
        ({"next_url": "http://[::1"}, (None, None)),
        ({"next_url": 5}, (None, None)),
        ({"next_max_id": True}, (None, None)),
        ({"next_max_id": "a b"}, (None, None)),
        ({"next_max_id": "x" * 513}, (None, None)),
        ({"next_max_id": "\x00"}, (None, None)),
        ({"next_max_id": {"x": 1}, "min_tag_id": ["x"]}, (None, None)),
        ({"next_max_like_id": "9", "next_cursor": "9"}, (None, None)),
    ],
)
def test_cursors_in_every_shape(said: Any, cursors: tuple[Any, Any]) -> None:
    assert pages.parse_cursors({"data": [], "pagination": said}) == cursors
    assert pages.parse_cursors({"data": [], "paging": said}) == cursors


def test_an_error_is_read_through_any_gateway() -> None:
    limited = {"code": 429, "error_type": "OAuthRateLimitException"}
    for status, document, code in [
        (200, {"meta": limited}, 429),
        (200, limited, 429),
        (400, {"meta": {"code": 420}}, 420),
        (503, None, 503),
        (502, [], 502),
        (500, {"meta": {"code": 200}, "data": []}, 500),
        (302, None, 302),
        (200, {"meta": {"error_type": "APIError"}}, 500),
        (400, {"meta": {"error_type": "APIError"}}, 400),
        (404, {"meta": {"code": "many"}}, 404),
        (400, {"meta": {"code": 10**400}}, 400),
    ]:
        error = envelope.error_in(status, document)
        assert error is not None, document
        assert error.code == code, document
    for document in (None, [], {}, {"meta": None}, {"meta": {"code": "200"}}):
        assert envelope.error_in(200, document) is None


@pytest.mark.parametrize(
    "said",
    [
        "Bad callback https://a.b/c?access_token=hunter2&x=1",
        "client_secret=hunter2",
        "https://a.b/?client_id=hunter2#x",
        "sig: hunter2, and more",
        '{"verify_token": "hunter2"}',
        "hub.verify_token=hunter2",
        "https://x.y/?u=https%3A%2F%2Fa.b%3Faccess_token%3Dhunter2%26x",
        "ACCESS_TOKEN=hunter2",
    ],
)
def test_secrets_in_upstream_texts_are_blanked(said: str) -> None:
    shown = envelope.shown(said)
    assert "hunter2" not in shown
    assert "…" in shown
    assert envelope.shown('Invalid "client_id" and so on') == (
        'Invalid "client_id" and so on'
    )


def test_upstream_texts_are_short_and_without_control_characters() -> None:
    assert envelope.shown("a\x00b\r\nc\u202ed\ud800e\x1b[31m") == "a b  c d e [31m"
    assert len(envelope.shown("x" * 10**6)) == 300
    odds: list[Any] = [None, 5, [], {}, b"x"]
    for odd in odds:
        assert envelope.shown(odd) == ""


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        ({}, Quota()),
        (
            {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4999"},
            Quota(5000, 4999),
        ),
        ({"x-ratelimit-remaining": "0"}, Quota(None, 0)),
        ({"x-ratelimit-limit": str(2**31)}, Quota()),
        ({"x-ratelimit-limit": str(2**31 - 1)}, Quota(2**31 - 1, None)),
        ({"x-ratelimit-limit": "many", "x-ratelimit-remaining": "-1"}, Quota()),
    ],
)
def test_the_budget_is_read_from_the_headers(
    headers: dict[str, str], quota: Quota
) -> None:
    assert envelope.quota_in(headers) == quota


def test_answers_are_ascii() -> None:
    document = envelope.render_envelope(["狐 <script> \ud83d"], {})
    body = envelope.encode(document)
    assert body.isascii()
    assert b"\\u72d0" in body
    assert envelope.decode(body) == document


def test_pagination_is_never_null_and_the_last_page_has_no_way_on() -> None:
    assert envelope.render_envelope([], {})["pagination"] == {}
    assert "pagination" not in envelope.render_envelope({})
    assert pages.render_list_pagination(None, "http://a.b/") == {}
    assert pages.render_list_pagination("5", "http://a.b/") == {
        "next_max_id": "5",
        "next_url": "http://a.b/",
    }
    last = pages.render_tag_pagination("9", None, "http://a.b/")
    assert set(last) == {"deprecation_warning", "next_min_id", "min_tag_id"}


def test_next_url_keeps_what_was_asked_and_replaces_the_cursor() -> None:
    query = [("count", "3"), ("callback", "a.b"), ("max_tag_id", "8"), ("sig", "ü &")]
    assert pages.render_next_url("http://h:1/v1/tags/x/media/recent", query, "7") == (
        "http://h:1/v1/tags/x/media/recent?count=3&callback=a.b&sig=%C3%BC+%26&max_tag_id=7"
    )
