"""Cities: a skyline at night above water, and a facade of glass."""

from __future__ import annotations

import math

from PIL import Image

from photowall.sandbox.pictures.canvas import Canvas
from photowall.sandbox.pictures.colours import (
    Colour,
    colour,
    colours,
    darker,
    lighter,
    mix,
)
from photowall.sandbox.pictures.pen import Pen, Point

NIGHTS = [
    "#060a2a #24306e #e0709a #ffb37a",
    "#050814 #10264a #2f6fa0 #9fd8ff",
    "#160a2e #4a1f5e #d8557a #ffb26b",
]


def skyline(canvas: Canvas) -> str:
    """Towers with lit windows and their long reflections."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    high, middle, low, lamp = colours(random.choice(NIGHTS))
    shore = round(height * random.uniform(0.7, 0.76))
    canvas.gradient([(0, high), (0.6, middle), (1, low)], 0, shore)
    canvas.clouds(low, 2, 0.4, 0.25, 6, ((0, 0), (0.4, 1), (0.7, 0.5), (1, 0)))
    with canvas.crisp() as pen:
        for _ in range(90):
            x, y = random.uniform(0, width), random.uniform(0, shore * 0.5)
            pen.circle(x, y, unit * random.uniform(0.06, 0.16), (255, 255, 255), 0.6)
    if random.random() < 0.6:
        x, y = width * random.uniform(0.15, 0.85), height * random.uniform(0.1, 0.22)
        canvas.glow(x, y, unit * 22, colour("#fff0d8"), 0.4)
        with canvas.crisp() as pen:
            pen.circle(x, y, unit * 4.5, colour("#fff6e4"))
    canvas.glow(width / 2, shore, width * 0.7, low, 0.55, 0.5)
    for layer in range(3):
        with canvas.crisp() as pen:
            tint = mix(mix(low, middle, 0.55), darker(high, 0.15), layer / 2)
            _towers(canvas, pen, shore, layer, tint, lamp)
        if layer < 2:
            canvas.glow(width / 2, shore, width * 0.8, low, 0.22, 0.35)
    _reflection(canvas, shore, darker(high, 0.2))
    canvas.finish(grain=7, vignette=0.3)
    return "A city skyline at night, windows lit, mirrored in the water"


def _towers(
    canvas: Canvas, pen: Pen, shore: float, layer: int, tint: Colour, lamp: Colour
) -> None:
    random, unit = canvas.random, canvas.unit
    x = -unit * random.uniform(0, 6)
    while x < canvas.width:
        wide = unit * random.uniform(5.5, 12) * (1 - 0.12 * layer)
        swell = 0.65 + 0.5 * math.sin(x / canvas.width * math.pi)
        tall = unit * random.uniform(16, 44) * swell * (1.15 - 0.3 * layer)
        top = shore - tall
        _roof(canvas, pen, x, top, wide, tint)
        pen.box(x, top, wide, tall + unit, tint)
        pen.box(x + wide * 0.82, top, wide * 0.18, tall + unit, darker(tint, 0.18))
        if layer:
            _windows(canvas, pen, x, top, wide, tall, layer, lamp)
        x += wide + unit * random.choice([0, 0.2, 0.8, 2])


def _roof(
    canvas: Canvas, pen: Pen, x: float, top: float, wide: float, tint: Colour
) -> None:
    random, unit = canvas.random, canvas.unit
    kind = random.random()
    middle = x + wide / 2
    if kind < 0.25:
        pen.line([(middle, top), (middle, top - unit * 7)], unit * 0.3, tint)
        pen.circle(middle, top - unit * 7, unit * 0.3, colour("#ff4a4a"))
    elif kind < 0.45:
        pen.polygon([(x, top), (x + wide, top), (middle, top - wide * 0.7)], tint)
    elif kind < 0.7:
        pen.box(x + wide * 0.2, top - unit * 2.4, wide * 0.6, unit * 3, tint)
        pen.box(x + wide * 0.35, top - unit * 4, wide * 0.3, unit * 3, tint)


def _windows(
    canvas: Canvas,
    pen: Pen,
    x: float,
    top: float,
    wide: float,
    tall: float,
    layer: int,
    lamp: Colour,
) -> None:
    random, unit = canvas.random, canvas.unit
    cell = unit * random.uniform(1.0, 1.35)
    shades = [lamp, lighter(lamp, 0.4), colour("#fff2c8"), colour("#cfe6ff")]
    lit = random.uniform(0.25, 0.6)
    columns, rows = int((wide - cell) / cell), int((tall - cell) / (cell * 1.25))
    left = x + (wide - columns * cell) / 2
    for row in range(rows):
        for column in range(columns):
            if random.random() > lit:
                continue
            pen.box(
                left + column * cell + cell * 0.18,
                top + cell * 0.7 + row * cell * 1.25,
                cell * 0.6,
                cell * 0.75,
                random.choice(shades),
                random.uniform(0.35, 1) * (0.55 + 0.22 * layer),
            )


def _reflection(canvas: Canvas, shore: int, water: Colour) -> None:
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    depth = height - shore
    mirror = canvas.image.crop((0, shore - depth, width, shore)).transpose(
        Image.Transpose.FLIP_TOP_BOTTOM
    )
    # Squeezed sideways detail and stretched down: light runs long on water.
    small = mirror.resize((width // 2, max(2, depth // 14)))
    canvas.image.paste(small.resize((width, depth)), (0, shore))
    canvas.veil(
        water, [(0, 0), (shore / height, 0), (shore / height + 0.01, 0.3), (1, 0.8)]
    )
    with canvas.crisp() as pen:
        pen.box(0, shore - unit * 0.5, width, unit, darker(water, 0.7))
        y, gap = shore + unit, unit * 0.6
        while y < height:
            for _ in range(8):
                pen.ellipse(
                    random.uniform(0, width),
                    y,
                    unit * random.uniform(1.5, 8),
                    gap * 0.16,
                    darker(water, 0.4),
                    0.5,
                )
            y += gap
            gap *= 1.06


def facade(canvas: Canvas) -> str:
    """A tilted grid of window frames with the sky in the glass."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    frame, sky_low, sky_high = colours(
        random.choice(
            [
                "#e2dccf #a9cfec #2d6fae",
                "#d9764f #34495a #16232e",
                "#f0ede8 #f7c8b0 #6d84c4",
                "#2c3a4a #ffd9a0 #f08a5a",
            ]
        )
    )
    cell_w, cell_h = unit * random.uniform(10, 13), unit * random.uniform(12, 15)
    lean, drop = random.uniform(0.1, 0.22), random.uniform(-0.3, -0.15)
    thick = 0.16

    def place(column: float, row: float) -> Point:
        return (
            column * cell_w + row * cell_h * lean - cell_h * 4,
            row * cell_h + column * cell_w * drop - cell_h,
        )

    canvas.gradient([(0, lighter(frame, 0.12)), (1, darker(frame, 0.15))])
    columns = int(width / cell_w) + 8
    rows = int(height / cell_h) + int(columns * cell_w * -drop / cell_h) + 4
    with canvas.crisp() as pen:
        for row in range(-1, rows):
            for column in range(-1, columns):
                a, b = column + thick, row + thick
                c, d = column + 1 - thick * 0.4, row + 1 - thick * 0.4
                glass = mix(
                    sky_high, sky_low, (row / rows) + random.uniform(-0.25, 0.25)
                )
                pen.polygon([place(a, b), place(c, b), place(c, d), place(a, d)], glass)
                shade = darker(glass, 0.5)
                pen.polygon(
                    [
                        place(a, b),
                        place(c, b),
                        place(c, b + 0.1),
                        place(a + 0.1, b + 0.1),
                        place(a + 0.1, d),
                        place(a, d),
                    ],
                    shade,
                )
                m = a + (c - a) * 0.55
                pen.line([place(m, b), place(m, d)], unit * 0.35, darker(frame, 0.25))
                if random.random() < 0.16:
                    fall = random.uniform(0.3, 0.7)
                    pen.polygon(
                        [
                            place(a + 0.1, b + 0.1),
                            place(c, b + 0.1),
                            place(c, b + fall),
                            place(a + 0.1, b + fall),
                        ],
                        lighter(frame, 0.3),
                        0.85,
                    )
                pen.polygon(
                    [
                        place(column, row),
                        place(column + 1, row),
                        place(column + 1, row + 0.05),
                        place(column, row + 0.05),
                    ],
                    lighter(frame, 0.35),
                    0.7,
                )
    canvas.glow(width * random.uniform(0, 1), 0, width * 0.9, sky_low, 0.35)
    canvas.finish(grain=9, vignette=0.35)
    return "The facade of a tall building, sky in its windows"
