"""Bombs of all kinds: refused by their header, or within a bounded time."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from media_archive import imaging
from media_archive.decoder import frames
from media_archive.errors import (
    BrokenImage,
    DecodingTookTooMuchMemory,
    PictureRefused,
    TooManyFrames,
    TooManyPixels,
)
from media_archive.imaging import Looked, Rendered, pool
from tests.media_archive.imaging.drawings import (
    a_gif,
    a_png,
    chunk,
    encoded,
    moving,
    quarters,
)

Look = Callable[[bytes], Looked]
Render = Callable[..., Rendered]


@pytest.fixture
def little_memory(settings: Any) -> Iterator[None]:
    """100 megabytes for decoding: 60 are there before any picture."""
    pool.POOL.end()
    settings.PHOTOWALL_PICTURE_MEMORY = 100
    yield
    pool.POOL.end()


def zeros(count: int) -> bytes:
    """So many zero bytes, compressed without holding them."""
    press = zlib.compressobj(1)
    block = bytes(1 << 20)
    parts = [press.compress(block) for _ in range(count >> 20)]
    return b"".join([*parts, press.flush()])


def test_900_million_pixels_are_refused_by_their_header(look: Look) -> None:
    look(a_png(10, 10))  # a process is there
    began = time.monotonic()
    with pytest.raises(TooManyPixels, match="more than 50 million pixels"):
        look(a_png(30_000, 30_000, pixels=zeros(1 << 20)))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("width", "height"),
    [(7_072, 7_072), (60_000, 2), (2, 60_000), (2**31 - 1, 2**31 - 1)],
)
def test_too_many_pixels(look: Look, width: int, height: int) -> None:
    with pytest.raises(TooManyPixels):
        look(a_png(width, height))


def test_too_many_pixels_of_other_kinds(look: Look) -> None:
    for content in (
        a_gif(65_535, 65_535, 1),
        encoded(Image.new("L", (8_000, 6_400)), "JPEG"),
        encoded(Image.new("L", (8_000, 6_400)), "WEBP", quality=1, method=0),
    ):
        with pytest.raises(TooManyPixels):
            look(content)


def test_just_within_the_limits(look: Look, render: Render) -> None:
    assert look(a_png(7_070, 7_070)).width == 7_070
    assert look(a_png(32_767, 1)).width == 32_767
    for size in ((1, 1), (32_767, 1), (1, 32_767), (2, 5000)):
        content = encoded(Image.new("RGB", size, "red"), "PNG")
        specs = ("w240.webp.1", "w2560.webp.1", "s168.webp.1", "bg.webp.1")
        for made in render(content, *specs).made:
            width, height = Image.open(made.path).size
            assert (width, height) == (made.width, made.height)
            assert width <= size[0] and height <= size[1]


def test_the_limit_is_a_setting(look: Look, settings: Any) -> None:
    content = encoded(quarters(200, 100), "PNG")
    assert look(content).width == 200
    settings.PHOTOWALL_PICTURE_PIXELS = 10_000
    with pytest.raises(TooManyPixels, match=r"0\.01 million"):
        look(content)


def test_20_000_frames_are_refused_without_decoding(look: Look) -> None:
    assert look(a_gif(2, 2, 200)).frames == 200
    with pytest.raises(TooManyFrames, match="more than 200 frames"):
        look(a_gif(2, 2, 201))
    began = time.monotonic()
    with pytest.raises(TooManyFrames):
        look(a_gif(2, 2, 20_000))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "AVIF"])
def test_frames_of_other_kinds_count_too(look: Look, settings: Any, kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), (i * 20, 0, 0)) for i in range(5)]
    content = moving(frames, kind)
    assert look(content).frames == 5
    settings.PHOTOWALL_PICTURE_FRAMES = 4
    with pytest.raises(TooManyFrames):
        look(content)


def test_a_gif_of_tiny_parts_is_counted_in_time(look: Look) -> None:
    content = a_gif(2, 2, 1)
    for count in (frames.MOST_BLOCKS + 1, 9_000_000):
        parts = b"!\xfe" + b"\x01x" * count + b"\x00"
        began = time.monotonic()
        with pytest.raises(BrokenImage, match="more than 250,000 blocks"):
            look(content[:19] + parts + content[19:])
        assert time.monotonic() - began < 5
    parts = b"!\xfe" + b"\x01x" * (frames.MOST_BLOCKS - 9) + b"\x00"
    assert look(content[:19] + parts + content[19:]).frames == 1


def with_scans(count: int, size: tuple[int, int] = (64, 64)) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    whole = encoded(Image.new("L", size), "JPEG", progressive=True)
    scan = whole[whole.rfind(b"\xff\xda") : -2]
    there = whole.count(b"\xff\xda")
    return whole[:-2] + scan * (count - there) + b"\xff\xd9"


def test_a_jpeg_of_very_many_scans_is_refused(look: Look, render: Render) -> None:
    assert look(with_scans(100)).width == 64
    assert render(with_scans(100)).made
    for count, size in ((101, (64, 64)), (300, (7_000, 7_000))):
        with pytest.raises(BrokenImage, match="more than 100 scans"):
            look(with_scans(count, size))
        with pytest.raises(BrokenImage, match="more than 100 scans"):
            render(with_scans(count, size))


@pytest.mark.parametrize(
    "between",
    [
        b"\xff" * 50,
        b"\xff\x00" * 50,
        b"\xff\xd0",
        b"\xff\x01",
        b"\xff\xfe\x00\x02",
        b"\xff\xfe\x00\x06abcd",
        b"\xff\x02\xff\xff",
    ],
)
def test_no_scan_hides(look: Look, between: bytes) -> None:
    """Behind what decoders pass over."""
    content = with_scans(150)
    last = content.rfind(b"\xff\xda")
    scan = content[last:-2]
    hidden = content[: -2 - 100 * len(scan)] + (between + scan) * 100 + b"\xff\xd9"
    with pytest.raises(BrokenImage, match="more than 100 scans"):
        look(hidden)


def test_scans_that_are_none_do_not_count(look: Look) -> None:
    """Those of a thumbnail, or of another picture behind the first."""
    content, other = encoded(quarters(64, 64), "JPEG"), with_scans(300)[:60_000]
    length = struct.pack(">H", len(other) + 2)
    assert look(content[:2] + b"\xff\xe5" + length + other + content[2:]).width == 64
    assert look(content + other).width == 64


def test_a_jpeg_of_very_many_parts_is_refused_in_time(look: Look) -> None:
    content = encoded(quarters(64, 64), "JPEG")
    many = content[:2] + b"\xff\xfe\x00\x02" * 4_000_000 + content[2:]
    began = time.monotonic()
    with pytest.raises(BrokenImage, match="more than 100,000 parts"):
        look(many)
    look(content[:-2] + b"\xff" * 10_000_000)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("place", [33, -12])
def test_a_png_of_very_many_parts_is_refused(look: Look, place: int) -> None:
    """Before its pixels and behind them."""
    content = encoded(quarters(64, 64), "PNG")
    parts = chunk(b"tEXt", b"a\x00b")
    few = content[:place] + parts * 1_000 + content[place:]
    assert look(few).width == 64
    with pytest.raises(BrokenImage, match="more than 100,000 parts"):
        look(content[:place] + parts * 100_001 + content[place:])


BOMBS: dict[str, Callable[[], bytes]] = {
    "a profile": lambda: chunk(b"iCCP", b"x\x00\x00" + zeros(64 << 20)),
    "a text": lambda: chunk(b"zTXt", b"x\x00\x00" + zeros(64 << 20)),
    "a long text": lambda: chunk(b"iTXt", b"x\x00\x01\x00\x00\x00" + zeros(64 << 20)),
    "many texts": lambda: chunk(b"zTXt", b"x\x00\x00" + zeros(1 << 20)) * 100,
    "very many texts": lambda: chunk(b"tEXt", b"x\x00y") * 20_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_in_what_stands_beside_the_pixels(
    render: Render, little_memory: None, name: str
) -> None:
    """Passed over or refused, but never unpacked."""
    content = a_png(8, 8, BOMBS[name](), pixels=zlib.compress(bytes(9 * 8)))
    began = time.monotonic()
    if name == "very many texts":
        assert render(content).made
    else:
        with pytest.raises(PictureRefused):
            render(content)
    assert time.monotonic() - began < 5


def test_more_pixels_than_it_said_are_not_read(render: Render) -> None:
    content = a_png(16, 16, pixels=zeros(100 << 20))
    began = time.monotonic()
    assert render(content).made[0].width == 16
    assert time.monotonic() - began < 5


def test_what_needs_too_much_memory_is_refused(
    tmp_path: Path, little_memory: None, look: Look
) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (4_000, 4_000)).save(path, compress_level=1)
    assert imaging.look(path).width == 4_000
    with pytest.raises(DecodingTookTooMuchMemory, match="more memory"):
        imaging.render(path, tmp_path, ["w240.webp.1"])
    assert look(encoded(quarters())).width == 64


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_memory_of_other_decoders_is_limited_too(
    tmp_path: Path, little_memory: None, kind: str
) -> None:
    path = tmp_path / "large"
    options = {"speed": 10} if kind == "AVIF" else {"quality": 1}
    if kind == "JPEG":
        options["progressive"] = True
    Image.new("RGB", (3_000, 3_000), "red").save(path, kind, **options)
    with pytest.raises(PictureRefused) as refusal:
        imaging.render(path, tmp_path, ["w2560.webp.1"])
    assert refusal.value.code in ("decoding_took_too_much_memory", "broken_image")
