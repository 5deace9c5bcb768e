"""Colours as three numbers from 0 to 255, and what can be done with them."""

from __future__ import annotations

import colorsys

from PIL import ImageColor

Colour = tuple[int, int, int]


def colour(text: str) -> Colour:
    """``"#ff8800"`` as numbers."""
    red, green, blue = ImageColor.getrgb(text)[:3]
    return red, green, blue


def colours(text: str) -> list[Colour]:
    """Several, parted by spaces."""
    return [colour(word) for word in text.split()]


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """``one`` at share 0, ``other`` at share 1, evenly between."""
    share = min(1.0, max(0.0, share))
    red, green, blue = (
        round(a + (b - a) * share) for a, b in zip(one, other, strict=True)
    )
    return red, green, blue


def darker(one: Colour, share: float) -> Colour:
    """Towards black by ``share`` (0 to 1)."""
    return mix(one, (0, 0, 0), share)


def lighter(one: Colour, share: float) -> Colour:
    """Towards white by ``share`` (0 to 1)."""
    return mix(one, (255, 255, 255), share)


def turned(one: Colour, hue: float) -> Colour:
    """The colour with its hue turned by ``hue`` (1 is once around)."""
    h, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in one))
    red, green, blue = colorsys.hls_to_rgb((h + hue) % 1.0, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)
