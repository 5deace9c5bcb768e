"""Typographic posters: a few large words on a strong ground."""

from __future__ import annotations

import math

from photowall.sandbox.pictures.canvas import Canvas
from photowall.sandbox.pictures.colours import Colour, colours, mix
from photowall.sandbox.pictures.pen import Pen

GROUNDS = [
    "#ffd12e #f7a11a #14120c",
    "#1b2a6b #0b1238 #f6f2e6",
    "#ff5a4d #d52a50 #fff4e4",
    "#0f9d84 #05584f #fdf6d8",
    "#f4efe4 #ddd2bf #1c1a22",
    "#7a3cff #3a12a0 #ffe14d",
]
WORDS = [
    ("HELLO", "WORLD"),
    ("ship it.",),
    ("BE", "KIND"),
    ("ENCORE!",),
    ("STAY", "FOR THE", "LAST", "SONG"),
    ("good", "morning"),
    ("MAKE", "SOME", "NOISE"),
    ("doors", "open", "18:00"),
    ("YES.",),
    ("SAY", "CHEESE"),
]


def poster(canvas: Canvas) -> str:
    """Words as large as they fit, shapes behind them, small print below."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    top, bottom, ink = colours(random.choice(GROUNDS))
    canvas.gradient([(0, top), (1, bottom)])
    with canvas.crisp() as pen:
        random.choice([_sun, _waves, _dots, _stripes])(
            canvas, pen, mix(top, bottom, 0.75), mix(bottom, ink, 0.16)
        )
    words = random.choice(WORDS)
    margin = unit * 9
    longest = max(words, key=len)
    with canvas.crisp() as pen:
        probe = pen.text(0, -9999, longest, 100, ink)
        size = min(
            (width - margin * 2) / (probe * 1.06) * 100,
            (height - margin * 3.4) / len(words) / 0.86,
            unit * 34,
        )
        y = (height - size * 0.84 * len(words)) / 2 + size * 0.72
        for word in words:
            pen.text(margin, y, word, size, ink, weight=0.035)
            y += size * 0.86
        pen.box(margin, height - margin * 1.35, unit * 9, unit * 0.7, ink)
        pen.text(
            margin + unit * 11.5,
            height - margin * 1.12,
            random.choice(["stage A  ·  day one", "stage B  ·  day two"]),
            unit * 3.2,
            ink,
            weight=0.012,
        )
    canvas.finish(grain=10, vignette=0.12)
    return f"A poster: {' '.join(words)}"


def _sun(canvas: Canvas, pen: Pen, shade: Colour, other: Colour) -> None:
    x, y, size = canvas.width * 0.72, canvas.height * 0.34, canvas.unit * 42
    for ray in range(24):
        a, b = ((ray + k) / 24 * math.tau for k in (0, 0.5))
        far = canvas.unit * 220
        pen.polygon(
            [
                (x, y),
                (x + far * math.cos(a), y + far * math.sin(a)),
                (x + far * math.cos(b), y + far * math.sin(b)),
            ],
            shade,
            0.55,
        )
    pen.circle(x, y, size * 0.62, other)


def _waves(canvas: Canvas, pen: Pen, shade: Colour, other: Colour) -> None:
    for row in range(5):
        y = canvas.height * (0.5 + row * 0.12)
        line = [
            (
                step / 40 * canvas.width,
                y + canvas.unit * 6 * math.sin(step / 40 * 7 + row * 1.1),
            )
            for step in range(41)
        ]
        pen.polygon(
            [*line, (canvas.width, canvas.height), (0, canvas.height)],
            mix(shade, other, row / 4),
            0.6,
        )


def _dots(canvas: Canvas, pen: Pen, shade: Colour, other: Colour) -> None:
    gap = canvas.unit * 6
    for row in range(int(canvas.height / gap) + 2):
        for column in range(int(canvas.width / gap) + 2):
            share = (row * gap / canvas.height + column * gap / canvas.width) / 2
            pen.circle(
                column * gap + (row % 2) * gap / 2,
                row * gap,
                gap * 0.48 * share,
                mix(shade, other, share),
                0.8,
            )


def _stripes(canvas: Canvas, pen: Pen, shade: Colour, other: Colour) -> None:
    unit = canvas.unit
    for band in range(5):
        pen.ring(
            canvas.width,
            canvas.height,
            unit * (30 + band * 15),
            unit * 6.5,
            mix(shade, other, band / 4),
            opacity=0.8,
        )
