"""Sources that fail, lie and never end: each costs its own picture, with a reason; its
neighbours are kept, and the post itself is archived."""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_django.fixtures import Settings
from werkzeug import Response

from media_archive import downloads, files, outgoing_http
from media_archive.models import Download, DownloadState, MediaItem, StoredFile
from media_archive.records import IncomingAsset, Kind
from tests.media_archive.downloads.pictures import (
    A_FILM,
    Site,
    a_jpeg,
    a_post,
    source,
    status,
    the_asset,
    the_download,
    time_passes,
    wait_left,
)
from tests.media_archive.outgoing_http.raw_servers import dripping, raw_server, saying

pytestmark = pytest.mark.django_db
OK = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def a_png(width: int, height: int) -> bytes:
    """A few bytes that say to be a large picture."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    for name, body in (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ):
        length, check = len(body), zlib.crc32(name + body)
        parts.append(struct.pack(">I", length) + name + body + struct.pack(">I", check))
    return b"".join(parts)


PNG_BOMB = a_png(30_000, 30_000)


def what_became(url: str, site: Site) -> Download:
    """Of a picture at ``url``, with a good one beside it in the same post."""
    site.show("/good.jpg", a_jpeg(1))
    item = a_post(url, site.at("/good.jpg"))
    downloads.work_off()
    assert the_asset(item, 1).state == DownloadState.READY
    assert MediaItem.objects.filter(pk=item.pk).exists(), "the post is archived"
    assert list(files.scratch().iterdir()) == []
    row = the_download(item)
    assert row.claim_until is None
    if row.state != DownloadState.READY:
        assert row.detail, "a person is told why"
        assert "hunter2" not in row.detail
    return row


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<!DOCTYPE html><html><body>Log in, please.</body></html>", "not_an_image"),
        (SVG, "not_an_image"),
        (gzip.compress(bytes(1_000_000)), "not_an_image"),
        (b"", "not_an_image"),
        (a_jpeg(3, side=300)[:4_000], "broken_image"),
        (PNG_BOMB, "too_many_pixels"),
        (A_FILM, "not_an_image"),
    ],
    ids=["html", "svg", "gzip-file", "empty", "truncated", "pixel-bomb", "film"],
)
def test_what_is_no_picture_is_refused_for_good(
    content: bytes, reason: str, site: Site
) -> None:
    site.show("/bad.jpg", content)
    row = what_became(site.at("/bad.jpg?sig=hunter2"), site)
    assert (row.state, row.reason) == (DownloadState.REJECTED, reason)
    assert row.asset is not None
    assert row.asset.state == DownloadState.REJECTED
    assert row.asset.picture is None
    asked = len(site.asked)
    time_passes()
    downloads.work_off()
    assert len(site.asked) == asked, "nobody asks again"


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (b"", "retry_wait", "unreachable"),
        (OK + b"Content-Length: 9000\r\n\r\n\xff\xd8\xff", "retry_wait", "unreachable"),
        (
            OK + b"Transfer-Encoding: chunked\r\n\r\nfff\r\nab",
            "retry_wait",
            "unreachable",
        ),
        (b"\x16\x03\x01 no HTTP at all \r\n\r\n", "retry_wait", "unreachable"),
        (OK + b"Content-Length: 99999999999\r\n\r\n", "rejected", "too_large"),
        (OK + b"\r\n" + b"x" * 200_000, "rejected", "too_large"),
        (OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b", "rejected", "compressed"),
        (b"HTTP/1.1 500 Oops\r\n\r\n", "retry_wait", "unreachable"),
        (b"HTTP/1.1 451 No\r\n\r\n", "retry_wait", "bad_answer"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n",
            "rejected",
            "refused_address",
        ),
    ],
    ids=[
        "nothing",
        "short",
        "cut-chunk",
        "no-http",
        "announced-huge",
        "endless",
        "gzip",
        "500",
        "451",
        "redirect-inside",
    ],
)
def test_what_is_no_answer_is_tried_again_or_refused(
    answer: bytes,
    state: str,
    reason: str,
    site: Site,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = replace(outgoing_http.PICTURE, max_bytes=65_536)
    monkeypatch.setattr(outgoing_http, "PICTURE", small)
    with raw_server(saying(answer)) as port:
        settings.PHOTOWALL_PRIVATE_HOSTS += [f"127.0.0.1:{port}"]
        row = what_became(f"http://127.0.0.1:{port}/?sig=hunter2", site)
    assert (row.state, row.reason) == (state, reason)
    if state == "retry_wait":
        assert row.attempts == 1
        assert 25 < wait_left(row) <= 30


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/a.jpg",
        "http://2130706433/a.jpg",
        "http://[::ffff:10.0.0.1]/a.jpg",
        "http://user:pass@198.51.100.1/a.jpg",
        "https://pictures.example:22/a.jpg",
    ],
)
def test_addresses_that_are_not_called(url: str, site: Site) -> None:
    row = what_became(url, site)
    assert (row.state, row.reason) == (DownloadState.REJECTED, "refused_address")


def test_a_source_that_drips_is_left_in_time(
    site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = replace(outgoing_http.PICTURE, total=0.4)
    slow = dripping(OK + b"Content-Length: 1000\r\n\r\n", b"x")
    with raw_server(slow) as port:
        settings.PHOTOWALL_PRIVATE_HOSTS += [f"127.0.0.1:{port}"]
        item = a_post(f"http://127.0.0.1:{port}/")
        with monkeypatch.context() as patch:
            patch.setattr(outgoing_http, "PICTURE", quick)
            downloads.work_off()
    row = the_download(item)
    assert (row.state, row.reason, row.attempts) == ("retry_wait", "timeout", 1)


def test_the_schedule_is_walked_to_its_end_and_then_given_up(site: Site) -> None:
    site.answers["/a.jpg"] = status(500)
    item = a_post(site.at("/a.jpg"))
    waits = []
    for attempt in range(1, 7):
        downloads.work_off()
        row = the_download(item)
        assert row.attempts == attempt
        if row.next_attempt_at is not None:
            assert the_asset(item).state == DownloadState.PENDING, "not settled yet"
            waits.append(round(wait_left(row), -1))
            downloads.work_off()
            assert len(site.asked) == attempt, "not before its time"
        time_passes()
    assert waits == [30, 300, 1_800, 7_200, 43_200]
    row = the_download(item)
    assert (row.state, row.reason) == (DownloadState.FAILED, "unreachable")
    assert the_asset(item).state == DownloadState.FAILED
    downloads.work_off()
    assert len(site.asked) == 6


@pytest.mark.also_on_sqlite
def test_what_comes_late_is_kept_all_the_same(site: Site) -> None:
    site.show("/a.jpg", a_jpeg(5))
    good: Any = site.answers["/a.jpg"]
    site.answers["/a.jpg"] = [status(500), status(404), status(503), good]
    item = a_post(site.at("/a.jpg"))
    for _ in range(4):
        downloads.work_off()
        time_passes(301)
    assert the_asset(item).state == DownloadState.READY
    row = the_download(item)
    assert (row.reason, row.detail, row.attempts) == ("", "", 2)


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize(("said", "wait"), [("120", 120), ("999999", 3_600), ("1", 30)])
def test_who_asks_for_time_gets_it(
    code: int, said: str, wait: float, site: Site
) -> None:
    site.answers["/a.jpg"] = status(code, Retry_After=said)
    item = a_post(site.at("/a.jpg"))
    downloads.work_off()
    row = the_download(item)
    assert row.state == DownloadState.RETRY_WAIT
    assert wait - 5 < wait_left(row) <= wait


@pytest.mark.parametrize("code", [404, 410])
def test_gone_is_what_was_said_twice(code: int, site: Site) -> None:
    site.answers["/a.jpg"] = status(code)
    item = a_post(site.at("/a.jpg"))
    downloads.work_off()
    row = the_download(item)
    assert (row.state, row.reason, row.attempts) == ("retry_wait", "gone", 0)
    assert 295 < wait_left(row) <= 300
    downloads.work_off()
    assert len(site.asked) == 1
    time_passes(300)
    downloads.work_off()
    row = the_download(item)
    assert (row.state, row.reason) == (DownloadState.GONE, "gone")
    assert the_asset(item).state == DownloadState.GONE
    assert len(site.asked) == 2


@pytest.mark.parametrize("code", [401, 403])
def test_an_address_that_has_expired_waits_for_a_new_one(code: int, site: Site) -> None:
    site.answers["/a.jpg"] = status(code)
    item = a_post(site.at("/a.jpg"))
    downloads.work_off()
    row = the_download(item)
    assert (row.state, row.reason, row.attempts) == ("refresh", "expired", 1)
    assert row.claim_until is None
    time_passes()
    downloads.work_off()
    assert len(site.asked) == 1, "the old address is not asked again"
    assert the_asset(item).state == DownloadState.PENDING


def test_too_large_is_tried_in_the_next_smaller_size(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = replace(outgoing_http.PICTURE, max_bytes=65_536)
    monkeypatch.setattr(outgoing_http, "PICTURE", small)
    site.show("/huge.jpg", bytes(100_000))
    site.show("/bomb.png", PNG_BOMB)
    site.show("/fits.jpg", a_jpeg(6))
    sizes = [source(site.at(f"/{name}")) for name in ("huge.jpg", "bomb.png")]
    sizes.append(source(site.at("/fits.jpg"), side=100))
    item = a_post(assets=[IncomingAsset(Kind.IMAGE, sizes)])
    downloads.work_off()
    assert site.asked == ["/huge.jpg", "/bomb.png", "/fits.jpg"]
    assert the_asset(item).state == DownloadState.READY


def test_a_film_that_is_none(site: Site) -> None:
    site.show("/film.mp4", a_jpeg(7))
    site.show("/poster.jpg", a_jpeg(8))
    sizes = [
        source(site.at("/poster.jpg")),
        source(site.at("/film.mp4"), kind=Kind.VIDEO),
    ]
    item = a_post(assets=[IncomingAsset(Kind.VIDEO, sizes)])
    downloads.work_off()
    row = the_download(item, role="film")
    assert (row.state, row.reason) == (DownloadState.REJECTED, "not_a_film")
    asset = the_asset(item)
    assert (asset.state, asset.film) == (DownloadState.READY, None)


def test_what_may_have_been_cut_is_fetched_again_before_it_is_refused(
    site: Site, settings: Settings
) -> None:
    cut = a_jpeg(9, side=300)[:4_000]
    with raw_server(saying(OK + b"\r\n" + cut)) as port:
        settings.PHOTOWALL_PRIVATE_HOSTS += [f"127.0.0.1:{port}"]
        item = a_post(f"http://127.0.0.1:{port}/")
        seen = []
        for _ in range(3):
            downloads.work_off()
            row = the_download(item)
            seen.append((row.state, row.reason, row.attempts))
            time_passes()
    assert seen == [
        ("pending", "broken_image", 1),
        ("pending", "broken_image", 2),
        ("rejected", "broken_image", 2),
    ]


def test_equal_bytes_are_one_file(site: Site) -> None:
    content = a_jpeg(10)
    for name in "abc":
        site.show(f"/{name}.jpg", content)
    items = [a_post(site.at(f"/{name}.jpg")) for name in "abc"]
    downloads.work_off()
    file = StoredFile.objects.get()
    assert [the_asset(item).picture for item in items] == [file] * 3
    originals = [name for name, *_ in files.walk() if name.startswith("o/")]
    assert originals == [file.name]


def test_no_address_is_told_of_what_has_none(site: Site) -> None:
    item = a_post(site.at("/a.jpg"))
    asset = the_asset(item)
    asset.sources = []
    asset.save()
    downloads.work_off()
    row = the_download(item)
    assert (row.state, row.reason) == (DownloadState.REJECTED, "no_address")
    assert urlsplit(site.url).netloc


def test_a_redirect_is_followed(site: Site) -> None:
    site.show("/new.jpg", a_jpeg(11))
    site.answers["/old.jpg"] = lambda _: Response(
        "", 302, headers={"Location": "/new.jpg"}
    )
    item = a_post(site.at("/old.jpg"))
    downloads.work_off()
    assert the_asset(item).state == DownloadState.READY
