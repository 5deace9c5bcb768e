"""Friends in front of the lights, and the round portraits of authors."""

from __future__ import annotations

from photowall.sandbox.pictures.canvas import Canvas
from photowall.sandbox.pictures.colours import colours, lighter, turned
from photowall.sandbox.pictures.faces import Face, draw_face
from photowall.sandbox.pictures.scenes.night import discs

GROUNDS = [
    "#3a1f4a #6b2f4e #ff7a6b #8aa8ff #ffb87a #c98aff",
    "#123a5e #2f6a8a #9fe0ff #ffd98a #ffffff #8affd2",
    "#f2a65a #e0655a #fff0c0 #ffd0d8 #ffe9a8 #ffb0a0",
    "#1d4a3f #3f7a5a #e8ffb0 #b0ffd8 #fff2b0 #9fe8c0",
]


def friends(canvas: Canvas) -> str:
    """Two to four people close together, smiling."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    high, low, *lamps = colours(random.choice(GROUNDS))
    canvas.gradient([(0, high), (1, low)])
    discs(canvas, lamps, 45)
    wide = width > height * 1.2
    count = random.choice([3, 4]) if wide else random.choice([2, 3])
    size = min(width / count / 2.7, height * 0.17)
    with canvas.crisp() as pen:
        order = list(range(count))
        random.shuffle(order)
        for index in order:
            x = width * (index + 0.5) / count + random.uniform(-1.5, 1.5) * unit
            y = height - size * random.uniform(3.0, 3.8)
            draw_face(pen, Face.of(random), x, y, size)
    canvas.glow(width / 2, 0, width, lamps[0], 0.22)
    canvas.finish(grain=12, vignette=0.25)
    return f"{['Two', 'Three', 'Four'][count - 2]} friends smile into the camera"


def portrait(canvas: Canvas) -> str:
    """One person in front of a plain, bright ground."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    ground = random.choice(colours("#ffb199 #9ad7e8 #f7d774 #b9a5ee #a8dcb0 #f4a9c4"))
    canvas.gradient([(0, lighter(ground, 0.25)), (1, ground)])
    with canvas.crisp() as pen:
        disc = turned(lighter(ground, 0.4), 0.08)
        pen.circle(width / 2, height * 0.5, unit * 41, disc)
        size = unit * 19
        draw_face(pen, Face.of(random), width / 2, height - size * 2.95, size)
    canvas.glow(width * 0.3, height * 0.2, unit * 60, (255, 255, 255), 0.18)
    canvas.finish(grain=9, vignette=0.15)
    return "A portrait of a smiling person"


def avatar(canvas: Canvas) -> None:
    """A head that stays whole when the square is cut round."""
    random, unit = canvas.random, canvas.unit
    width, height = canvas.size
    high, low, *lamps = colours(random.choice(GROUNDS))
    canvas.gradient([(0, lighter(high, 0.35)), (1, lighter(low, 0.45))])
    with canvas.crisp() as pen:
        for _ in range(7):
            x, y = random.uniform(0, width), random.uniform(0, height)
            pen.circle(x, y, unit * random.uniform(4, 12), random.choice(lamps), 0.4)
        draw_face(pen, Face.of(random), width / 2, height * 0.49, unit * 25)
