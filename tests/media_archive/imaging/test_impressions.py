"""Colours, brightness, placeholder and likeness of pictures whose answer is known."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageEnhance

from media_archive.decoder import impressions
from media_archive.imaging import Rendered
from tests.media_archive.imaging.drawings import a_photo, encoded

Render = Callable[..., Rendered]


def plain(colour: tuple[int, int, int]) -> Image.Image:
    return Image.new("RGB", (320, 240), colour)


def oklch(colour: str) -> tuple[float, float, float]:
    """Lightness, chroma and hue (degrees), by the definition and not by our code."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    )
    l_ = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    m_ = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    s_ = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    lightness = 0.2104542553 * l_ + 0.7936177850 * m_ - 0.0040720468 * s_
    a = 1.9779984951 * l_ - 2.4285922050 * m_ + 0.4505937099 * s_
    b_ = 0.0259040371 * l_ + 0.7827717662 * m_ - 0.8086757660 * s_
    return lightness, math.hypot(a, b_), math.degrees(math.atan2(b_, a)) % 360


@pytest.mark.parametrize(
    "colour",
    [(200, 40, 40), (30, 120, 50), (20, 30, 90), (200, 180, 40), (120, 40, 160)],
)
def test_the_tint_has_the_pictures_hue_and_always_the_same_lightness(
    colour: tuple[int, int, int],
) -> None:
    lightness, chroma, hue = oklch(impressions.tint(plain(colour)))
    assert abs(lightness - 0.92) < 0.01
    assert 0.02 < chroma < 0.075
    wanted = oklch("#{:02x}{:02x}{:02x}".format(*colour))[2]
    assert min(abs(hue - wanted), 360 - abs(hue - wanted)) < 4


@pytest.mark.parametrize("level", [0, 90, 255])
def test_grey_is_tinted_white(level: int) -> None:
    assert impressions.tint(plain((level, level, level))) == "#ffffff"
    assert impressions.tint(plain((level, level, max(level - 3, 0)))) == "#ffffff"


def test_the_dominant_colour_is_that_of_most_pixels() -> None:
    image = plain((200, 30, 30))
    image.paste((20, 20, 220), (0, 0, 120, 240))
    assert impressions.color(image) == "#c81e1e"


def test_luminance_is_that_of_the_brightest_half_per_cent() -> None:
    assert impressions.luma(plain((0, 0, 0))) == 0
    assert impressions.luma(plain((255, 255, 255))) == 1
    assert abs(impressions.luma(plain((188, 188, 188))) - 0.503) < 0.005
    assert abs(impressions.luma(plain((255, 0, 0))) - 0.2126) < 0.005
    few, enough = plain((0, 0, 0)), plain((0, 0, 0))
    few.paste((255, 255, 255), (0, 0, 320, 1))  # 0.4 %
    enough.paste((255, 255, 255), (0, 0, 320, 2))  # 0.8 %
    assert (impressions.luma(few), impressions.luma(enough)) == (0, 1)


@pytest.mark.parametrize("size", [(320, 240), (240, 320), (320, 8), (1, 1), (8, 900)])
def test_the_placeholder_is_a_tiny_picture_in_few_characters(
    size: tuple[int, int],
) -> None:
    for image in (Image.effect_noise(size, 200).convert("RGB"), a_photo(*size)):
        address = impressions.placeholder(image)
        assert len(address) <= 450
        head, _, content = address.partition(",")
        assert head == "data:image/webp;base64"
        small = Image.open(io.BytesIO(base64.b64decode(content)))
        assert max(small.size) <= 28
        assert max(small.size) >= min(14, *image.size)


def test_the_background_is_blurred_and_small(render: Render) -> None:
    image = Image.new("RGB", (1600, 1200), "black")
    pen = ImageDraw.Draw(image)
    for column in range(0, 1600, 20):
        pen.rectangle((column, 0, column + 9, 1200), fill="white")
    made = {m.spec: m for m in render(encoded(image), "bg.webp.1").made}
    content = made["bg.webp.1"].path.read_bytes()
    assert len(content) < 2_000
    shown = Image.open(io.BytesIO(content)).convert("L")
    assert shown.size == (160, 120)
    levels = shown.crop((20, 20, 140, 100)).tobytes()
    assert max(levels) - min(levels) < 30


def distance(one: int | None, other: int | None) -> int:
    assert one is not None and other is not None
    return ((one ^ other) & (2**64 - 1)).bit_count()


def likeness(image: Image.Image, **options: Any) -> Callable[[Render], int | None]:
    content = encoded(image, **options)
    return lambda render: render(content, "bg.webp.1").perceptual_hash


def test_alike_pictures_are_near_and_others_far(render: Render) -> None:
    photo = a_photo(900, 675)
    hashes = [
        likeness(image, quality=quality)(render)
        for image, quality in (
            (photo, 95),
            (photo, 40),
            (photo.resize((640, 480)), 85),
            (ImageEnhance.Brightness(photo).enhance(1.1), 85),
            (photo.crop((9, 7, 891, 668)), 85),
        )
    ]
    assert all(distance(hashes[0], other) <= 6 for other in hashes[1:])
    for seed in range(2, 8):
        other = likeness(a_photo(900, 675, seed))(render)
        assert distance(hashes[0], other) > 10


def test_hashes_fit_a_signed_column(render: Render) -> None:
    found = [likeness(a_photo(300, 200, seed))(render) for seed in range(12)]
    known = [one for one in found if one is not None]
    assert len(known) > 6
    assert all(-(2**63) <= one < 2**63 for one in known)
    assert min(known) < 0 < max(known)


@pytest.mark.parametrize(
    "image",
    [
        plain((30, 90, 200)),
        Image.linear_gradient("L").resize((320, 240)).convert("RGB"),
        Image.linear_gradient("L").rotate(90).resize((320, 240)).convert("RGB"),
        Image.effect_noise((320, 240), 3).convert("RGB"),
    ],
)
def test_what_has_too_little_detail_is_like_nothing(
    render: Render, image: Image.Image
) -> None:
    assert likeness(image)(render) is None
