"""A pen that draws in pixels of the finished picture, whatever the real scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from photowall.sandbox.pictures.colours import Colour

Point = tuple[float, float]


class Pen:
    """Draws shapes on ``image``, which is ``scale`` times the finished size and
    shows it from the height ``top`` on.

    An ``opacity`` below 1 lets what lies underneath shine through.
    """

    def __init__(self, image: Image.Image, scale: float, top: float = 0) -> None:
        self.scale = scale
        self.top = top
        self._draw = ImageDraw.Draw(image, "RGBA")

    def _fill(self, fill: Colour, opacity: float) -> tuple[int, int, int, int]:
        return (*fill, round(255 * min(1.0, max(0.0, opacity))))

    def _scaled(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.scale, (y - self.top) * self.scale) for x, y in points]

    def polygon(
        self, points: Sequence[Point], fill: Colour, opacity: float = 1
    ) -> None:
        """A filled shape with straight sides."""
        self._draw.polygon(self._scaled(points), fill=self._fill(fill, opacity))

    def blob(self, points: Sequence[Point], fill: Colour, opacity: float = 1) -> None:
        """A filled shape whose outline runs smoothly through ``points``."""
        self.polygon(smooth(points, closed=True), fill, opacity)

    def circle(
        self, x: float, y: float, radius: float, fill: Colour, opacity: float = 1
    ) -> None:
        """A filled circle around (``x``, ``y``)."""
        self.ellipse(x, y, radius, radius, fill, opacity)

    def ellipse(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        fill: Colour,
        opacity: float = 1,
        turn: float = 0,
    ) -> None:
        """A filled ellipse around (``x``, ``y``), turned by ``turn`` radians."""
        if turn:
            self.polygon(ellipse_points(x, y, rx, ry, turn), fill, opacity)
            return
        self._draw.ellipse(
            self._scaled([(x - rx, y - ry), (x + rx, y + ry)]),
            fill=self._fill(fill, opacity),
        )

    def ring(
        self,
        x: float,
        y: float,
        radius: float,
        width: float,
        fill: Colour,
        **more: float,
    ) -> None:
        """A circle line of ``width``."""
        self._draw.ellipse(
            self._scaled([(x - radius, y - radius), (x + radius, y + radius)]),
            outline=self._fill(fill, more.get("opacity", 1)),
            width=max(1, round(width * self.scale)),
        )

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: Colour,
        opacity: float = 1,
        radius: float = 0,
    ) -> None:
        """A filled rectangle from its upper left corner, with round corners."""
        self._draw.rounded_rectangle(
            self._scaled([(x, y), (x + width, y + height)]),
            radius * self.scale,
            fill=self._fill(fill, opacity),
        )

    def line(
        self,
        points: Sequence[Point],
        width: float,
        fill: Colour,
        opacity: float = 1,
        rounded: bool = False,
    ) -> None:
        """A line through ``points``; ``rounded`` gives it round ends."""
        thick = max(1, round(width * self.scale))
        self._draw.line(
            self._scaled(points), self._fill(fill, opacity), thick, joint="curve"
        )
        if rounded:
            for x, y in (points[0], points[-1]):
                self.circle(x, y, width / 2, fill, opacity)

    def arc(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        start: float,
        end: float,
        width: float,
        fill: Colour,
    ) -> None:
        """Part of an ellipse's line, from ``start`` to ``end`` degrees."""
        self._draw.arc(
            self._scaled([(x - rx, y - ry), (x + rx, y + ry)]),
            start,
            end,
            self._fill(fill, 1),
            max(1, round(width * self.scale)),
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        fill: Colour,
        opacity: float = 1,
        weight: float = 0,
        anchor: str = "ls",
    ) -> float:
        """Writes in Pillow's own typeface; ``weight`` thickens it by a share of
        the size. Returns the width of the text."""
        font = ImageFont.load_default(size * self.scale)
        ink = self._fill(fill, opacity)
        self._draw.text(
            (x * self.scale, (y - self.top) * self.scale),
            text,
            ink,
            font,
            anchor=anchor,
            stroke_width=round(weight * size * self.scale),
            stroke_fill=ink,
        )
        return self._draw.textlength(text, font) / self.scale


def ellipse_points(
    x: float, y: float, rx: float, ry: float, turn: float = 0, count: int = 48
) -> list[Point]:
    """The outline of an ellipse, turned by ``turn`` radians around its middle."""
    cos, sin = math.cos(turn), math.sin(turn)
    points = []
    for step in range(count):
        angle = step / count * math.tau
        dx, dy = rx * math.cos(angle), ry * math.sin(angle)
        points.append((x + dx * cos - dy * sin, y + dx * sin + dy * cos))
    return points


def smooth(
    points: Sequence[Point], closed: bool = False, steps: int = 8
) -> list[Point]:
    """A Catmull-Rom curve through ``points``."""
    count = len(points)
    out: list[Point] = []
    for index in range(count if closed else count - 1):
        if closed:
            p0, p1, p2, p3 = (points[(index + k) % count] for k in (-1, 0, 1, 2))
        else:
            p0, p1, p2, p3 = (
                points[min(count - 1, max(0, index + k))] for k in (-1, 0, 1, 2)
            )
        for step in range(steps):
            t = step / steps
            out.append(
                (
                    _between(p0[0], p1[0], p2[0], p3[0], t),
                    _between(p0[1], p1[1], p2[1], p3[1], t),
                )
            )
    if not closed:
        out.append(points[-1])
    return out


def _between(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (
        2 * b
        + (c - a) * t
        + (2 * a - 5 * b + 4 * c - d) * t * t
        + (3 * b - a - 3 * c + d) * t * t * t
    )
