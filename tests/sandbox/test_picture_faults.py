"""Faults of pictures as a follower meets them: real connections to a real process."""

from __future__ import annotations

import gzip
import hashlib
import io
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from PIL import Image

from photowall.sandbox.faults import bad_files, signing
from photowall.sandbox.faults.kinds import KINDS, Family
from tests.sandbox.started import Started, started


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with started(tmp_path_factory.mktemp("sandbox")) as sandbox:
        sandbox.publish("fox", 2)
        sandbox.publish("owl", 1)
        yield sandbox


@pytest.fixture
def sandbox(running: Started) -> Iterator[Started]:
    yield running
    running.heal()


def pictures(sandbox: Started, tag: str = "fox") -> list[str]:
    """The address of each post's picture, newest first, as the listing has it."""
    posts = sandbox.listing(tag).json()["data"]
    return [post["images"]["standard_resolution"]["url"] for post in posts]


def reread(sandbox: Started, native_id: str) -> str:
    """The same of one post, read by its id."""
    answer = requests.get(
        f"{sandbox.url}/v1/media/{native_id}",
        params={"client_id": "rehearsal"},
        timeout=10,
    )
    return str(answer.json()["data"]["images"]["standard_resolution"]["url"])


def get(url: str, **said: Any) -> requests.Response:
    return requests.get(url, timeout=20, allow_redirects=False, **said)


def until_it_breaks(sandbox: Started, url: str) -> bytes:
    """Every byte that comes before the connection is reset."""
    with socket.create_connection(("127.0.0.1", sandbox.port), 10) as line:
        line.settimeout(10)
        path = urlsplit(url).path
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        heard = b""
        try:
            while piece := line.recv(65_536):
                heard += piece
        except ConnectionResetError:
            return heard
    raise AssertionError("the line ended in order")


def test_without_a_fault_addresses_are_as_ever(sandbox: Started) -> None:
    (address, *_) = pictures(sandbox)
    assert "?" not in address
    assert get(address).headers["Content-Type"] == "image/jpeg"


def test_while_a_fault_is_set_addresses_are_signed_and_served(sandbox: Started) -> None:
    sandbox.fail("picture_404", tag="fox", share=0)
    for address in pictures(sandbox):
        said = parse_qs(urlsplit(address).query)
        assert said["tag"] == ["fox"]
        assert get(address).status_code == 200
        forged = address.replace("oe=", "oe=f")
        assert (get(forged).status_code, get(forged).text) == (403, signing.WRONG)
        assert get(address.replace("tag=fox", "tag=owl")).status_code == 403
    assert "?" not in pictures(sandbox, "owl")[0]


def test_an_expired_address_stays_so_and_a_post_read_again_has_a_fresh_one(
    sandbox: Started,
) -> None:
    sandbox.fail("picture_expired", tag="fox", count=1)
    first, second = pictures(sandbox)
    for _ in range(2):
        assert (get(first).status_code, get(first).text) == (403, signing.EXPIRED)
    assert get(second).status_code == 200
    fresh = reread(sandbox, sandbox.ids("fox")[0])
    assert urlsplit(fresh).path == urlsplit(first).path
    assert get(fresh).status_code == 200
    sandbox.heal()
    assert get(first).status_code == 403


@pytest.mark.parametrize(
    ("kind", "status"), [("picture_500", 500), ("picture_404", 404)]
)
def test_statuses(sandbox: Started, kind: str, status: int) -> None:
    sandbox.fail(kind, count=1)
    (address, *_) = pictures(sandbox)
    assert get(address).status_code == status
    assert get(address).status_code == 200


def test_too_many_says_when_to_come_again(sandbox: Started) -> None:
    sandbox.fail("picture_429", count=1, retry_after=9)
    answer = get(pictures(sandbox)[0])
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "9")


def test_a_line_is_cut_in_the_middle(sandbox: Started) -> None:
    (address, *_) = pictures(sandbox)
    whole = get(address).content
    sandbox.fail("picture_cut_off", count=1)
    head, _, body = until_it_breaks(sandbox, address).partition(b"\r\n\r\n")
    assert b"content-length: %d" % len(whole) in head.lower()
    assert 0 < len(body) < len(whole)


def test_slow_comes_whole(sandbox: Started) -> None:
    (address, *_) = pictures(sandbox)
    whole = get(address).content
    sandbox.fail("picture_slow", count=1, delay=0.5)
    begun = time.monotonic()
    assert get(address).content == whole
    assert time.monotonic() - begun > 0.4


def test_a_truncated_file_is_complete_for_http(sandbox: Started) -> None:
    (address, *_) = pictures(sandbox)
    whole = get(address).content
    sandbox.fail("picture_truncated", count=1)
    half = get(address)
    assert half.headers["Content-Type"] == "image/jpeg"
    assert half.content == whole[: len(whole) // 2]


@pytest.mark.parametrize(
    ("kind", "content"),
    [("picture_html", bad_files.PAGE), ("picture_svg", bad_files.SVG)],
)
def test_what_says_it_is_a_jpeg_and_is_none(
    sandbox: Started, kind: str, content: bytes
) -> None:
    sandbox.fail(kind, count=1)
    answer = get(pictures(sandbox)[0])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert answer.content == content


def test_an_endless_picture_goes_on_beyond_any_limit(sandbox: Started) -> None:
    sandbox.fail("picture_endless", count=1)
    heard = 0
    with get(pictures(sandbox)[0], stream=True) as answer:
        assert "Content-Length" not in answer.headers
        for piece in answer.iter_content(2**20):
            heard += len(piece)
            if heard > 25 * 2**20:
                break
    assert heard > 25 * 2**20
    assert get(pictures(sandbox)[0]).status_code == 200


def test_a_redirect_leads_to_the_inside(sandbox: Started) -> None:
    sandbox.fail("picture_redirect", count=1)
    answer = get(pictures(sandbox)[0])
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("http://169.254.169.254/")


def test_a_fault_of_one_tag_spares_the_others(sandbox: Started) -> None:
    sandbox.fail("picture_404", tag="fox")
    assert get(pictures(sandbox, "owl")[0]).status_code == 200
    assert get(pictures(sandbox)[0]).status_code == 404
    # An address that was given out before says nothing of a tag.
    assert get(pictures(sandbox)[0].partition("?")[0]).status_code == 200


def test_pictures_are_told_with_their_hashes(sandbox: Started) -> None:
    told = sandbox.tell("GET", "pictures/?tag=fox")["pictures"]
    for native_id, address in zip(sandbox.ids("fox"), pictures(sandbox), strict=True):
        true = hashlib.sha256(get(address).content).hexdigest()
        assert true in told[native_id]
    assert set(told) == set(sandbox.ids("fox"))
    assert sandbox.tell("GET", "pictures/?tag=nobody")["pictures"] == {}


# The files


def test_the_bomb_is_small_and_says_what_it_is() -> None:
    bomb = bad_files.bomb()
    assert len(bomb) < 200_000
    with pytest.raises(Image.DecompressionBombError, match="900000000 pixels"):
        Image.open(io.BytesIO(bomb), formats=["PNG"])


def test_the_gif_has_its_frames() -> None:
    frames = bad_files.many_frames()
    assert frames.count(b"\x21\xf9\x04") == bad_files.GIF_FRAMES
    with Image.open(io.BytesIO(frames), formats=["GIF"]) as picture:
        picture.seek(3)
        assert picture.size == (1, 1)


def test_the_packed_file_is_what_it_says() -> None:
    packed = bad_files.packed()
    assert len(packed) < 200_000
    assert len(gzip.decompress(packed)) == bad_files.GZIP_BYTES


def test_every_kind_of_a_picture_is_served_somehow() -> None:
    kinds = {kind.name for kind in KINDS.values() if kind.family == Family.PICTURE}
    assert all(name.startswith("picture_") for name in kinds)
    assert len(kinds) >= 14
