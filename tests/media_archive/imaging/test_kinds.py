"""What a file is, by its content: what is refused, and in which words."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from media_archive import imaging
from media_archive.errors import BrokenImage, PictureRefused
from media_archive.imaging import Looked
from tests.media_archive.imaging.drawings import FIXTURES, encoded, moving, quarters

Look = Callable[[bytes], Looked]
Shown = Callable[..., Image.Image]

PICTURE = quarters()
NONE = {
    "an empty file": (b"", "empty"),
    "a page": (b"<!DOCTYPE html><html><script>alert(1)</script>", "an HTML page"),
    "a page after blanks": (b"\xef\xbb\xbf\n\n <HTML><body>", "an HTML page"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>', "SVG"),
    "an SVG with a head": (b'<?xml version="1.0"?>\n<!-- x -->\n<svg/>', "SVG"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
    "a ZIP": (b"PK\x03\x04\x14\x00", "a ZIP archive"),
    "a gzip bomb": (b"\x1f\x8b\x08\x00" + b"\x00" * 50, "compressed by gzip"),
    "a program": (b"\x7fELF\x02\x01", "a program"),
    "a script": (b"#!/bin/sh\nrm -rf /", "a script"),
    "a JSON error": (b'{"meta": {"code": 400}}', "a JSON document"),
    "text": (b"Too many requests", "text"),
    "zero bytes": (b"\x00" * 4096, "not known"),
    "a BMP": (encoded(PICTURE, "BMP"), "a BMP picture"),
    "a TIFF": (encoded(PICTURE, "TIFF"), "a TIFF picture"),
    "a JPEG 2000": (encoded(PICTURE, "JPEG2000"), "a JPEG 2000 picture"),
    "PostScript": (encoded(PICTURE, "EPS"), "a PostScript document"),
    "a film of another kind": (b"\x00\x00\x00\x18ftypABCD" + b"\x00" * 16, "a film"),
    "Matroska": (b"\x1aE\xdf\xa3\x9fB\x82\x88matroska", "not known"),
}


def in_words(said: object) -> str:
    """A test's name, the same in every process: an AVIF tells when it was made."""
    return f"{len(said)} bytes" if isinstance(said, bytes) else str(said)


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_picture_is_refused_in_words(look: Look, name: str) -> None:
    content, words = NONE[name]
    with pytest.raises(PictureRefused, match=words) as refusal:
        look(content)
    assert refusal.value.code == "not_an_image"
    assert refusal.value.message.startswith("This is not a picture: it is ")


@pytest.mark.parametrize(
    ("content", "kind", "frames"),
    [
        (encoded(PICTURE, "JPEG"), "image/jpeg", 1),
        (moving([PICTURE, PICTURE], "MPO"), "image/jpeg", 1),
        (encoded(PICTURE, "PNG"), "image/png", 1),
        (moving([PICTURE, Image.new("RGB", (64, 48))], "PNG"), "image/png", 2),
        (encoded(PICTURE, "GIF"), "image/gif", 1),
        (moving([PICTURE, Image.new("RGB", (64, 48))], "GIF"), "image/gif", 2),
        (encoded(PICTURE, "WEBP"), "image/webp", 1),
        (encoded(PICTURE, "WEBP", lossless=True), "image/webp", 1),
        (moving([PICTURE, Image.new("RGB", (64, 48))], "WEBP"), "image/webp", 2),
        (encoded(PICTURE, "AVIF"), "image/avif", 1),
        (moving([PICTURE, Image.new("RGB", (64, 48))], "AVIF"), "image/avif", 2),
    ],
    ids=in_words,
)
def test_pictures_are_known_whatever_they_are_called(
    tmp_path: Path, content: bytes, kind: str, frames: int
) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(content)
    looked = imaging.look(path)
    assert (looked.content_type, looked.frames) == (kind, frames)
    assert (looked.width, looked.height, looked.is_film) == (64, 48, False)


def test_phones_pictures_are_known() -> None:
    looked = imaging.look(FIXTURES / "quarters.heic")
    assert (looked.content_type, looked.frames) == ("image/heic", 1)
    assert (looked.width, looked.height) == (320, 240)
    turned = imaging.look(FIXTURES / "turned_with_place.heic")
    assert (turned.width, turned.height) == (240, 320)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (
            box(b"ftyp", b"isom\x00\x00\x02\x00isomavc1") + box(b"moov", b""),
            "video/mp4",
        ),
        (box(b"ftyp", b"XYZW\x00\x00\x02\x00mp42") + box(b"free", b""), "video/mp4"),
        (
            box(b"ftyp", b"qt  \x00\x00\x02\x00qt  ") + box(b"wide", b""),
            "video/quicktime",
        ),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webmB\x87", "video/webm"),
    ],
    ids=in_words,
)
def test_films_are_known_and_not_opened(look: Look, content: bytes, kind: str) -> None:
    looked = look(content)
    assert (looked.content_type, looked.is_film) == (kind, True)
    assert (looked.width, looked.height, looked.frames) == (None, None, 1)


def test_a_page_with_a_films_first_bytes_is_no_film(look: Look) -> None:
    page = b"<!--ftypisom\x00\x00\x02\x00isom--><script>alert(1)</script>"
    with pytest.raises(PictureRefused) as refusal:
        look(page)
    assert refusal.value.code == "not_an_image"


@pytest.mark.parametrize(
    "behind", [b"<script>alert(1)</script>", b"PK\x03\x04archive", b"%PDF-1.7"]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_what_hangs_behind_a_picture_is_not_shown(
    render: Callable[..., imaging.Rendered], kind: str, behind: bytes
) -> None:
    content = encoded(PICTURE, kind) + behind
    for made in render(content, "w480.webp.1", "w480.jpeg.1").made:
        assert behind[:8] not in made.path.read_bytes()
        assert Image.open(made.path).size == (64, 48)


def test_what_a_picture_says_in_comments_is_not_shown(
    render: Callable[..., imaging.Rendered],
) -> None:
    content = encoded(PICTURE, "JPEG", comment=b"*/alert(1)/*<script>")
    assert b"<script>" in content
    for made in render(content, "w480.jpeg.1").made:
        assert b"<script>" not in made.path.read_bytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
def test_a_picture_cut_off_is_refused(shown: Shown, kind: str) -> None:
    content = encoded(quarters(640, 480).rotate(7), kind)
    with pytest.raises(BrokenImage, match=r"broken or cut off|is broken"):
        shown(content[: len(content) * 2 // 3])
    assert shown(content).size == (480, 360)


def test_a_phones_picture_cut_off_is_refused(shown: Shown) -> None:
    content = (FIXTURES / "quarters.heic").read_bytes()
    with pytest.raises(BrokenImage):
        shown(content[: len(content) * 2 // 3])


def test_the_first_bytes_alone_are_no_picture(look: Look) -> None:
    for start in (b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a"):
        with pytest.raises(PictureRefused):
            look(start + b"\x00" * 40)


def test_a_file_that_is_not_there_is_not_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        imaging.look(tmp_path / "nothing")
