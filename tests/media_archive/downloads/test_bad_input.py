"""Every kind of bad picture, over a real line and through every step: refused with a
reason that an operator understands, its neighbours kept, its post archived."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image
from pytest_django.fixtures import Settings
from werkzeug import Request, Response

from media_archive import downloads, files
from media_archive.models import Download, JournalEntry, JournalKind, MediaItem
from photowall.sandbox.faults import bad_files
from tests.builders import a_record, store
from tests.media_archive.downloads.pictures import (
    NOBODY,
    Answer,
    Site,
    a_jpeg,
    a_picture,
    the_asset,
    the_download,
)

pytestmark = pytest.mark.django_db

JPEG = a_jpeg(1, side=200)


def said(content: bytes, content_type: str = "image/jpeg", **headers: str) -> Answer:
    """A 200 with these bytes, under this name."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Response(content, content_type=content_type, headers=named)


def to(location: str) -> Answer:
    return lambda _: Response("", 302, headers={"Location": location})


def endless(_: Request) -> Response:
    def pieces() -> Iterator[bytes]:
        yield b"\xff\xd8\xff\xe0"
        for _ in range(200):
            yield bytes(2**18)

    return Response(pieces(), content_type="image/jpeg", direct_passthrough=True)


def announcing_too_much(_: Request) -> Response:
    answer = Response(JPEG, content_type="image/jpeg")
    answer.automatically_set_content_length = False
    answer.headers["Content-Length"] = str(10**12)
    return answer


def announcing_more(_: Request) -> Response:
    answer = Response(JPEG, content_type="image/jpeg")
    answer.automatically_set_content_length = False
    answer.headers["Content-Length"] = str(len(JPEG) + 500)
    answer.headers["Connection"] = "close"
    return answer


@dataclass(frozen=True)
class Bad:
    """``answer`` at the picture's address; or ``address`` in place of it. It ends as
    ``reason``, whose sentence holds ``words``."""

    reason: str
    words: str
    answer: Answer | None = None
    address: str = ""
    state: str = "rejected"


TABLE = {
    "html as jpeg": Bad("not_an_image", "", said(bad_files.PAGE)),
    "svg": Bad("not_an_image", "", said(bad_files.SVG, "image/svg+xml")),
    "svg as jpeg": Bad("not_an_image", "", said(bad_files.SVG)),
    "nothing": Bad("not_an_image", "", said(b"")),
    "text": Bad("not_an_image", "", said(b"GIF89 is a format", "image/gif")),
    "a program": Bad("not_an_image", "", said(b"\x7fELF" + bytes(500))),
    "an archive": Bad("not_an_image", "", said(b"PK\x03\x04" + bytes(500))),
    "pdf": Bad("not_an_image", "", said(b"%PDF-1.7\n%%EOF")),
    "truncated": Bad("broken_image", "", said(JPEG[: len(JPEG) // 2])),
    "gzip bomb": Bad(
        "compressed", "compress", said(bad_files.packed(), Content_Encoding="gzip")
    ),
    "pixel bomb": Bad("too_many_pixels", "", said(bad_files.bomb(), "image/png")),
    "20,000 frames": Bad(
        "too_many_frames", "", said(bad_files.many_frames(), "image/gif")
    ),
    "endless": Bad("too_large", "too large", endless),
    "announced too large": Bad("too_large", "too large", announcing_too_much),
    "redirect to link-local": Bad(
        "refused_address", "169.254.169.254:80", to("http://169.254.169.254/latest/")
    ),
    "redirect to loopback": Bad("refused_address", "", to("http://127.0.0.1:1/")),
    "redirect to a file": Bad("refused_address", "http", to("file:///etc/passwd")),
    "redirect to mapped IPv6": Bad(
        "refused_address", "", to("http://[::ffff:10.0.0.1]/")
    ),
    "redirect to a name and a password": Bad(
        "refused_address", "password", to("http://ada:hunter2@pictures.example/")
    ),
    "loopback": Bad("refused_address", "", address="http://127.0.0.1/a.jpg"),
    "cloud metadata": Bad("refused_address", "", address="http://169.254.169.254/a"),
    "IPv4-mapped": Bad("refused_address", "", address="http://[::ffff:127.0.0.1]/a"),
    "NAT64": Bad("refused_address", "", address="http://[64:ff9b::7f00:1]/a"),
    "6to4": Bad("refused_address", "", address="http://[2002:7f00:1::]/a"),
    "decimal": Bad("refused_address", "", address="http://2130706433/a.jpg"),
    "octal": Bad("refused_address", "", address="http://0177.0.0.1/a.jpg"),
    "hexadecimal": Bad("refused_address", "", address="http://0x7f000001/a.jpg"),
    "short": Bad("refused_address", "", address="http://127.1/a.jpg"),
    "a port of ours": Bad(
        "refused_address", "Port 6379", address="http://pictures.example:6379/a.jpg"
    ),
    "a password": Bad(
        "refused_address", "password", address="http://ada:pw@pictures.example/a.jpg"
    ),
    "a backslash": Bad(
        "refused_address", "", address="http://pictures.example\\@127.0.0.1/a.jpg"
    ),
}


@pytest.mark.parametrize("bad", TABLE.values(), ids=TABLE.keys())
def test_it_is_refused_and_costs_nobody_else_anything(bad: Bad, site: Site) -> None:
    site.show("/good.jpg", JPEG)
    site.show("/neighbour.jpg", a_jpeg(2))
    if bad.answer is not None:
        site.answers["/bad.jpg"] = bad.answer
    address = bad.address or site.at("/bad.jpg")
    good = a_picture(site.at("/good.jpg"))
    album = a_record("album", assets=[good, a_picture(address)], author=NOBODY)
    neighbour = a_record(
        "neighbour", assets=[a_picture(site.at("/neighbour.jpg"))], author=NOBODY
    )
    assert len(store([album, neighbour]).new) == 2

    downloads.work_off()

    item = MediaItem.objects.get(native_id="album")
    row = the_download(item, 1)
    assert (row.state, row.reason) == (bad.state, bad.reason)
    assert bad.words in row.detail
    assert is_a_sentence(row.detail)
    assert "hunter2" not in row.detail
    assert the_asset(item, 1).state == bad.state
    # The post is archived, its other picture and the neighbour's are kept.
    assert the_asset(item, 0).state == "ready"
    beside = MediaItem.objects.get(native_id="neighbour")
    assert the_asset(beside).state == "ready"
    told = JournalEntry.objects.filter(kind=JournalKind.PICTURED, item=item)
    assert sorted(entry.detail["state"] for entry in told) == ["ready", bad.state]
    assert list(files.scratch().iterdir()) == []


def is_a_sentence(words: str) -> bool:
    """It may begin with a host."""
    return 10 < len(words) <= 300 and len(words.split()) > 3 and words.endswith(".")


@pytest.mark.parametrize(
    "answer", [announcing_more, lambda _: Response("", 302, {"Location": "/bad.jpg"})]
)
def test_what_may_be_better_another_time_is_tried_again(
    answer: Answer, site: Site
) -> None:
    """A body shorter than it says may be a broken line, a circle of redirects a
    mistake of today: given up by the schedule, with a reason."""
    site.answers["/bad.jpg"] = answer
    store([a_record("p", assets=[a_picture(site.at("/bad.jpg"))], author=NOBODY)])
    item = MediaItem.objects.get()
    for _ in range(8):
        downloads.work_off()
        Download.objects.update(next_attempt_at=None)
    row = the_download(item)
    assert (row.state, row.reason) == ("failed", "unreachable")
    assert is_a_sentence(row.detail)
    site.show("/bad.jpg", JPEG)
    downloads.revive([row.pk], "ada")
    downloads.work_off()
    assert the_asset(item).state == "ready"


def test_a_polyglot_is_kept_as_the_picture_it_is(site: Site) -> None:
    """What stands behind or inside of a picture is in none of what is shown."""
    site.show("/a.jpg", JPEG + b"<script>alert(1)</script>PK\x03\x04")
    store([a_record("p", assets=[a_picture(site.at("/a.jpg"))], author=NOBODY)])
    downloads.work_off()
    asset = the_asset(MediaItem.objects.get())
    assert asset.state == "ready"
    assert asset.picture is not None
    sizes = list(asset.picture.renditions.all())
    assert sizes
    for size in sizes:
        with files.open_file(size.name) as kept:
            content = kept.read()
        assert b"<script>" not in content
        Image.open(io.BytesIO(content)).verify()


def test_names_that_climb_reach_no_path(site: Site) -> None:
    """Nothing of an address comes into the name of a file."""
    path = "/..%2f..%2f..%2fetc%2fpasswd%00.jpg"
    site.answers["/../../../etc/passwd\x00.jpg"] = said(JPEG)
    store([a_record("p", assets=[a_picture(site.at(path))], author=NOBODY)])
    downloads.work_off()
    asset = the_asset(MediaItem.objects.get())
    assert asset.state == "ready"
    assert asset.picture is not None
    assert asset.picture.name == files.original_name(asset.picture.sha256, "image/jpeg")


@pytest.fixture
def rebinding(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], list[str]]:
    """A name that is public when it is asked for first, and the loopback then."""

    def play(port: int) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
            asked.append(host)
            address = "93.184.215.14" if len(asked) == 1 else "127.0.0.1"
            end = (address, port)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", end)]

        def connect(_: Any, address: Any) -> None:
            dialled.append(address[0])
            raise ConnectionRefusedError

        dialled: list[str] = []
        settings.PHOTOWALL_PRIVATE_HOSTS = []
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        monkeypatch.setattr(
            "media_archive.guarded_sockets.GuardedSocket.connect", connect
        )
        return dialled

    return play


def test_a_name_that_turns_to_the_inside_is_called_where_it_was_judged(
    rebinding: Callable[[int], list[str]],
) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            with suppress(OSError):
                heard.append(server.accept()[0].recv(100))

        threading.Thread(target=listen, daemon=True).start()
        url = "http://pictures.example/a.jpg"
        item_pk = store([a_record("p", assets=[a_picture(url)], author=NOBODY)]).new[0]
        item = MediaItem.objects.get(pk=item_pk)
        dialled = rebinding(server.getsockname()[1])
        downloads.work_off()
        assert dialled == ["93.184.215.14"]
        assert the_download(item).state == "retry_wait"
        Download.objects.update(next_attempt_at=None)
        downloads.work_off()
        assert dialled == ["93.184.215.14"]
    row = the_download(item)
    assert (row.state, row.reason) == ("rejected", "refused_address")
    assert heard == []
