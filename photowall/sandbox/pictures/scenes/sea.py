"""The sea: a sunset over the water, and a beach seen from above."""

from __future__ import annotations

import math
from collections.abc import Callable

from photowall.sandbox.pictures.canvas import Canvas
from photowall.sandbox.pictures.colours import colour, colours, darker, lighter, mix
from photowall.sandbox.pictures.pen import Pen, Point, smooth

SUNSETS = [
    "#2f2450 #7a3a78 #e06a63 #ffc27a #fff0d0",
    "#1d2b53 #5d4b8c #d77a8f #ffb38a #fff3dc",
    "#3a1c3f #a5364a #f0703c #ffc04d #fff2c4",
    "#123047 #3e7d93 #f2a477 #ffd6a0 #fffbe8",
]


def sunset(canvas: Canvas) -> str:
    """The sun just above the horizon and its road of light on the water."""
    random, unit = canvas.random, canvas.unit
    high, upper, lower, low, sun = colours(random.choice(SUNSETS))
    width, height = canvas.size
    horizon = round(height * random.uniform(0.56, 0.66))
    sun_x, size = width * random.uniform(0.3, 0.7), unit * random.uniform(5.5, 8)
    sun_y = horizon - size * random.uniform(0.4, 1.8)
    canvas.gradient([(0, high), (0.4, upper), (0.78, lower), (1, low)], 0, horizon)
    canvas.clouds(lower, 2, 0.45, 0.4, 7, ((0, 0.6), (0.55, 1), (0.6, 0), (1, 0)))
    canvas.clouds(
        low, 3, 0.35, 0.4, 10, ((0, 0), (0.3, 1), (0.6, 0.6), (0.62, 0), (1, 0))
    )
    canvas.glow(sun_x, sun_y, unit * 60, low, 0.8)
    canvas.glow(sun_x, sun_y, unit * 22, sun, 0.7)
    with canvas.crisp() as pen:
        pen.circle(sun_x, sun_y, size, sun)
    canvas.gradient(
        [
            (0, mix(low, upper, 0.45)),
            (0.25, mix(upper, high, 0.4)),
            (1, darker(high, 0.45)),
        ],
        horizon,
    )
    canvas.glow(sun_x, horizon, unit * 34, low, 0.5, 1.1)
    with canvas.crisp() as pen:
        _ripples(canvas, pen, horizon, sun_x, size, sun, lower)
        if random.random() < 0.6:
            _boat(
                pen,
                width * random.choice([0.16, 0.8]),
                horizon,
                unit,
                darker(high, 0.5),
            )
        for _ in range(random.choice([0, 4, 7])):
            _gull(canvas, pen, horizon * 0.7, darker(high, 0.3))
    canvas.finish(grain=6)
    return "The sun goes down over a calm sea"


def _ripples(
    canvas: Canvas,
    pen: Pen,
    horizon: float,
    sun_x: float,
    size: float,
    *shades: tuple[int, int, int],
) -> None:
    """Flat lens shapes: rows get thicker and farther apart towards us."""
    random, unit = canvas.random, canvas.unit
    bright, dull = shades
    depth = canvas.height - horizon
    y, gap = horizon + unit * 0.3, unit * 0.32
    while y < canvas.height:
        near = (y - horizon) / depth
        for _ in range(7):
            spread = size * (0.55 + 2.6 * near)
            x = random.gauss(sun_x, spread * 0.6)
            half = size * random.uniform(0.15, 0.7) * (0.6 + near)
            pen.ellipse(
                x,
                y,
                half,
                gap * 0.34,
                bright,
                random.uniform(0.3, 0.85) * (1 - near * 0.5),
            )
        for _ in range(5):
            x = random.uniform(0, canvas.width)
            half = unit * random.uniform(2, 9) * (0.4 + near)
            pen.ellipse(x, y + gap * 0.5, half, gap * 0.22, dull, 0.16)
            pen.ellipse(canvas.width - x, y, half, gap * 0.3, (10, 8, 40), 0.12)
        y += gap
        gap = unit * (0.4 + 2.0 * near)


def _boat(pen: Pen, x: float, y: float, unit: float, ink: tuple[int, int, int]) -> None:
    pen.polygon(
        [
            (x - 4 * unit, y - unit),
            (x + 4 * unit, y - unit),
            (x + 3 * unit, y + unit * 0.5),
            (x - 3.2 * unit, y + unit * 0.5),
        ],
        ink,
    )
    pen.line([(x, y - unit), (x, y - unit * 11)], unit * 0.25, ink)
    pen.polygon(
        [
            (x + unit * 0.3, y - unit * 10.5),
            *smooth(
                [
                    (x + unit * 0.3, y - unit * 10.5),
                    (x + unit * 2.6, y - unit * 5),
                    (x + unit * 3.4, y - unit * 1.8),
                ]
            ),
            (x + unit * 0.3, y - unit * 1.8),
        ],
        ink,
    )
    pen.polygon(
        [
            (x - unit * 0.3, y - unit * 9),
            (x - unit * 2.8, y - unit * 1.8),
            (x - unit * 0.3, y - unit * 1.8),
        ],
        ink,
    )


def _gull(canvas: Canvas, pen: Pen, low: float, ink: tuple[int, int, int]) -> None:
    random, unit = canvas.random, canvas.unit
    x, y = random.uniform(0.1, 0.9) * canvas.width, random.uniform(0.25, 1) * low
    half = unit * random.uniform(0.8, 1.8)
    wing = [
        (x - half, y - half * 0.3),
        (x - half * 0.5, y - half * 0.5),
        (x, y),
        (x + half * 0.5, y - half * 0.5),
        (x + half, y - half * 0.3),
    ]
    pen.line(smooth(wing), unit * 0.22, ink, 0.8)


def beach(canvas: Canvas) -> str:
    """Surf from straight above: water, foam, sand and parasols."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    sand = colour(random.choice(["#f0d9ae", "#e8cda0", "#f4dfc0"]))
    deep, shallow = colours(
        random.choice(["#0a6f9c #38c0c8", "#0b5f8a #4fc9c0", "#087f8c #6fdcc8"])
    )
    canvas.gradient([(0, lighter(sand, 0.1)), (1, sand)])
    canvas.clouds(darker(sand, 0.25), 5, 0.5, 0.25, 1.2)
    lean = random.uniform(-0.28, 0.28)
    edge = width * random.uniform(0.45, 0.58)
    wave, at = random.uniform(0.9, 1.7), random.uniform(0, 6)

    def shore(shift: float) -> list[Point]:
        line = []
        for step in range(61):
            y = step / 60
            x = edge + lean * width * (y - 0.5) + shift * unit
            x += unit * 6 * math.sin(y * math.tau * wave + at)
            x += (
                unit * 2.2 * math.sin(y * math.tau * wave * 2.7 + at * 2 + shift * 0.16)
            )
            line.append((x, y * height))
        return [(-9, 0), *line, (-9, height)]

    with canvas.soft(unit * 1.5) as pen:
        pen.polygon(shore(9), darker(sand, 0.22), 0.8)
    with canvas.soft(unit * 3) as pen:
        for step in range(12):
            pen.polygon(shore(2 - step * 6.5), mix(shallow, deep, step / 9))
    canvas.clouds(lighter(shallow, 0.5), 7, 0.4, 0.2, 1)
    with canvas.crisp() as pen:
        _foam(canvas, pen, shore)
    _things_on_sand(canvas, edge + abs(lean) * width * 0.5 + unit * 18)
    canvas.finish(grain=8, vignette=0.15)
    return "A beach with parasols, seen from above"


def _foam(canvas: Canvas, pen: Pen, shore: Callable[[float], list[Point]]) -> None:
    random, unit = canvas.random, canvas.unit
    white = (250, 254, 252)
    for shift, thick, share in (
        (2, 1.5, 0.95),
        (-3.5, 0.7, 0.6),
        (-11, 0.9, 0.75),
        (-21, 0.5, 0.45),
    ):
        line = shore(shift)[1:-1]
        pen.line(line, thick * unit, white, share)
        for x, y in line:
            for _ in range(7):
                away = random.expovariate(0.55) * unit
                pen.circle(
                    x - away * (1 if random.random() < 0.75 else -0.3),
                    y + random.uniform(-1.2, 1.2) * unit,
                    random.uniform(0.12, 0.62) * unit * thick,
                    white,
                    share * 0.75,
                )


def _things_on_sand(canvas: Canvas, left: float) -> None:
    random, unit = canvas.random, canvas.unit
    spots: list[Point] = []
    for _ in range(200):
        x = random.uniform(left, canvas.width - unit * 3)
        y = random.uniform(unit * 5, canvas.height - unit * 5)
        if x > left and all(math.hypot(x - a, y - b) > unit * 13 for a, b in spots):
            spots.append((x, y))
    pairs = [
        "#e8433f #fff5e8",
        "#2a7fc9 #fdf6ea",
        "#f2b430 #fffaf0",
        "#e85a9b #fff2f6",
        "#1f9d8f #f4fff8",
    ]
    size = unit * 4.2
    with canvas.soft(unit * 0.7, 0.45) as pen:
        for x, y in spots:
            pen.circle(x + unit * 1.6, y + unit * 1.9, size, colour("#5a3d20"))
    with canvas.crisp() as pen:
        for x, y in spots:
            one, other = colours(random.choice(pairs))
            cloth = colour(random.choice(["#ffffff", "#f7d154", "#7fc4e8", "#f2a0a0"]))
            pen.box(
                x + size * 0.5,
                y + size * 0.9,
                size * 0.7,
                size * 1.5,
                cloth,
                radius=unit * 0.2,
            )
            turn = random.uniform(0, 1)
            for part in range(10):
                a, b = ((part + k) / 10 * math.tau + turn for k in (0, 1))
                shade = one if part % 2 else other
                shade = darker(shade, 0.1 + 0.1 * math.sin(a - 0.6))
                pen.polygon(
                    [
                        (x, y),
                        (x + size * math.cos(a), y + size * math.sin(a)),
                        (x + size * math.cos(b), y + size * math.sin(b)),
                    ],
                    shade,
                )
            pen.circle(x, y, unit * 0.4, (255, 255, 255))
