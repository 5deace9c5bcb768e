"""What is computed from the pixels: colours, brightness, placeholder, likeness.

All take a small RGB picture: none needs more than a few thousand pixels.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence

from PIL import Image, ImageFilter

from media_archive.decoder import encoding

PLACEHOLDER_SIDE = 28
PLACEHOLDER_CHARACTERS = 450
TINT_LIGHTNESS, TINT_CHROMA = 0.92, 0.07
GREY = 0.02
"""OKLCH chroma below which a colour has no hue worth showing."""
BRIGHTEST = 0.995
BLUR = 9
"""Radius, of 160 pixels across."""
WEAK, STRONG_NEEDED, SIDED = 3, 24, 6

_DATA = "data:image/webp;base64,"


def background(image: Image.Image) -> Image.Image:
    """``image``, 160 pixels across, blurred for good."""
    return image.filter(ImageFilter.GaussianBlur(BLUR))


def placeholder(image: Image.Image) -> str:
    """A ``data:`` address of at most 450 characters."""
    for side in (PLACEHOLDER_SIDE, 20, 14, 8):
        small = image.copy()
        small.thumbnail((side, side), Image.Resampling.BOX)
        for quality in (50, 30, 15, 0):
            content = encoding.webp(small, quality)
            address = _DATA + base64.b64encode(content).decode("ascii")
            if len(address) <= PLACEHOLDER_CHARACTERS:
                return address
    return ""


def color(image: Image.Image) -> str:
    """The dominant colour, ``#rrggbb``: the one that most pixels are near to."""
    small = image.resize((48, 48), Image.Resampling.BOX)
    reduced = small.quantize(8, Image.Quantize.MEDIANCUT)
    counts = reduced.histogram()
    most = counts.index(max(counts))
    palette = reduced.getpalette() or [0, 0, 0]
    return _hex(palette[3 * most : 3 * most + 3])


def tint(image: Image.Image) -> str:
    """The hue of the mean colour, so light that text in it can be read on dark; white
    where the picture is grey (UX specification, section 2)."""
    pixel = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    red, green, blue = pixel if isinstance(pixel, tuple) else (0, 0, 0)
    a, b = _oklab(red, green, blue)
    if math.hypot(a, b) < GREY:
        return "#ffffff"
    hue = math.atan2(b, a)
    chroma = TINT_CHROMA
    while True:
        shown = _linear_rgb(
            TINT_LIGHTNESS, chroma * math.cos(hue), chroma * math.sin(hue)
        )
        # Less chroma, never less lightness: that is what keeps the contrast.
        if all(-0.0005 <= part <= 1.0005 for part in shown) or chroma <= 0:
            return _hex([round(255 * _encoded(part)) for part in shown])
        chroma -= 0.0025


def luma(image: Image.Image) -> float:
    """Luminance (WCAG's, 0 to 1) that 99.5 % of the pixels do not exceed."""
    table = [round(255 * _linear(level)) for level in range(256)]
    linear = image.point(table * 3)
    levels = linear.convert("L", (0.2126, 0.7152, 0.0722, 0)).histogram()
    left = sum(levels) * (1 - BRIGHTEST)
    for level in range(255, -1, -1):
        left -= levels[level]
        if left < 0:
            return round(level / 255, 4)
    return 0.0


def perceptual_hash(image: Image.Image) -> int | None:
    """dHash: 64 bits, each "brighter than its right neighbour" in 9 by 8 pixels, as a
    signed number. ``None`` when there is too little detail to tell pictures apart:
    then noise, or one soft slope, decides most bits."""
    grey = image.convert("L").resize((9, 8), Image.Resampling.BOX)
    levels = grey.tobytes()
    steps = [
        levels[row * 9 + column] - levels[row * 9 + column + 1]
        for row in range(8)
        for column in range(8)
    ]
    bits = sum((step > 0) << (63 - place) for place, step in enumerate(steps))
    strong = sum(abs(step) >= WEAK for step in steps)
    if strong < STRONG_NEEDED or not SIDED <= bits.bit_count() <= 64 - SIDED:
        return None
    return bits - (1 << 64) if bits >> 63 else bits


def _hex(parts: Sequence[int]) -> str:
    return "#" + "".join(f"{min(255, max(0, part)):02x}" for part in parts)


def _linear(level: float) -> float:
    part = level / 255
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _encoded(part: float) -> float:
    part = min(1.0, max(0.0, part))
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _oklab(red: float, green: float, blue: float) -> tuple[float, float]:
    """The a and b of OKLab, by its published matrices."""
    r, g, b = _linear(red), _linear(green), _linear(blue)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _linear_rgb(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
