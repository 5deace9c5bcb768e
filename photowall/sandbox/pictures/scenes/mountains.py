"""Mountains: layers in mist, snow under blue, dunes."""

from __future__ import annotations

from random import Random

from PIL import Image

from photowall.sandbox.pictures.canvas import Canvas, ridge
from photowall.sandbox.pictures.colours import Colour, colour, colours, lighter, mix
from photowall.sandbox.pictures.pen import Pen, Point, smooth

MISTS = [
    "#dfe9ea #f6efe2 #8fb0b5 #10302f",
    "#f3d9c4 #fbead0 #c58f86 #2b1a33",
    "#c9dcf0 #eef4fb #7f9cc0 #0e1e38",
    "#fbd9a8 #fff0cf #d08b5b #3a1710",
]


def mist(canvas: Canvas) -> str:
    """Ranges one behind the other, each paler, mist between them."""
    random, unit = canvas.random, canvas.unit
    high, low, far, near = colours(random.choice(MISTS))
    width, height = canvas.size
    canvas.gradient([(0, high), (0.6, low), (1, low)])
    x = width * random.uniform(0.25, 0.75)
    canvas.glow(x, height * 0.28, unit * 45, (255, 244, 220), 0.7)
    with canvas.soft(unit * 0.25, 0.9) as pen:
        pen.circle(x, height * 0.28, unit * 5, (255, 251, 240))
    layers = 5
    for layer in range(layers):
        share = layer / (layers - 1)
        base = height * (0.42 + 0.125 * layer)
        line = ridge(random, width, base, unit * (9 + 5 * share), 0.9 + share * 0.9, 6)
        shade = mix(far, near, share**1.1)
        with canvas.crisp(min(y for _, y in line) - unit * 8) as pen:
            pen.polygon([*line, (width, height), (0, height)], shade)
            if layer >= layers - 2:
                _firs(canvas, pen, line, shade, 1.2 + 2.6 * (share - 0.6))
        top = base / height
        canvas.veil(
            low,
            [
                (0, 0),
                (top - 0.02, 0),
                (top + 0.17, 0.62 * (1 - share)),
                (1, 0.5 * (1 - share)),
            ],
        )
    canvas.clouds(
        low, 3, 0.4, 0.4, 5, ((0, 0), (0.4, 0.3), (0.7, 0.9), (0.85, 0.1), (1, 0))
    )
    canvas.finish(grain=6, vignette=0.2)
    return "Mountain ranges in the morning mist"


def _firs(
    canvas: Canvas, pen: Pen, line: list[Point], shade: Colour, size: float
) -> None:
    random, unit = canvas.random, canvas.unit
    for x, y in line:
        for _ in range(2):
            at = x + random.uniform(-1, 1) * unit
            tall = unit * size * random.uniform(0.7, 2.3)
            half = tall * 0.2
            points = [(at, y - tall)]
            for step in range(1, 4):
                points += [
                    (at + half * step / 3, y - tall + tall * step / 3),
                    (at + half * step / 5, y - tall + tall * step / 3),
                ]
            for step in range(3, 0, -1):
                points += [
                    (at - half * step / 5, y - tall + tall * step / 3),
                    (at - half * step / 3, y - tall + tall * step / 3),
                ]
            pen.polygon(
                [
                    *points[:7],
                    (at + half, y + unit),
                    (at - half, y + unit),
                    *points[7:],
                ],
                shade,
            )


def snow(canvas: Canvas) -> str:
    """White peaks with blue shadows above dark green hills, and a lake."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    high, low = colours(
        random.choice(["#1d63b0 #a8d4f0", "#2b5fa5 #f2c8b0", "#3c86c4 #dff0f8"])
    )
    canvas.gradient([(0, high), (0.62, low), (1, low)])
    canvas.clouds(
        (255, 255, 255), 2, 0.42, 0.8, 4, ((0, 0.5), (0.35, 1), (0.5, 0.2), (1, 0))
    )
    lake = height * 0.8
    peaks = _peaks(canvas, height * 0.62)
    with canvas.crisp() as pen:
        for top in sorted(peaks, key=lambda peak: peak[1]):
            _peak(canvas, pen, top, lake, mix(low, (255, 255, 255), 0.75))
    canvas.veil(low, [(0, 0), (0.4, 0), (0.72, 0.7), (0.8, 0.75), (0.81, 0), (1, 0)])
    with canvas.crisp() as pen:
        for layer, shade in enumerate(colours("#3f6b6a #234c47 #12322e")):
            line = ridge(
                random, width, lake - unit * (11 - layer * 4), unit * 5, 1.3, 5
            )
            pen.polygon([*line, (width, lake), (0, lake)], shade)
            _firs(canvas, pen, line, shade, 0.8 + layer * 0.8)
    mirror = canvas.image.crop((0, round(2 * lake - height), width, round(lake)))
    canvas.image.paste(
        mirror.transpose(Image.Transpose.FLIP_TOP_BOTTOM), (0, round(lake))
    )
    canvas.veil(colour("#173a5a"), [(0, 0), (0.8, 0), (0.802, 0.3), (1, 0.6)])
    with canvas.crisp() as pen:
        y, gap = lake, unit * 0.5
        while y < height:
            for _ in range(5):
                pen.ellipse(
                    random.uniform(0, width),
                    y,
                    unit * random.uniform(3, 14),
                    gap * 0.16,
                    (225, 240, 250),
                    0.3,
                )
            y += gap
            gap *= 1.09
    canvas.finish(grain=5, vignette=0.2)
    return "Snowy peaks above a still lake"


def _peaks(canvas: Canvas, base: float) -> list[Point]:
    random = canvas.random
    places = [0.08, 0.3, 0.52, 0.75, 0.98]
    high = random.choice([1, 2, 3])
    return [
        (
            (place + random.uniform(-0.06, 0.06)) * canvas.width,
            base
            - canvas.unit
            * (random.uniform(27, 34) if n == high else random.uniform(8, 20)),
        )
        for n, place in enumerate(places)
    ]


def _peak(canvas: Canvas, pen: Pen, top: Point, foot: float, white: Colour) -> None:
    """Rock with a cap of snow, each with a side in the light and one in shade."""
    random, unit = canvas.random, canvas.unit
    x, y = top
    tall = foot - y
    left = (x - tall * random.uniform(0.8, 1.05), foot)
    right = (x + tall * random.uniform(0.8, 1.05), foot)
    west, east = _rough(random, top, left, unit), _rough(random, top, right, unit)
    spine = _rough(random, top, (x + tall * 0.12, foot), unit * 2)
    rock = mix(white, colour("#4a6480"), 0.62)
    pen.polygon([*west, *spine[::-1]], rock)
    pen.polygon([*east, *spine[::-1]], mix(rock, colour("#22344c"), 0.6))
    cold = mix(white, colour("#5c86b8"), 0.5)
    for slope, shade in ((west, white), (east, cold)):
        pen.polygon([*slope[:9], *_tongues(random, slope, spine), *spine[5::-1]], shade)


def _tongues(random: Random, slope: list[Point], spine: list[Point]) -> list[Point]:
    """The lower border of the snow: long and short tongues from slope to spine."""
    (x0, y0), (x1, y1) = slope[8], spine[5]
    points = []
    for step in range(1, 12):
        share = step / 12
        hang = random.uniform(0.25, 0.75) if step % 2 else random.uniform(-0.5, 0.0)
        points.append(
            (x0 + (x1 - x0) * share, y0 + (y1 - y0) * share + hang * abs(y1 - y0))
        )
    return points


def _rough(random: Random, start: Point, end: Point, unit: float) -> list[Point]:
    """A line from ``start`` to ``end`` in fifteen shaky steps."""
    points = [start]
    for step in range(1, 14):
        share = step / 14
        points.append(
            (
                start[0]
                + (end[0] - start[0]) * share
                + random.uniform(-0.7, 0.7) * unit,
                start[1]
                + (end[1] - start[1]) * share
                + random.uniform(-0.9, 0.9) * unit,
            )
        )
    return [*points, end]


def dunes(canvas: Canvas) -> str:
    """Sand ridges with one side in the light and the other in shade."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    high, low, light, dark = colours(
        random.choice(
            [
                "#31407f #f0a080 #e08a54 #5a2436",
                "#5fa6d4 #fbeacb #edb878 #9c5a34",
                "#20285a #d96a6a #d07a4c #3a1830",
            ]
        )
    )
    canvas.gradient([(0, high), (0.62, low), (1, low)])
    sun = width * random.uniform(0.15, 0.4)
    canvas.glow(sun, height * 0.5, unit * 60, lighter(low, 0.4), 0.6)
    side = random.choice([0, 1])
    for layer in range(4):
        share = layer / 3
        peak = width * (
            random.uniform(0.12, 0.38)
            if layer % 2 == side
            else random.uniform(0.6, 0.88)
        )
        base = height * (0.55 + 0.125 * layer)
        _dune(
            canvas,
            (peak, base - unit * (13 + 6 * share) * random.uniform(0.8, 1.1)),
            base,
            mix(lighter(low, 0.1), light, 0.35 + 0.65 * share),
            mix(mix(low, dark, 0.4), dark, share),
        )
    canvas.finish(grain=12, vignette=0.25)
    return "Sand dunes in evening light"


def _dune(canvas: Canvas, top: Point, base: float, lit: Colour, shade: Colour) -> None:
    """One crest with a peak; an S-shaped edge parts light and shade below it."""
    unit, (width, height) = canvas.unit, canvas.size
    x, y = top
    rise = base - y
    west = smooth(
        [
            (-unit, base + rise * 0.1),
            (x * 0.45, base - rise * 0.3),
            (x * 0.8, y + rise * 0.16),
            top,
        ]
    )
    gap = width - x
    east = smooth(
        [
            top,
            (x + gap * 0.22, y + rise * 0.3),
            (x + gap * 0.6, base - rise * 0.12),
            (width + unit, base + rise * 0.12),
        ]
    )
    edge = smooth(
        [
            top,
            (x + rise * 0.5, y + rise * 0.75),
            (x + rise * 0.1, y + rise * 1.6),
            (x - rise * 0.6, y + rise * 2.4),
            (x - rise * 0.2, y + rise * 3.4),
            (x + rise, height + unit * 9),
        ]
    )
    with canvas.crisp() as pen:
        pen.polygon([*west, *east, (width, height), (0, height)], lit)
        pen.polygon([*east, (width, height), *edge[::-1]], shade)
    canvas.veil(lit, [(0, 0), (base / height, 0), (1, 0.45)])
