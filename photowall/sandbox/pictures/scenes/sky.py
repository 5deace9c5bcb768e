"""The sky: aurora, the milky way over a tent, balloons over hills."""

from __future__ import annotations

import math

from photowall.sandbox.pictures.canvas import Canvas, ridge
from photowall.sandbox.pictures.colours import (
    Colour,
    colour,
    colours,
    darker,
    lighter,
    mix,
)
from photowall.sandbox.pictures.pen import Pen


def aurora(canvas: Canvas) -> str:
    """Curtains of green light over a dark forest."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    high, low, one, other = colours(
        random.choice(
            [
                "#050b24 #0c3340 #35f0a0 #8a5cff",
                "#070820 #11324a #4dffc0 #ff5cb0",
                "#03101e #0b3b3a #7bff8a #2fb0ff",
            ]
        )
    )
    canvas.gradient([(0, high), (0.75, low), (1, darker(low, 0.4))])
    _stars(canvas, 240, 0.75)
    for band in range(3):
        _curtain(canvas, height * (0.5 - band * 0.11), one, other)
    horizon = height * 0.8
    canvas.glow(width / 2, horizon, width * 0.7, one, 0.3, 0.4)
    with canvas.crisp() as pen:
        back = ridge(random, width, horizon - unit * 2, unit * 8, 1.2, 6)
        pen.polygon([*back, (width, height), (0, height)], mix(low, high, 0.65))
        _spruces(canvas, pen, horizon + unit * 4, unit * 7, mix(high, low, 0.25))
        _spruces(canvas, pen, horizon + unit * 11, unit * 13, colour("#03070c"))
        pen.box(0, horizon + unit * 9.5, width, height, colour("#03070c"))
    canvas.finish(grain=9, vignette=0.25)
    return "Northern lights above a forest"


def _curtain(canvas: Canvas, base: float, one: Colour, other: Colour) -> None:
    random, unit = canvas.random, canvas.unit
    waves = [
        (random.uniform(0.5, 1.4), random.uniform(0, 6), 8.0),
        (random.uniform(2, 3.5), random.uniform(0, 6), 2.5),
    ]
    grey = canvas.random.uniform(0, 9)
    strips = 150
    with canvas.light(blur=unit * 0.9) as pen:
        for strip in range(strips):
            share = strip / strips
            x = share * canvas.width
            y = base + sum(
                high * unit * math.sin(share * rate * math.tau + at)
                for rate, at, high in waves
            )
            shine = (
                0.45
                + 0.3 * math.sin(share * 21 + grey)
                + 0.25 * math.sin(share * 57 + grey * 3)
            )
            tall = unit * (20 + 12 * math.sin(share * 9 + grey) + random.uniform(-3, 3))
            wide = canvas.width / strips + 5
            steps = 14
            for step in range(steps):
                up = step / steps
                fade = (
                    (1 - up) ** 1.7 * min(1, 0.35 + step * 0.4) * max(0.05, shine) * 0.5
                )
                pen.box(
                    x,
                    y - tall * (up + 1 / steps),
                    wide,
                    tall / steps + 4,
                    mix(one, other, up * 1.2),
                    fade,
                )


def _stars(canvas: Canvas, count: int, share: float) -> None:
    random, unit = canvas.random, canvas.unit
    with canvas.crisp() as pen:
        for _ in range(count):
            size = unit * min(0.3, 0.06 + random.expovariate(14))
            shade = random.choice(colours("#ffffff #dfe8ff #fff0dc"))
            pen.circle(
                random.uniform(0, canvas.width),
                random.uniform(0, canvas.height * share),
                size,
                shade,
                random.uniform(0.4, 1),
            )


def _spruces(canvas: Canvas, pen: Pen, base: float, tall: float, shade: Colour) -> None:
    random = canvas.random
    x = -tall * 0.2
    while x < canvas.width + tall * 0.2:
        high = tall * random.uniform(0.55, 1.25)
        half = high * 0.17
        for step in range(7):
            top = base - high + high * step * 0.125
            wide = half * (0.25 + step / 7)
            pen.polygon(
                [(x, top), (x + wide, top + high * 0.2), (x - wide, top + high * 0.2)],
                shade,
            )
        x += half * random.uniform(0.9, 2.0)


def milky_way(canvas: Canvas) -> str:
    """A band of stars and dust, and a lit tent below."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    high, low, dust, warm = colours(
        random.choice(
            ["#04061a #101a4a #8f7ad6 #ffb070", "#03101f #0e3048 #7ab6d6 #ffd080"]
        )
    )
    canvas.gradient([(0, high), (0.7, low), (0.9, mix(low, warm, 0.3)), (1, high)])
    angle = random.uniform(-0.5, 0.5)
    middle, foot = width * random.uniform(0.4, 0.6), height * 0.8
    for step in range(26):
        up = step / 25
        x, y = middle + math.sin(angle) * up * height * 0.95, foot - up * height * 0.95
        canvas.glow(
            x + random.gauss(0, 2) * unit,
            y,
            unit * random.uniform(13, 24),
            mix(dust, warm, 0.45 * (1 - up)),
            0.15,
            power=1.4,
        )
        canvas.glow(
            x + random.gauss(0, 1.5) * unit,
            y,
            unit * random.uniform(5, 9),
            lighter(dust, 0.4),
            0.2,
            power=1.3,
        )
    with canvas.soft(unit * 1.6, 0.5) as pen:
        for _ in range(36):
            up = random.random()
            x = (
                middle
                + math.sin(angle) * up * height * 0.95
                + random.gauss(0, 2.2) * unit
            )
            pen.ellipse(
                x,
                foot - up * height * 0.95,
                unit * random.uniform(0.7, 2.2),
                unit * random.uniform(2, 5),
                high,
                0.8,
                -angle,
            )
    _stars(canvas, 520, 0.86)
    with canvas.crisp() as pen:
        for _ in range(500):
            up = random.random()
            x = (
                middle
                + math.sin(angle) * up * height * 0.95
                + random.gauss(0, 6) * unit
            )
            pen.circle(
                x,
                foot - up * height * 0.95,
                unit * random.uniform(0.05, 0.14),
                (255, 250, 245),
                random.uniform(0.3, 0.9),
            )
        line = ridge(random, width, height * 0.84, unit * 9, 0.9, 6)
        pen.polygon([*line, (width, height), (0, height)], darker(high, 0.2))
        near = ridge(random, width, height * 0.92, unit * 4, 1.2, 4)
        pen.polygon([*near, (width, height), (0, height)], colour("#020308"))
    x, y = width * random.uniform(0.25, 0.75), height * 0.925
    canvas.glow(x, y - unit * 3, unit * 20, warm, 0.55)
    with canvas.crisp() as pen:
        pen.polygon([(x, y - unit * 8), (x + unit * 7.5, y), (x - unit * 7.5, y)], warm)
        pen.polygon(
            [(x, y - unit * 8), (x + unit * 1.5, y), (x - unit * 1.5, y)],
            lighter(warm, 0.55),
        )
        pen.polygon(
            [(x, y - unit * 8), (x + unit * 7.5, y), (x + unit * 4, y)],
            darker(warm, 0.28),
        )
    canvas.finish(grain=9, vignette=0.3)
    return "The milky way over a lit tent"


def balloons(canvas: Canvas) -> str:
    """Hot-air balloons, near and far, over soft hills."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    high, low, far, near = colours(
        random.choice(
            [
                "#4a9fe0 #fdf0dc #b5cfc0 #3f7a55",
                "#e88aa8 #ffe6c8 #d8a8a0 #7a4a5a",
                "#6f86d6 #ffd9c0 #c8a8b8 #4a4a7a",
            ]
        )
    )
    canvas.gradient([(0, high), (0.75, low), (1, low)])
    canvas.clouds((255, 255, 255), 2, 0.45, 0.7, 2.6, ((0, 0.7), (0.7, 1), (1, 0)))
    places: list[tuple[float, float, float]] = []
    for _ in range(90):
        size = unit * random.choice([2.2, 2.6, 3.5, 5, 7, 9.5, 12])
        x, y = (
            random.uniform(size, width - size),
            random.uniform(size * 1.3, height * 0.74),
        )
        if all(math.hypot(x - a, y - b) > (size + c) * 1.35 for a, b, c in places):
            places.append((x, y, size))
    places = places[:13]
    places.sort(key=lambda place: place[2])
    far_ones = [place for place in places if place[2] < unit * 4]
    with canvas.crisp() as pen:
        for place in far_ones:
            _balloon(canvas, pen, *place, mix(high, low, 0.5))
    for layer in range(4):
        share = layer / 3
        line = ridge(
            random, width, height * (0.8 + 0.055 * layer), unit * 6, 0.8 + share, 4
        )
        with canvas.crisp() as pen:
            pen.polygon([*line, (width, height), (0, height)], mix(far, near, share))
        canvas.veil(low, [(0, 0), (0.76 + 0.055 * layer, 0), (1, 0.4 * (1 - share))])
    with canvas.crisp() as pen:
        for place in places[len(far_ones) :]:
            _balloon(canvas, pen, *place, None)
    canvas.finish(grain=5, vignette=0.15)
    return "Hot-air balloons over the hills"


def _balloon(
    canvas: Canvas, pen: Pen, x: float, y: float, size: float, haze: Colour | None
) -> None:
    shades = colours(
        canvas.random.choice(
            [
                "#e23b3b #ffd23f",
                "#2f6fd0 #f7f3e8",
                "#7a3fc0 #ff8a5c",
                "#0f9d8a #ffe08a",
                "#f28a2e #7a2048",
                "#ff5c8a #ffe9d0",
            ]
        )
    )
    if haze:
        shades = [mix(shade, haze, 0.35) for shade in shades]
    gores, foot = 10, y + size * 1.42
    basket = mix(colour("#6b4526"), haze, 0.35) if haze else colour("#6b4526")
    for side in (-1, 1):
        pen.line(
            [
                (x + side * size * 0.24, y + size * 1.15),
                (x + side * size * 0.13, foot + size * 0.12),
            ],
            max(0.8, size * 0.03),
            basket,
        )
    for gore in range(gores):
        edges = []
        for edge in (gore, gore + 1):
            turn = math.pi * edge / gores
            edges.append([(x - math.cos(turn) * r, py) for r, py in _envelope(y, size)])
        shade = shades[gore % 2]
        lit = 0.32 * math.cos(math.pi * (gore + 0.5) / gores)
        shade = lighter(shade, lit) if lit > 0 else darker(shade, -lit)
        pen.polygon([*edges[0], *edges[1][::-1]], shade)
    pen.box(
        x - size * 0.16,
        foot + size * 0.1,
        size * 0.32,
        size * 0.26,
        basket,
        radius=size * 0.05,
    )


def _envelope(y: float, size: float) -> list[tuple[float, float]]:
    """Half width and height of a balloon, from its top to its mouth."""
    rows = []
    for step in range(25):
        share = step / 24
        turn = math.pi * share * 0.86
        rows.append(
            (
                size * math.sin(turn) ** 0.9 * (1 - 0.28 * share**3) if step else 0.0,
                y - size + size * 2.2 * (share**1.15 if share < 1 else 1),
            )
        )
    return rows
