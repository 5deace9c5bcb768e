"""On a table, from above: a cup of coffee, a bowl of salad."""

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
from photowall.sandbox.pictures.pen import Pen, ellipse_points, smooth


def _wood(canvas: Canvas, shade: Colour) -> None:
    """Planks with grain, across the whole picture."""
    random, unit = canvas.random, canvas.unit
    canvas.gradient([(0, lighter(shade, 0.08)), (1, darker(shade, 0.1))])
    board = unit * random.uniform(24, 36)
    with canvas.crisp() as pen:
        y = -random.uniform(0, board)
        while y < canvas.height:
            tone = random.uniform(-0.12, 0.08)
            tinted = lighter(shade, tone) if tone > 0 else darker(shade, -tone)
            pen.box(0, y, canvas.width, board, tinted, 0.8)
            for _ in range(26):
                at = y + random.uniform(0.02, 0.98) * board
                wave = random.uniform(0.3, 1.2) * unit
                line = [
                    (step / 8 * canvas.width, at + wave * math.sin(step * 1.3 + at))
                    for step in range(9)
                ]
                pen.line(
                    smooth(line, steps=5),
                    unit * random.uniform(0.1, 0.4),
                    darker(shade, 0.35),
                    random.uniform(0.1, 0.35),
                )
            pen.box(0, y, canvas.width, unit * 0.45, darker(shade, 0.6), 0.75)
            y += board


def _dish(canvas: Canvas, x: float, y: float, size: float, shade: Colour) -> None:
    """A round dish with a rim and its shadow on the table."""
    unit = canvas.unit
    with canvas.soft(unit * 2.4, 0.55) as pen:
        pen.circle(x + unit * 2.2, y + unit * 3, size * 1.01, (20, 10, 4))
    with canvas.crisp() as pen:
        pen.circle(x, y, size, darker(shade, 0.1))
        pen.circle(x - unit * 0.15, y - unit * 0.25, size * 0.985, shade)
    with canvas.soft(unit * 1.2, 0.5) as pen:
        pen.ring(x, y, size * 0.78, unit * 1.6, darker(shade, 0.3))
    with canvas.crisp() as pen:
        pen.circle(x, y, size * 0.74, lighter(shade, 0.2))


def coffee(canvas: Canvas) -> str:
    """A cup on a saucer with a pattern in the foam, from above."""
    random, unit = canvas.random, canvas.unit
    _wood(canvas, colour(random.choice(["#7a4a2c", "#a9774a", "#53423a", "#c4a27a"])))
    x = canvas.width * random.uniform(0.42, 0.54)
    y = canvas.height * random.uniform(0.44, 0.56)
    china = colour(random.choice(["#f4f1ec", "#f7f5f0", "#dfe9e6", "#2f4a5c"]))
    size = unit * 37
    _dish(canvas, x, y, size, china)
    turn = random.uniform(-0.7, 0.5)
    with canvas.soft(unit * 1.8, 0.45) as pen:
        pen.circle(x + unit * 2, y + unit * 2.6, size * 0.66, (25, 14, 8))
    with canvas.crisp() as pen:
        hx, hy = x + math.cos(turn) * size * 0.72, y + math.sin(turn) * size * 0.72
        pen.polygon(
            ellipse_points(hx, hy, size * 0.22, size * 0.15, turn), darker(china, 0.12)
        )
        pen.polygon(
            ellipse_points(hx, hy, size * 0.12, size * 0.065, turn), darker(china, 0.4)
        )
        pen.circle(x, y, size * 0.64, darker(china, 0.08))
        pen.circle(x, y, size * 0.625, lighter(china, 0.35))
        pen.circle(x, y, size * 0.57, colour("#4a2814"))
        pen.circle(x, y, size * 0.55, colour("#6f3d1c"))
    with canvas.soft(unit * 1.5) as pen:
        pen.circle(x, y, size * 0.47, colour("#9a5a2a"), 0.85)
    with canvas.crisp() as pen:
        random.choice([_rosetta, _heart, _swirl])(pen, x, y, size * 0.42)
        for _ in range(40):
            away, at = size * random.uniform(0.44, 0.53), random.uniform(0, math.tau)
            pen.circle(
                x + away * math.cos(at),
                y + away * math.sin(at),
                unit * random.uniform(0.1, 0.5),
                colour("#d8a878"),
                0.6,
            )
        _spoon(pen, x - size * 0.1, y + size * 0.86, size)
    canvas.glow(x - size * 0.4, y - size * 0.6, size * 1.4, (255, 244, 224), 0.2)
    canvas.finish(grain=9, vignette=0.35)
    return "A cup of coffee from above, a pattern in its foam"


MILK = (247, 231, 207)


def _rosetta(pen: Pen, x: float, y: float, size: float) -> None:
    for leaf in range(6):
        share = leaf / 5
        at = y + size * (0.75 - 1.35 * share)
        half = size * (0.85 - 0.5 * share)
        for side in (-1, 1):
            pen.polygon(
                smooth(
                    [
                        (x, at + size * 0.2),
                        (x + side * half * 0.7, at + size * 0.06),
                        (x + side * half, at - size * 0.22),
                        (x + side * half * 0.6, at - size * 0.08),
                        (x, at + size * 0.04),
                    ]
                ),
                MILK,
                0.95,
            )
    pen.circle(x, y - size * 0.8, size * 0.13, MILK)
    pen.line(
        [(x, y - size * 0.8), (x, y + size * 0.95)], size * 0.05, colour("#a8692f")
    )


def _heart(pen: Pen, x: float, y: float, size: float) -> None:
    for scale, shade in (
        (1.0, MILK),
        (0.74, colour("#a8642c")),
        (0.56, MILK),
        (0.3, colour("#b87a44")),
    ):
        points = []
        for step in range(60):
            t = step / 60 * math.tau
            dx = 16 * math.sin(t) ** 3
            dy = (
                13 * math.cos(t)
                - 5 * math.cos(2 * t)
                - 2 * math.cos(3 * t)
                - math.cos(4 * t)
            )
            points.append((x + dx * size * scale / 17, y - dy * size * scale / 17))
        pen.polygon(points, shade)


def _swirl(pen: Pen, x: float, y: float, size: float) -> None:
    for arm in range(2):
        outer, inner = [], []
        for step in range(70):
            share = step / 69
            turn = share * 8.2 + arm * math.pi
            reach = size * (0.08 + 0.9 * share)
            wide = size * 0.12 * math.sin(share * math.pi) ** 0.6
            outer.append(
                (
                    x + math.cos(turn) * (reach + wide),
                    y + math.sin(turn) * (reach + wide),
                )
            )
            inner.append(
                (
                    x + math.cos(turn) * (reach - wide),
                    y + math.sin(turn) * (reach - wide),
                )
            )
        pen.polygon(outer + inner[::-1], MILK if arm else colour("#d9a878"))


def _spoon(pen: Pen, x: float, y: float, size: float) -> None:
    steel = colour("#b9bdc2")
    pen.line(
        [(x, y), (x + size * 0.75, y - size * 0.14)],
        size * 0.045,
        darker(steel, 0.25),
        rounded=True,
    )
    pen.line(
        [(x, y - 1), (x + size * 0.75, y - size * 0.14 - 1)],
        size * 0.028,
        lighter(steel, 0.35),
        rounded=True,
    )
    pen.ellipse(
        x - size * 0.06, y + size * 0.01, size * 0.15, size * 0.09, steel, 1, -0.18
    )
    pen.ellipse(
        x - size * 0.07, y, size * 0.11, size * 0.06, lighter(steel, 0.5), 1, -0.18
    )


def salad(canvas: Canvas) -> str:
    """A bowl full of cut vegetables, from above."""
    random, unit = canvas.random, canvas.unit
    _wood(canvas, colour(random.choice(["#d9d0c2", "#b08a62", "#6a5648", "#e6dccb"])))
    x, y, size = canvas.width / 2, canvas.height * 0.5, unit * 41
    _dish(canvas, x, y, size, colour(random.choice(["#fbfaf6", "#e9eef0", "#3a4a54"])))
    with canvas.soft(unit * 1.6, 0.5) as pen:
        pen.circle(x + unit, y + unit * 1.4, size * 0.58, (30, 30, 20))
    pieces = [_leaf, _tomato, _cucumber, _carrot, _leaf, _tomato]
    with canvas.crisp() as pen:
        for index in range(220):
            away = (
                size
                * 0.64
                * math.sqrt(1 - index / 220 * 0.97)
                * random.uniform(0.75, 1)
            )
            at = random.uniform(0, math.tau)
            px, py = x + away * math.cos(at), y + away * math.sin(at)
            turn, scale = random.uniform(0, math.tau), unit * random.uniform(2.4, 3.8)
            pen.ellipse(
                px + unit * 0.5, py + unit * 0.7, scale, scale * 0.8, (20, 26, 10), 0.22
            )
            random.choice(pieces)(canvas, pen, px, py, scale, turn)
    canvas.glow(x - size * 0.5, y - size * 0.6, size * 1.3, (255, 252, 240), 0.22)
    canvas.finish(grain=8, vignette=0.25)
    return "A colourful salad in a bowl, from above"


def _leaf(
    canvas: Canvas, pen: Pen, x: float, y: float, size: float, turn: float
) -> None:
    shade = canvas.random.choice(colours("#3f8f3a #2c6e2f #6fb04a #1f5428"))
    points = [
        (x + size * reach * math.cos(turn + at), y + size * reach * math.sin(turn + at))
        for at, reach in (
            (0, 1.7),
            (0.5, 0.9),
            (0.9, 1.2),
            (1.5, 0.75),
            (2.2, 1.0),
            (3.14, 0.9),
            (4.0, 1.05),
            (4.7, 0.8),
            (5.4, 1.15),
            (5.8, 0.9),
        )
    ]
    pen.blob(points, shade)
    pen.line(
        [(x - size * 0.7 * math.cos(turn), y - size * 0.7 * math.sin(turn)), points[0]],
        size * 0.1,
        lighter(shade, 0.35),
    )


def _tomato(
    canvas: Canvas, pen: Pen, x: float, y: float, size: float, turn: float
) -> None:
    red = canvas.random.choice(colours("#e0442e #c9301f #f0682c"))
    pen.circle(x, y, size, darker(red, 0.15))
    pen.circle(x, y, size * 0.9, red)
    for part in range(4):
        at = turn + part * math.pi / 2
        px, py = x + math.cos(at) * size * 0.45, y + math.sin(at) * size * 0.45
        pen.ellipse(px, py, size * 0.28, size * 0.2, lighter(red, 0.35), 1, at)
        pen.circle(px, py, size * 0.07, colour("#ffe9b0"))


def _cucumber(
    canvas: Canvas, pen: Pen, x: float, y: float, size: float, turn: float
) -> None:
    pen.circle(x, y, size * 1.1, colour("#2f6b34"))
    pen.circle(x, y, size * 0.97, colour("#d6e8b0"))
    pen.circle(x, y, size * 0.62, mix(colour("#d6e8b0"), colour("#f4f8dc"), 0.8))
    for seed in range(7):
        at = turn + seed / 7 * math.tau
        pen.ellipse(
            x + math.cos(at) * size * 0.42,
            y + math.sin(at) * size * 0.42,
            size * 0.13,
            size * 0.06,
            colour("#b8cf88"),
            1,
            at,
        )


def _carrot(
    canvas: Canvas, pen: Pen, x: float, y: float, size: float, turn: float
) -> None:
    shade = canvas.random.choice(colours("#f08a2c #f7a83c #fbf3e4"))
    pen.ellipse(x, y, size * 0.95, size * 0.4, darker(shade, 0.12), 1, turn)
    pen.ellipse(
        x, y - size * 0.06, size * 0.88, size * 0.3, lighter(shade, 0.12), 1, turn
    )
