"""The canvas that all scenes are drawn on: gradients, crisp shapes, soft light.

Everything that has an edge is drawn at twice the size and reduced; everything
soft is drawn at a quarter of the size and enlarged. Both are cheap, and together
they look like more than Pillow's drawing functions alone give.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from random import Random

from PIL import Image, ImageChops, ImageFilter

from photowall.sandbox.pictures.colours import Colour, mix
from photowall.sandbox.pictures.pen import Pen, Point

CRISP = 2
SOFT = 0.25


class Canvas:
    """A picture being drawn; ``unit`` is a hundredth of its shorter side."""

    def __init__(self, width: int, height: int, random: Random) -> None:
        self.width = width
        self.height = height
        self.random = random
        self.unit = min(width, height) / 100
        self.image = Image.new("RGB", (width, height))

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height

    def gradient(
        self,
        stops: Sequence[tuple[float, Colour]],
        top: float = 0,
        bottom: float | None = None,
    ) -> None:
        """Fills from ``top`` to ``bottom`` (pixels) with colours from above to
        below; a stop is (0 to 1, colour)."""
        low = self.height if bottom is None else bottom
        column = Image.new("RGB", (1, 256))
        for y in range(256):
            column.putpixel((0, y), _at(stops, y / 255))
        height = max(1, round(low - top))
        filled = column.resize((self.width, height), Image.Resampling.BICUBIC)
        self.image.paste(filled, (0, round(top)))

    @contextmanager
    def crisp(self, top: float = 0) -> Iterator[Pen]:
        """A pen for shapes with clean edges, in a layer above all so far. With
        ``top`` only what lies below that height is drawn on, which is faster."""
        first = min(self.height - 1, max(0, int(top)))
        band = (0, first, self.width, self.height)
        large = self.image.resize(
            (self.width * CRISP, (self.height - first) * CRISP),
            Image.Resampling.NEAREST,
            box=band,
        )
        yield Pen(large, CRISP, first)
        self.image.paste(large.reduce(CRISP), band)

    @contextmanager
    def light(self, blur: float = 0, strength: float = 1) -> Iterator[Pen]:
        """A pen that draws light: what it draws brightens what is there.

        ``blur`` is a radius in pixels of the finished picture.
        """
        small = Image.new("RGB", self._soft_size())
        yield Pen(small, SOFT)
        if blur:
            small = small.filter(ImageFilter.GaussianBlur(blur * SOFT))
        if strength != 1:
            small = small.point([min(255, round(v * strength)) for v in range(256)] * 3)
        self._screen(small.resize(self.size, Image.Resampling.BICUBIC))

    @contextmanager
    def soft(self, blur: float, opacity: float = 1) -> Iterator[Pen]:
        """A pen whose shapes come out blurred, over what is there."""
        small = Image.new("RGBA", self._soft_size())
        yield Pen(small, SOFT)
        # Blurred with the colours multiplied by alpha, else edges turn black.
        multiplied = small.convert("RGBa")
        blurred = multiplied.filter(ImageFilter.GaussianBlur(max(0.5, blur * SOFT)))
        layer = blurred.resize(self.size, Image.Resampling.BILINEAR).convert("RGBA")
        mask = layer.getchannel("A")
        if opacity != 1:
            mask = mask.point([round(v * opacity) for v in range(256)])
        self.image.paste(layer.convert("RGB"), (0, 0), mask)

    def glow(
        self,
        x: float,
        y: float,
        radius: float,
        shade: Colour,
        strength: float = 1,
        squash: float = 1,
        power: float = 2.2,
    ) -> None:
        """A round light that fades out towards ``radius``."""
        rx, ry = max(1.0, radius), max(1.0, radius * squash)
        left, top = max(0, math.ceil(x - rx)), max(0, math.ceil(y - ry))
        right, bottom = min(self.width, int(x + rx)), min(self.height, int(y + ry))
        if left >= right or top >= bottom:
            return
        # Only the part of the spot that falls on the picture, in its own pixels.
        part = (
            max(0.0, (left - x + rx) / rx * 128),
            max(0.0, (top - y + ry) / ry * 128),
            min(256.0, (right - x + rx) / rx * 128),
            min(256.0, (bottom - y + ry) / ry * 128),
        )
        mask = spot(power, strength).resize(
            (right - left, bottom - top), Image.Resampling.BILINEAR, box=part
        )
        lit = Image.merge(
            "RGB",
            [mask.point([v * one // 255 for v in range(256)]) for one in shade],
        )
        box = (left, top, right, bottom)
        self.image.paste(ImageChops.screen(self.image.crop(box), lit), box)

    def veil(self, shade: Colour, stops: Sequence[tuple[float, float]]) -> None:
        """Lays ``shade`` over the picture; a stop is (0 to 1 from above, opacity)."""
        column = Image.new("L", (1, 256))
        for y in range(256):
            column.putpixel((0, y), round(255 * _level(stops, y / 255)))
        mask = column.resize(self.size, Image.Resampling.BILINEAR)
        self.image.paste(shade, (0, 0, *self.size), mask)

    def noise(self, across: int, octaves: int = 3, stretch: float = 1) -> Image.Image:
        """Cloudy grey, 0 to 255: about ``across`` lumps over the width.

        ``stretch`` above 1 draws the lumps out sideways.
        """
        width, height = self._soft_size()
        total: Image.Image | None = None
        for octave in range(octaves):
            columns = max(2, across * 2**octave)
            rows = max(2, round(columns * height / width * stretch))
            raw = self.random.randbytes(columns * rows)
            layer = Image.frombytes("L", (columns, rows), raw)
            layer = layer.resize((width, height), Image.Resampling.BICUBIC)
            if total is None:
                total = layer
            else:
                total = Image.blend(total, layer, 0.5 ** (octave + 1))
        if total is None:
            raise ValueError("noise needs at least one octave")
        return total

    def clouds(
        self,
        shade: Colour,
        across: int = 3,
        cover: float = 0.5,
        opacity: float = 0.7,
        stretch: float = 2.5,
        stops: Sequence[tuple[float, float]] = ((0, 1), (1, 1)),
    ) -> None:
        """Drifting cloud or mist; ``stops`` says where from above to below."""
        low = 255 * (1 - cover)
        curve = [
            round(255 * opacity * _ease(min(1.0, max(0.0, (v - low) / 90))))
            for v in range(256)
        ]
        mask = self.noise(across, 4, stretch).point(curve)
        column = Image.new("L", (1, 256))
        for y in range(256):
            column.putpixel((0, y), round(255 * _level(stops, y / 255)))
        mask = ImageChops.multiply(mask, column.resize(mask.size))
        large = mask.resize(self.size, Image.Resampling.BICUBIC)
        self.image.paste(shade, (0, 0, *self.size), large)

    def finish(self, grain: int = 5, vignette: float = 0.25) -> None:
        """A breath of film grain, which also hides the bands of dark gradients,
        and slightly darker corners."""
        if vignette:
            edge = Image.radial_gradient("L").point(
                [round(255 * (1 - vignette * (v / 255) ** 3)) for v in range(256)]
            )
            mask = edge.resize(self.size, Image.Resampling.BILINEAR)
            self.image = ImageChops.multiply(
                self.image, Image.merge("RGB", (mask, mask, mask))
            )
        if grain:
            tile = Image.frombytes("L", (256, 256), self.random.randbytes(65536))
            tile = tile.point([round(v * grain / 255) for v in range(256)])
            sheet = Image.new("L", self.size)
            for left in range(0, self.width, 256):
                for top in range(0, self.height, 256):
                    sheet.paste(tile, (left, top))
            self.image = ImageChops.add(
                self.image, Image.merge("RGB", (sheet, sheet, sheet)), 1, -(grain // 2)
            )

    def _soft_size(self) -> tuple[int, int]:
        return round(self.width * SOFT), round(self.height * SOFT)

    def _screen(self, layer: Image.Image) -> None:
        self.image = ImageChops.screen(self.image, layer)


def spot(power: float, strength: float = 1) -> Image.Image:
    """A round grey spot, 256 pixels wide, bright in the middle, 0 at its rim."""
    # The gradient is 255 in its corners, so it is 180 where the circle touches.
    curve = [
        round(255 * min(1.0, strength) * (1 - min(1.0, v / 180)) ** power)
        for v in range(256)
    ]
    return Image.radial_gradient("L").point(curve)


def ridge(
    random: Random, width: float, base: float, rise: float, peaks: float, rough: int = 4
) -> list[Point]:
    """A mountain line from the left to the right border around the height
    ``base``: waves of about ``peaks`` per width, each finer and smaller."""
    waves = []
    for octave in range(rough):
        rate = peaks * 2**octave * random.uniform(0.8, 1.25)
        waves.append((rate, random.uniform(0, math.tau), rise * 0.5**octave))
    points = []
    for step in range(161):
        x = step / 160
        y = sum(high * math.sin(rate * x * math.tau + at) for rate, at, high in waves)
        points.append((x * width, base - y / 2))
    return points


def _at(stops: Sequence[tuple[float, Colour]], place: float) -> Colour:
    for (a, one), (b, other) in pairwise(stops):
        if place <= b:
            return mix(one, other, (place - a) / (b - a) if b > a else 1)
    return stops[-1][1]


def _level(stops: Sequence[tuple[float, float]], place: float) -> float:
    for (a, one), (b, other) in pairwise(stops):
        if place <= b:
            return one + (other - one) * max(0, place - a) / (b - a) if b > a else other
    return stops[-1][1]


def _ease(share: float) -> float:
    return share * share * (3 - 2 * share)
