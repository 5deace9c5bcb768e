"""Conditions and ranges, as RFC 9110 has them."""

from __future__ import annotations

import time

import pytest

from media_archive.handing_out.answers import Shown, answer_to, sent_on

SHA256 = "ab12" + "0" * 60
FILE = Shown(f"f/ab/12/{SHA256}.mp4", 1000)
ETAG = f'"{SHA256}"'


def test_a_file_is_told_whole_with_all_that_protects_it() -> None:
    answer = answer_to("GET", {}, FILE)
    assert (answer.status, answer.start, answer.length) == (200, 0, 1000)
    assert answer.headers == {
        "Content-Type": "video/mp4",
        "Content-Length": "1000",
        "Content-Disposition": 'inline; filename="photowall-ab12000000000000.mp4"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=31536000, immutable",
        "ETag": ETAG,
        "Accept-Ranges": "bytes",
    }


def test_what_only_one_may_see_is_asked_for_again_each_time() -> None:
    answer = answer_to("GET", {}, Shown(FILE.name, 1000, to_all=False))
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_head_has_the_headers_and_no_body() -> None:
    answer = answer_to("HEAD", {"range": "bytes=0-1"}, FILE)
    assert (answer.status, answer.length) == (200, 0)
    assert answer.headers == answer_to("GET", {}, FILE).headers


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, 999),
        ("bytes=10-19", 10, 19),
        ("bytes=990-5000", 990, 999),
        ("bytes=999-999", 999, 999),
        ("bytes=-1", 999, 999),
        ("bytes=-5000", 0, 999),
        ("BYTES=1-2", 1, 2),
        (" bytes=1-2\t", 1, 2),
        ("bytes=007-008", 7, 8),
        ("bytes=0-" + "9" * 56, 0, 999),
        ("bytes=-" + "9" * 57, 0, 999),
    ],
)
def test_one_range_is_a_part(said: str, first: int, last: int) -> None:
    answer = answer_to("GET", {"range": said}, FILE)
    assert answer.status == 206
    assert (answer.start, answer.length) == (first, last - first + 1)
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/1000"
    assert answer.headers["Content-Length"] == str(last - first + 1)
    assert answer.headers["Content-Type"] == "video/mp4"


@pytest.mark.parametrize(
    "said", ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=" + "9" * 57 + "-"]
)
def test_a_range_beyond_the_end_is_416(said: str) -> None:
    answer = answer_to("GET", {"range": said}, FILE)
    assert (answer.status, answer.length) == (416, 0)
    assert answer.headers["Content-Range"] == "bytes */1000"
    assert answer.headers["Content-Length"] == "0"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5-4",
        "bytes=a-b",
        "bytes=1-2,4-5",
        "bytes=0x1-2",
        "bytes=+1-2",
        "bytes=\u0661-\u0662",
        "bytes=1--2",
        "bytes = 1 - 2",
        "bytes=0-" + "9" * 57,
        "bytes=" + "9" * 4000 + "-",
        "items=0-1",
        "\x00\xff",
    ],
)
def test_what_is_no_single_range_is_answered_whole(said: str) -> None:
    answer = answer_to("GET", {"range": said}, FILE)
    assert (answer.status, answer.length) == (200, 1000)
    assert "Content-Range" not in answer.headers


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("range", "bytes=" + " " * 8_000 + "-" + " " * 7_000 + "x"),
        ("range", " " * 15_000 + "x"),
        ("range", "bytes=" + "1" * 15_000 + "x"),
        ("if-none-match", 'W/"' * 5_000),
        ("if-match", '"' + "a" * 15_000 + " *"),
    ],
)
def test_a_long_header_is_answered_at_once(header: str, said: str) -> None:
    began = time.thread_time()
    answer = answer_to("GET", {header: said}, FILE)
    assert time.thread_time() - began < 0.1
    assert answer.status == (412 if header == "if-match" else 200)


@pytest.mark.parametrize(
    ("condition", "status"),
    [(ETAG, 206), (f" {ETAG} ", 206), (f"W/{ETAG}", 200), ('"x"', 200), ("", 200)],
)
def test_if_range_wants_the_very_same_file(condition: str, status: int) -> None:
    headers = {"range": "bytes=0-9", "if-range": condition}
    assert answer_to("GET", headers, FILE).status == status


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (ETAG, 304),
        (f"W/{ETAG}", 304),
        (f'"a", {ETAG}', 304),
        ("*", 304),
        (f'"{SHA256[:-1]}"', 200),
        (SHA256, 200),
        ("", 200),
        ('"', 200),
        ("\xff\x00", 200),
    ],
)
def test_who_has_it_is_not_sent_it_again(condition: str, status: int) -> None:
    for method in ("GET", "HEAD"):
        answer = answer_to(method, {"if-none-match": condition}, FILE)
        assert answer.status == status
        assert answer.headers["ETag"] == ETAG
    assert answer_to("GET", {"if-none-match": ETAG, "range": "bytes=0-1"}, FILE) == (
        answer_to("GET", {"if-none-match": ETAG}, FILE)
    )


@pytest.mark.parametrize(
    ("condition", "status"), [(ETAG, 200), ("*", 200), ('"x"', 412), (f"W/{ETAG}", 412)]
)
def test_if_match_is_strong(condition: str, status: int) -> None:
    assert answer_to("GET", {"if-match": condition}, FILE).status == status


def test_an_empty_file_has_no_ranges() -> None:
    empty = Shown(FILE.name, 0)
    assert answer_to("GET", {}, empty).status == 200
    for said in ("bytes=0-", "bytes=-1"):
        assert answer_to("GET", {"range": said}, empty).status == 416


def test_what_nginx_hands_out_names_the_place_and_no_length() -> None:
    answer = sent_on(FILE, "/protected/")
    assert answer.headers["X-Accel-Redirect"] == f"/protected/{FILE.name}"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.headers["Content-Type"] == "video/mp4"
    assert {"Content-Length", "ETag"}.isdisjoint(answer.headers)
    assert answer.length == 0
