"""Which address is taken, what an answer means, and when to come back."""

from __future__ import annotations

from typing import Any

import pytest

from media_archive.downloads import answers, schedule, sources
from media_archive.downloads.answers import (
    Here,
    Later,
    NewAddress,
    NotHere,
    Refused,
    SaysGone,
)
from media_archive.errors import (
    AnswerTooLarge,
    OutgoingError,
    OutgoingTimeout,
    RefusedAddress,
)

PLAIN = "https://cdn.example/p/1.jpg"
SIGNED = f"{PLAIN}?oh=00_AfB&oe=65&_nc=1"


def a_size(url: str, width: Any = 10, height: Any = 10, kind: str = "image") -> Any:
    return {"name": "x", "kind": kind, "url": url, "width": width, "height": height}


@pytest.mark.parametrize(
    ("status", "url", "meaning"),
    [
        (200, PLAIN, Here()),
        (404, PLAIN, SaysGone("cdn.example answered with status 404.")),
        (410, PLAIN, SaysGone("cdn.example answered with status 410.")),
        (401, PLAIN, NewAddress("cdn.example answered with status 401.")),
        (403, PLAIN, NewAddress("cdn.example answered with status 403.")),
        (400, SIGNED, NewAddress("cdn.example answered with status 400.")),
        (400, PLAIN, Later("bad_answer", "cdn.example answered with status 400.")),
        (204, PLAIN, Later("bad_answer", "cdn.example answered with status 204.")),
        (304, PLAIN, Later("bad_answer", "cdn.example answered with status 304.")),
        (429, PLAIN, Later("rate_limited", "cdn.example answered with status 429.", 9)),
        (503, PLAIN, Later("unreachable", "cdn.example answered with status 503.", 9)),
        (500, PLAIN, Later("unreachable", "cdn.example answered with status 500.")),
        (599, PLAIN, Later("unreachable", "cdn.example answered with status 599.")),
    ],
)
def test_what_a_status_means(status: int, url: str, meaning: Here | NotHere) -> None:
    assert answers.meaning_of(status, url, 9) == meaning


def test_a_query_with_secrets_is_told_to_nobody() -> None:
    meaning = answers.meaning_of(403, f"{PLAIN}?signature=hunter2", None)
    assert "hunter2" not in repr(meaning)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (OutgoingError("x"), Later("unreachable", "x")),
        (OutgoingTimeout("x"), Later("timeout", "x")),
        (RefusedAddress("x"), Refused("refused_address", "x")),
        (AnswerTooLarge("x"), Refused("too_large", "x")),
    ],
)
def test_what_an_error_means(error: OutgoingError, meaning: NotHere) -> None:
    assert answers.meaning_of_error(error) == meaning


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"content-length": "0"}, True),
        ({"content-length": " 1024 "}, True),
        ({"content-length": "9" * 18}, True),
        ({"transfer-encoding": "chunked"}, True),
        ({"transfer-encoding": " Chunked "}, True),
        ({"transfer-encoding": "chunked", "content-length": "5"}, True),
        ({}, False),
        ({"content-length": ""}, False),
        ({"content-length": "abc"}, False),
        ({"content-length": "-5"}, False),
        ({"content-length": "+5"}, False),
        ({"content-length": "5, 5"}, False),
        ({"content-length": "\u0661"}, False),
        ({"content-length": "9" * 19}, False),
        ({"content-length": "1" * 5_000}, False),
        ({"transfer-encoding": "gzip"}, False),
        ({"transfer-encoding": "gzip, chunked"}, False),
        ({"transfer-encoding": ""}, False),
        ({"transfer-encoding": "gzip", "content-length": "5"}, False),
    ],
)
def test_only_a_length_that_can_be_checked_is_believed(
    headers: dict[str, str], says: bool
) -> None:
    assert answers.says_its_length(headers) is says


@pytest.mark.parametrize(
    "query",
    ["sig=1", "a=1&X-Amz-Signature=2", "oe=1", "Expires=1", "token=x", "Policy=1"],
)
def test_signed_addresses_are_known(query: str) -> None:
    assert sources.is_signed(f"{PLAIN}?{query}")
    assert not sources.is_signed(f"{PLAIN}?design=1&w=640")
    assert not sources.is_signed("http://[/")


def test_the_largest_picture_is_taken_and_smaller_ones_after_it() -> None:
    told = [
        a_size("http://h/small", 150, 150),
        a_size("http://h/film", 5_000, 5_000, "video"),
        a_size("http://h/unknown", None, None),
        a_size("http://h/large", 1_080, 1_350),
        a_size("http://h/bomb", 30_000, 30_000),
        a_size("http://h/large", 640, 640),
    ]
    assert sources.best_first(told, "image") == [
        "http://h/large",
        "http://h/small",
        "http://h/unknown",
        "http://h/bomb",
    ]
    assert sources.best_first(told, "video") == ["http://h/film"]
    assert sources.best_first([], "image") == []
    assert sources.has(told, "video") and not sources.has(told[:1], "video")


def test_another_path_is_another_picture_and_another_signature_is_not() -> None:
    def key(*urls: str) -> str:
        return sources.key_of([a_size(u, 9 - n, 1) for n, u in enumerate(urls)])

    assert key(SIGNED) == key(PLAIN) == key("https://other.example/p/1.jpg?sig=2")
    assert key(PLAIN) != key("https://cdn.example/p/2.jpg")
    assert key(PLAIN, "http://h/2") == key(PLAIN, "http://h/3"), "the largest counts"
    assert key() == "" == sources.key_of_address(None) == sources.key_of_address("")
    film = [a_size("http://h/f.mp4", kind="video")]
    assert sources.key_of(film) == sources.key_of_address("http://h/f.mp4")
    assert len(sources.key_of_address("http://[/\ud800")) == 64


def test_the_schedule_is_the_one_that_is_promised() -> None:
    waits = [schedule.next_wait(n) for n in range(1, 8)]
    assert waits == [30, 300, 1_800, 7_200, 43_200, None, None]
    assert schedule.next_wait(1, 600) == 600
    assert schedule.next_wait(4, 600) == 7_200
    assert schedule.next_wait(6, 600) is None


def test_a_hold_outlasts_two_lost_beats_and_the_longest_work() -> None:
    from media_archive import outgoing_http
    from media_archive.tasks import LONGEST

    assert schedule.HOLD >= 3 * schedule.RENEW_EVERY
    assert outgoing_http.FILM.total + 60 < LONGEST < schedule.LONGEST
