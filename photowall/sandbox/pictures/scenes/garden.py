"""Plants: a flower close up, a meadow of them, a forest with light between trunks."""

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
from photowall.sandbox.pictures.pen import Pen, Point, smooth

FLOWERS = [
    "#ffffff #d9def0 #f7b92b #2b4a6e #7fa6c4",
    "#ff7fb0 #c93a7a #ffd75c #123a30 #5ea07a",
    "#ffb84d #e8651f #6a2a12 #2a3a1c #9cb860",
    "#a88bff #5a3fc0 #ffe27a #1e2148 #6f86c4",
    "#ff6b5c #b51f2e #3a1020 #10302c #4f8f80",
]


def flower(canvas: Canvas) -> str:
    """One flower fills the picture; others are out of focus behind it."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    petal, base, heart, low, high = colours(random.choice(FLOWERS))
    canvas.gradient([(0, high), (1, low)])
    for _ in range(9):
        x, y = random.uniform(0, width), random.uniform(0, height * 0.8)
        with_size = unit * random.uniform(9, 22)
        canvas.glow(x, y, with_size, lighter(high, 0.3), 0.35, power=0.6)
    with canvas.soft(unit * 2.2, 0.75) as pen:
        for _ in range(4):
            x, y = random.uniform(0, width), random.uniform(height * 0.6, height)
            pen.line(
                [(x, y), (x + unit * 3, height + unit * 9)], unit, darker(high, 0.4)
            )
            _bloom(
                canvas,
                pen,
                (x, y),
                unit * random.uniform(8, 13),
                petal,
                base,
                heart,
                11,
            )
    x, y = width * random.uniform(0.42, 0.58), height * random.uniform(0.4, 0.5)
    with canvas.soft(unit * 0.8) as pen:
        stem = smooth(
            [(x, y), (x + unit * 3, y + unit * 34), (x - unit * 1, height + unit * 5)]
        )
        pen.line(stem, unit * 2.4, darker(colour("#3f7a3a"), 0.35))
        pen.line([(a - unit * 0.5, b) for a, b in stem], unit * 0.9, colour("#5a9a48"))
    size = unit * random.uniform(33, 38)
    with canvas.soft(unit * 2, 0.35) as pen:
        pen.circle(x + unit * 1.5, y + unit * 3, size * 0.92, low)
    with canvas.crisp() as pen:
        _bloom(
            canvas, pen, (x, y), size, petal, base, heart, random.choice([13, 17, 21])
        )
    canvas.glow(x - unit * 8, y - unit * 12, unit * 45, (255, 255, 255), 0.14)
    canvas.finish(grain=7, vignette=0.3)
    return "A flower in bloom, close up"


def _bloom(
    canvas: Canvas,
    pen: Pen,
    middle: Point,
    size: float,
    petal: Colour,
    base: Colour,
    heart: Colour,
    count: int,
) -> None:
    """Two rows of petals around a heart of small seeds."""
    random = canvas.random
    x, y = middle
    for row in range(2):
        reach = size * (1 - 0.16 * row)
        for index in range(count):
            turn = (index + row * 0.5) / count * math.tau + random.uniform(-0.06, 0.06)
            light = 0.5 - 0.5 * math.cos(turn - 0.8)
            shade = mix(petal, base, 0.28 * light + (0.3 if row == 0 else 0.0))
            _petal(
                pen,
                x,
                y,
                turn,
                reach * random.uniform(0.93, 1.05),
                math.pi * size / count * 0.85,
                shade,
                base,
            )
    core = size * 0.27
    pen.circle(x, y, core * 1.06, darker(base, 0.25), 0.55)
    pen.circle(x, y, core, darker(heart, 0.18))
    for seed in range(190):
        reach = core * 0.95 * math.sqrt(seed / 190)
        turn = seed * 2.399963
        shade = (
            lighter(heart, 0.3 * (1 - seed / 190)) if seed % 3 else darker(heart, 0.2)
        )
        pen.circle(
            x + reach * math.cos(turn), y + reach * math.sin(turn), core * 0.055, shade
        )


def _petal(
    pen: Pen,
    x: float,
    y: float,
    turn: float,
    length: float,
    half: float,
    shade: Colour,
    base: Colour,
) -> None:
    cos, sin = math.cos(turn), math.sin(turn)

    def at(along: float, aside: float) -> Point:
        u, v = along * length, aside * half
        return x + u * cos - v * sin, y + u * sin + v * cos

    edge = darker(mix(shade, base, 0.5), 0.12)
    outline = [
        at(0.1, -0.2),
        at(0.45, -0.85),
        at(0.8, -0.95),
        at(0.98, -0.35),
        at(1, 0.1),
        at(0.95, 0.45),
        at(0.8, 0.95),
        at(0.45, 0.85),
        at(0.1, 0.2),
    ]
    pen.blob(outline, edge)
    pen.blob(
        [
            (px + (at(0.6, 0)[0] - px) * 0.05, py + (at(0.6, 0)[1] - py) * 0.05)
            for px, py in outline
        ],
        shade,
    )
    for aside in (-0.45, -0.15, 0.2, 0.5):
        pen.line(
            smooth(
                [at(0.25, aside * 0.5), at(0.6, aside), at(0.9, aside * 0.75)], steps=4
            ),
            length * 0.008,
            edge,
            0.45,
        )


def forest(canvas: Canvas) -> str:
    """Trunks in fog, layer after layer, with a low sun behind."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    fog, glow, bark = colours(
        random.choice(
            [
                "#e9d3a4 #fff1c8 #2a1a0e",
                "#c3d6cf #f2f8ee #12201c",
                "#f2c49a #ffe9c4 #33141a",
            ]
        )
    )
    canvas.gradient([(0, mix(fog, bark, 0.25)), (0.55, fog), (1, mix(fog, bark, 0.35))])
    sun = width * random.uniform(0.3, 0.7)
    canvas.glow(sun, height * 0.45, unit * 65, glow, 0.9)
    for layer in range(4):
        share = layer / 3
        shade = mix(fog, bark, 0.14 + 0.8 * share)
        ground = height * (0.7 + 0.095 * layer)
        with canvas.crisp() as pen:
            for _ in range(12 - layer * 2):
                _trunk(
                    canvas,
                    pen,
                    random.uniform(-0.03, 1.03) * width,
                    ground,
                    unit * (0.9 + share * 2.6) * random.uniform(0.7, 1.3),
                    shade,
                )
            _undergrowth(canvas, pen, ground, unit * (1.2 + 2.6 * share), shade)
        if layer < 3:
            canvas.glow(sun, height * 0.5, unit * 55, glow, 0.3 - 0.05 * layer)
            canvas.veil(
                fog, [(0, 0), (0.45, 0.05), (0.75, 0.3 - 0.06 * layer), (1, 0.1)]
            )
    with canvas.light(blur=unit * 2, strength=0.5) as pen:
        for _ in range(6):
            lean = random.uniform(-30, 30) * unit
            at = sun + lean * 0.4
            pen.polygon(
                [
                    (at, -unit * 20),
                    (at + unit * 4, -unit * 20),
                    (at + lean * 1.6 + unit * 14, height),
                    (at + lean * 1.6, height),
                ],
                darker(glow, 0.55),
                0.5,
            )
    canvas.finish(grain=8, vignette=0.35)
    return "Light falls between the trunks of a forest"


def _trunk(
    canvas: Canvas, pen: Pen, x: float, foot: float, half: float, shade: Colour
) -> None:
    random = canvas.random
    lean = random.uniform(-2, 2) * half
    pen.polygon(
        [
            (x + lean - half * 0.7, -9),
            (x + lean + half * 0.7, -9),
            (x + half, foot - half),
            (x + half * 1.7, foot + half * 2),
            (x - half * 1.7, foot + half * 2),
            (x - half, foot - half),
        ],
        shade,
    )
    for _ in range(random.randint(2, 6)):
        y = random.uniform(-0.02, 0.55) * foot
        side = random.choice([-1, 1])
        reach = half * random.uniform(4, 10)
        start = (x + lean * (1 - y / foot), y)
        pen.line(
            [
                start,
                (start[0] + side * reach * 0.6, y - reach * 0.12),
                (start[0] + side * reach, y + reach * random.uniform(-0.35, 0.15)),
            ],
            max(1.0, half * 0.3),
            shade,
        )


def _undergrowth(
    canvas: Canvas, pen: Pen, ground: float, size: float, shade: Colour
) -> None:
    random = canvas.random
    pen.box(0, ground + size * 0.6, canvas.width, canvas.height, shade)
    for _ in range(round(canvas.width / size * 1.6)):
        x, high = random.uniform(0, canvas.width), size * random.uniform(0.5, 1.9)
        lean = random.uniform(-0.7, 0.7) * high
        pen.polygon(
            [
                (x - size * 0.16, ground + size),
                (x + lean, ground + size - high),
                (x + size * 0.16, ground + size),
            ],
            shade,
        )
