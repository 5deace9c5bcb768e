"""Each fault as a follower meets it: real connections to a real process."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from photowall.sandbox.faults.kinds import KINDS, Family
from tests.sandbox.started import Started, started


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with started(tmp_path_factory.mktemp("sandbox")) as sandbox:
        sandbox.fox = sandbox.publish("fox", 6)  # type: ignore[attr-defined]
        yield sandbox


@pytest.fixture
def sandbox(running: Started) -> Iterator[Started]:
    yield running
    running.heal()


def raw_answer(sandbox: Started, tag: str = "fox") -> tuple[bytes, bool]:
    """Every byte until the connection ends, and whether it was reset."""
    with socket.create_connection(("127.0.0.1", sandbox.port), 10) as line:
        line.settimeout(10)
        path = f"/v1/tags/{tag}/media/recent?client_id=rehearsal"
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        heard = b""
        try:
            while True:
                piece = line.recv(65536)
                if not piece:
                    return heard, False
                heard += piece
                head, _, body = heard.partition(b"\r\n\r\n")
                if b"%d" % len(body) == announced(head):
                    return heard, False
        except ConnectionResetError:
            return heard, True


def announced(head: bytes) -> bytes:
    """The Content-Length as it was sent."""
    for line in head.splitlines():
        if line.lower().startswith(b"content-length:"):
            return line.partition(b":")[2].strip()
    return b"none"


@pytest.mark.parametrize(
    ("kind", "status", "content_type", "again"),
    [
        ("rate_limited", 429, "application/json", "9"),
        ("error_500", 500, "application/json", None),
        ("error_503", 503, "text/html", "9"),
        ("html", 200, "text/html", None),
        ("wrong_envelope", 200, "application/json", None),
    ],
)
def test_answers_of_another_kind(
    sandbox: Started, kind: str, status: int, content_type: str, again: str | None
) -> None:
    assert sandbox.listing("fox").status_code == 200  # the control
    options = {"retry_after": 9} if again else {}
    sandbox.fail(kind, **options)

    answer = sandbox.listing("fox")

    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith(content_type)
    assert answer.headers.get("Retry-After") == again
    if kind == "rate_limited":
        assert answer.json()["code"] == 429
        assert "meta" not in answer.json()
    if kind == "wrong_envelope":
        assert "data" not in answer.json()


def test_cut_off_resets_before_a_byte(sandbox: Started) -> None:
    sandbox.fail("cut_off", count=1)
    assert raw_answer(sandbox) == (b"", True)
    heard, reset = raw_answer(sandbox)
    assert heard.startswith(b"HTTP/1.1 200") and not reset


def test_truncated_announces_more_than_it_sends(sandbox: Started) -> None:
    sandbox.fail("truncated", count=1)
    heard, reset = raw_answer(sandbox)
    head, _, body = heard.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert not reset
    assert 0 < len(body) < int(announced(head))


def test_half_json_is_complete_for_http_and_for_nobody_else(sandbox: Started) -> None:
    sandbox.fail("half_json", count=1)
    heard, _ = raw_answer(sandbox)
    head, _, body = heard.partition(b"\r\n\r\n")
    assert len(body) == int(announced(head)) > 100
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(body)


def test_timeout_says_nothing_and_hangs_up(sandbox: Started) -> None:
    sandbox.fail("timeout", count=1, delay=0.6)
    begun = time.monotonic()
    assert raw_answer(sandbox) == (b"", True)
    assert time.monotonic() - begun >= 0.6


def test_slow_comes_in_drops_and_whole(sandbox: Started) -> None:
    sandbox.fail("slow", count=1, delay=0.8)
    begun = time.monotonic()
    answer = sandbox.listing("fox")
    assert len(answer.json()["data"]) == 6
    assert time.monotonic() - begun >= 0.6


def test_pages_that_are_not_as_they_should_be(sandbox: Started) -> None:
    true = sandbox.ids("fox")
    assert true == sandbox.fox[::-1]  # type: ignore[attr-defined]

    sandbox.fail("duplicates")
    assert sandbox.ids("fox") == [each for each in true for _ in range(2)]
    sandbox.fail("reordered")
    assert sandbox.ids("fox") != true
    assert sorted(sandbox.ids("fox")) == sorted(true)
    sandbox.fail("empty")
    assert sandbox.listing("fox").json() == {
        "data": [],
        "meta": {"code": 200},
        "pagination": {},
    }
    sandbox.heal()
    older = sandbox.listing("fox", count="2").json()["pagination"]["next_max_tag_id"]
    assert sandbox.ids("fox", count="2", max_tag_id=older) == true[2:4]
    sandbox.fail("repeated_page")
    assert sandbox.ids("fox", count="2", max_tag_id=older) == true[:2]
    sandbox.fail("mangled_item")
    mangled = sandbox.listing("fox").json()["data"]
    assert [post["caption"] for post in mangled].count(7) == 1
    assert sandbox.ids("fox") == true
    assert sandbox.tell("GET", "posts/?tag=fox")["native_ids"] == true[::-1]


def test_what_is_listed_late_is_there_all_the_same(sandbox: Started) -> None:
    posted = sandbox.publish("owl", 12)
    sandbox.fail("stale_listing", delay=30)
    assert sandbox.ids("owl") == []
    sandbox.fail("late_listing", delay=30)
    late = set(posted) - set(sandbox.ids("owl"))
    assert 0 < len(late) < 12
    assert set(posted) - set(sandbox.ids("owl")) == late
    assert sandbox.tell("GET", "posts/?tag=owl")["native_ids"] == posted
    sandbox.heal()
    assert sandbox.ids("owl") == posted[::-1]


def test_a_revoked_token_until_it_is_healed(sandbox: Started) -> None:
    sandbox.fail("revoked_token", tag="fox")
    answer = sandbox.listing("fox")
    assert answer.status_code == 400
    assert answer.json()["meta"]["error_type"] == "OAuthAccessTokenException"
    assert sandbox.listing("hare").status_code == 200
    sandbox.heal()
    assert sandbox.listing("fox").status_code == 200


def test_edits_and_deletions_while_one_reads(sandbox: Started) -> None:
    posted = sandbox.publish("elk", 4)
    sandbox.fail("edits", count=1)
    captions = [post["caption"] for post in sandbox.listing("elk").json()["data"]]
    texts = [caption["text"] for caption in captions if caption]
    assert [text.endswith("(edited)") for text in texts].count(True) == 1
    sandbox.fail("deletions", count=1)
    left = sandbox.ids("elk")
    assert len(left) == 3
    assert set(left) < set(posted)
    assert sorted(sandbox.tell("GET", "posts/?tag=elk")["native_ids"]) == sorted(left)


def test_the_same_seed_is_the_same_chance(sandbox: Started) -> None:
    def statuses(seed: int) -> list[int]:
        order = {"faults": [{"kind": "error_500", "share": 0.5}], "seed": seed}
        sandbox.tell("PUT", "faults/", order)
        return [sandbox.listing("fox").status_code for _ in range(16)]

    first = statuses(7)
    assert statuses(7) == first
    assert set(first) == {200, 500}
    assert statuses(8) != first
    injected = sandbox.tell("GET", "faults/")["injected"]
    assert 0 < injected["error_500"] < 16


def test_only_the_reads_of_v1_fail(sandbox: Started) -> None:
    sandbox.fail("error_500")
    assert sandbox.listing("fox").status_code == 500
    assert requests.get(f"{sandbox.url}/healthz", timeout=10).status_code == 200
    listed = requests.get(
        f"{sandbox.url}/v1/subscriptions",
        params={"client_id": "rehearsal", "client_secret": "a-secret"},
        timeout=10,
    )
    assert listed.json()["data"] == []


def test_every_call_is_counted_by_the_upstream(sandbox: Started) -> None:
    before = sandbox.tell("GET", "calls/?tag=bee")
    sandbox.fail("rate_limited", count=1)
    for _ in range(3):
        sandbox.listing("bee")
    after = sandbox.tell("GET", "calls/?tag=bee")
    assert after["total"] - before["total"] == 3
    assert after["refused"] - before["refused"] == 1
    assert after["last_hour"] <= after["most_in_an_hour"]
    assert after["of_tag"]["calls"] == 3


def test_every_kind_of_answer_and_listing_is_shown_here() -> None:
    families = (Family.ANSWER, Family.LISTING)
    wire = {kind.name for kind in KINDS.values() if kind.family in families}
    source = Path(__file__).read_text("utf-8")
    assert {name for name in wire if f'"{name}"' not in source} == set()
