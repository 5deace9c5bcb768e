"""Concerts: beams of light over a crowd, and confetti."""

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

LOOKS = [
    "#0b0216 #2a0540 #b3158c #7a2bff #2f8cff",
    "#020a14 #05304a #0f86c9 #27c4ff #7df0ff",
    "#120600 #3d1602 #e8760c #ffb02e #ff5a1f",
    "#0a0214 #310a3f #ff2f76 #ff8a3c #a13bff",
    "#00110f #033b35 #11b58a #6dffb0 #20d0ff",
]


def concert(canvas: Canvas) -> str:
    """Lamps, beams and haze over the heads of a crowd."""
    random, unit = canvas.random, canvas.unit
    night, wall, *lamps = colours(random.choice(LOOKS))
    width, height = canvas.size
    floor = height * random.uniform(0.74, 0.8)
    canvas.gradient([(0, night), (0.75, wall), (1, darker(wall, 0.6))])
    canvas.glow(
        width * random.uniform(0.35, 0.65),
        floor,
        width * 0.75,
        lamps[0],
        0.75,
        0.9,
        1.8,
    )
    places = []
    count = random.randint(4, 6)
    with canvas.light(blur=unit * 0.9) as pen:
        for index in range(count):
            x = width * (index + random.uniform(0.25, 0.75)) / count
            y = height * random.uniform(0.04, 0.16)
            places.append((x, y))
            for _ in range(random.choice([1, 1, 2])):
                _beam(canvas, pen, x, y, darker(random.choice(lamps), 0.25))
    canvas.clouds(lamps[0], 3, 0.5, 0.16, 2.5, ((0, 0.2), (0.6, 1), (1, 0.6)))
    for x, y in places:
        canvas.glow(x, y, unit * 9, lighter(lamps[1], 0.5), 0.9, power=3)
        canvas.glow(x, y, unit * 2.6, (255, 255, 255), 1, power=1.6)
    _crowd(canvas, floor, darker(night, 0.55), lamps[0])
    canvas.finish(grain=9, vignette=0.3)
    return "A crowd in front of a concert stage, beams of light above it"


def confetti(canvas: Canvas) -> str:
    """Paper falling through coloured light, some of it out of focus."""
    random, unit = canvas.random, canvas.unit
    above, middle, below = colours(
        random.choice(
            [
                "#5b2aa8 #c552c0 #ff7d8e",
                "#0b3a7a #2a86d1 #9fe0ff",
                "#7a1030 #e0483f #ffb35a",
            ]
        )
    )
    canvas.gradient([(0, above), (0.55, middle), (1, below)])
    canvas.glow(canvas.width / 2, canvas.height * 0.7, canvas.width * 0.7, below, 0.6)
    bits = colours("#ffd23f #ff3f8e #3fe0c5 #ffffff #5aa9ff #b02aa8 #ffa23f")
    for blur, size, count in ((1.1, 1.7, 26), (0.35, 1.15, 60)):
        with canvas.soft(blur * unit, 0.9) as pen:
            for _ in range(count):
                _paper(canvas, pen, size * unit * random.uniform(0.7, 1.4), bits)
    with canvas.crisp() as pen:
        for _ in range(70):
            _paper(canvas, pen, unit * random.uniform(0.7, 1.3), bits)
    _crowd(canvas, canvas.height * 0.84, darker(above, 0.75), middle)
    canvas.finish(grain=6)
    return "Confetti over a dancing crowd"


def _beam(canvas: Canvas, pen: Pen, x: float, y: float, shade: Colour) -> None:
    """A cone of light that grows wider and weaker, in slices."""
    angle = canvas.random.uniform(-0.55, 0.55)
    length = canvas.height * canvas.random.uniform(0.7, 1)
    spread = canvas.unit * canvas.random.uniform(6, 11)
    dx, dy = math.sin(angle), math.cos(angle)
    slices = 28
    for layer in (1.0, 0.55):
        for step in range(slices):
            a, b = step / slices, (step + 1) / slices
            share = (1 - a) ** 1.2 * 0.5
            near, far = (0.7 * canvas.unit + spread * t * layer for t in (a, b))
            x0, y0 = x + dx * length * a, y + dy * length * a
            x1, y1 = x + dx * length * b, y + dy * length * b
            pen.polygon(
                [(x0 - near, y0), (x0 + near, y0), (x1 + far, y1), (x1 - far, y1)],
                shade,
                share,
            )


def _paper(canvas: Canvas, pen: Pen, size: float, shades: list[Colour]) -> None:
    random = canvas.random
    x, y = random.uniform(0, canvas.width), random.uniform(0, canvas.height * 0.9)
    turn, flat = random.uniform(0, math.pi), random.uniform(0.35, 1)
    ux, uy = math.cos(turn) * size, math.sin(turn) * size
    vx, vy = -math.sin(turn) * size * flat * 0.7, math.cos(turn) * size * flat * 0.7
    pen.polygon(
        [
            (x - ux - vx, y - uy - vy),
            (x + ux - vx, y + uy - vy),
            (x + ux + vx, y + uy + vy),
            (x - ux + vx, y - uy + vy),
        ],
        random.choice(shades),
        random.uniform(0.75, 1),
    )


def _crowd(canvas: Canvas, floor: float, shade: Colour, rim: Colour) -> None:
    """Three rows of heads and raised arms; the ones behind take on light."""
    random, unit = canvas.random, canvas.unit
    black = colour("#040207")
    with canvas.crisp() as pen:
        for row in range(3):
            ink = (mix(shade, rim, 0.14), mix(shade, rim, 0.05), black)[row]
            size = unit * (3.0 + row * 0.9)
            base = floor + row * unit * 5.5
            x = -size * random.uniform(0, 2)
            pen.box(0, base + size * 2.0, canvas.width, canvas.height, ink)
            while x < canvas.width + size:
                _person(canvas, pen, x, base + random.uniform(-1, 1) * unit, size, ink)
                x += size * random.uniform(1.9, 2.7)


def _person(
    canvas: Canvas, pen: Pen, x: float, y: float, size: float, ink: Colour
) -> None:
    random = canvas.random
    pen.ellipse(x, y, size * 0.62, size * 0.78, ink)
    if random.random() < 0.25:  # hair tied up
        pen.circle(x + size * 0.15, y - size * 0.85, size * 0.32, ink)
    pen.box(x - size * 0.22, y + size * 0.4, size * 0.44, size, ink)
    pen.blob(
        [
            (x - size * 1.25, y + size * 3),
            (x - size * 1.1, y + size * 1.35),
            (x - size * 0.35, y + size * 0.95),
            (x + size * 0.35, y + size * 0.95),
            (x + size * 1.1, y + size * 1.35),
            (x + size * 1.25, y + size * 3),
        ],
        ink,
    )
    pose = random.random()
    if pose < 0.34:
        side = random.choice([-1, 1])
        hand = (x + side * size * random.uniform(0.9, 1.5), y - size * 2.1)
        shoulder = (x + side * size * 0.95, y + size * 1.6)
        elbow = (x + side * size * random.uniform(1.1, 1.7), y - size * 0.2)
        pen.line([shoulder, elbow, hand], size * 0.42, ink, rounded=True)
        pen.circle(*hand, size * 0.34, ink)
        if pose < 0.08:
            pen.box(
                hand[0] - size * 0.4,
                hand[1] - size * 1.3,
                size * 0.85,
                size * 1.4,
                ink,
                radius=size * 0.1,
            )
