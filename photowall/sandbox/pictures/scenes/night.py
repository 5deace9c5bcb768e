"""Points of light: out-of-focus lamps, and fireworks over roofs."""

from __future__ import annotations

import math

from photowall.sandbox.pictures.canvas import Canvas
from photowall.sandbox.pictures.colours import (
    Colour,
    colour,
    colours,
    darker,
    lighter,
    mix,
)
from photowall.sandbox.pictures.pen import Pen

PALETTES = [
    "#170a24 #3c1440 #ff7a5c #c07bff #ffb86b #7fb4ff",
    "#04121f #0b3550 #6fd0ff #ffd98a #8affd2 #ff9ecb",
    "#1c0d05 #4a230c #ffb347 #ff7847 #ffe2a8 #ff5a5a",
]


def bokeh(canvas: Canvas) -> str:
    """Lamps far out of focus: soft discs with a bright rim."""
    night, middle, *lamps = colours(canvas.random.choice(PALETTES))
    canvas.gradient([(0, night), (0.6, middle), (1, night)])
    discs(canvas, lamps, 85)
    canvas.finish(grain=8, vignette=0.3)
    return "City lights out of focus"


def discs(canvas: Canvas, lamps: list[Colour], count: int) -> None:
    """Lays ``count`` soft discs of light over the picture, small ones last."""
    random, unit = canvas.random, canvas.unit
    for blur, low, high, part in (
        (1.6, 6, 12, 0.3),
        (0.7, 3, 7, 0.4),
        (0.6, 1, 3, 0.3),
    ):
        with canvas.light(blur=blur * unit) as pen:
            for _ in range(round(count * part)):
                x = random.uniform(-0.05, 1.05) * canvas.width
                y = random.triangular(-0.05, 1.05, 0.5) * canvas.height
                size, lamp = unit * random.uniform(low, high), random.choice(lamps)
                share = random.uniform(0.18, 0.5)
                pen.circle(x, y, size, lamp, share)
                pen.ring(
                    x, y, size, unit * 0.45, lighter(lamp, 0.3), opacity=share * 0.9
                )


def fireworks(canvas: Canvas) -> str:
    """Bursts at different heights above the roofs of a town."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    high, low = colours(
        random.choice(["#050a24 #24305e", "#0c0620 #43204e", "#02101a #0f3d4a"])
    )
    canvas.gradient([(0, high), (0.85, low), (1, darker(low, 0.3))])
    canvas.clouds(lighter(low, 0.2), 2, 0.45, 0.3, 3, ((0, 0.3), (0.7, 1), (1, 0.5)))
    pairs = [
        "#ffd27a #ff6a3c",
        "#ffffff #7fb8ff",
        "#ff9ad0 #c03cff",
        "#b8ffb0 #2fd8a0",
        "#fff2c0 #ff3c5a",
    ]
    random.shuffle(pairs)
    tall = height > width * 1.1
    places = (
        [(0.32, 0.27), (0.72, 0.2), (0.6, 0.47)]
        if tall
        else [(0.25, 0.32), (0.55, 0.25), (0.82, 0.42)]
    )
    for (px, py), pair in zip(places, pairs, strict=False):
        x, y = (
            width * (px + random.uniform(-0.06, 0.06)),
            height * (py + random.uniform(-0.04, 0.04)),
        )
        inner, outer = colours(pair)
        size = unit * random.uniform(19, 30)
        canvas.glow(x, y, size * 1.7, outer, 0.4)
        with canvas.crisp() as pen:
            _burst(canvas, pen, x, y, size, inner, outer)
        canvas.glow(x, y, size * 0.5, inner, 0.9)
    _roofs(canvas, darker(high, 0.5))
    canvas.finish(grain=7, vignette=0.25)
    return "Fireworks above the roofs of a town"


def _burst(
    canvas: Canvas,
    pen: Pen,
    x: float,
    y: float,
    size: float,
    inner: Colour,
    outer: Colour,
) -> None:
    """Trails that fly out, bend down and end in a spark."""
    random, unit = canvas.random, canvas.unit
    for _ in range(150):
        turn = random.uniform(0, math.tau)
        reach = size * math.sqrt(random.uniform(0.06, 1.0))
        last = None
        for step in range(9):
            share = 0.15 + 0.85 * step / 8
            point = (
                x + math.cos(turn) * reach * share,
                y + math.sin(turn) * reach * share + size * 0.16 * share**2.4,
            )
            if last:
                shade = mix(inner, outer, share)
                pen.line([last, point], unit * 0.26 * share, shade, 0.15 + 0.75 * share)
            last = point
        if last:
            pen.circle(*last, unit * random.uniform(0.2, 0.45), lighter(inner, 0.5))


def _roofs(canvas: Canvas, shade: Colour) -> None:
    random, unit = canvas.random, canvas.unit
    with canvas.crisp() as pen:
        for row in range(2):
            ink = lighter(shade, 0.08) if row == 0 else shade
            base = canvas.height - unit * (13 - 7 * row)
            x = -unit * 4
            while x < canvas.width:
                wide, high = unit * random.uniform(6, 12), unit * random.uniform(0, 8)
                top = base - high
                pen.box(x, top, wide + 1, canvas.height, ink)
                if random.random() < 0.6:
                    pen.polygon(
                        [
                            (x - unit * 0.5, top),
                            (x + wide + unit * 0.5, top),
                            (x + wide / 2, top - wide * 0.45),
                        ],
                        ink,
                    )
                if random.random() < 0.4:
                    pen.box(
                        x + wide * 0.65, top - unit * 3.5, unit * 1.2, unit * 4, ink
                    )
                for _ in range(random.randint(0, 3)):
                    pen.box(
                        x + random.uniform(0.15, 0.75) * wide,
                        top + random.uniform(1.5, 7) * unit,
                        unit,
                        unit * 1.3,
                        colour("#ffd98a"),
                        0.8,
                    )
                x += wide
