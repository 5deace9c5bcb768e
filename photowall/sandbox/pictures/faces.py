"""People in flat design: a head, hair, a face, shoulders. Nobody real."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from photowall.sandbox.pictures.colours import Colour, colours, darker, lighter
from photowall.sandbox.pictures.pen import Pen, smooth

SKINS = colours("#f6d0b0 #eab88f #d99a6c #b9784a #8f5632 #6b3d22 #f2c6a2 #a8683e")
HAIRS = colours(
    "#1a1210 #3b2416 #6b3f1f #a8702f #d8a548 #b5482a #8a8a90 #e9e4dc #22202e"
)
CLOTHES = colours(
    "#e8512e #2a7fb0 #f2b430 #3a9d6a #7a4fc0 #e05a8a #f4f1ea #26323f #0f9d9a"
)
STYLES = ("bob", "long", "short", "curly", "bun", "bald", "cap", "scarf", "fringe")


@dataclass(frozen=True, slots=True)
class Face:
    """What one person looks like, the same in every picture of them."""

    skin: Colour
    hair: Colour
    cloth: Colour
    style: str
    glasses: bool
    beard: bool
    smile: float

    @classmethod
    def of(cls, random: Random) -> Face:
        style = random.choice(STYLES)
        return cls(
            skin=random.choice(SKINS),
            hair=random.choice(HAIRS),
            cloth=random.choice(CLOTHES),
            style=style,
            glasses=random.random() < 0.28,
            beard=style in ("short", "bald", "cap") and random.random() < 0.55,
            smile=random.uniform(0.4, 1),
        )


def draw_face(pen: Pen, face: Face, x: float, y: float, size: float) -> None:
    """Draws ``face`` with the middle of its head at (``x``, ``y``); ``size`` is
    half the height of the head. The shoulders reach down to six times that."""
    _hair_behind(pen, face, x, y, size)
    shade = darker(face.skin, 0.16)
    pen.box(
        x - size * 0.3,
        y + size * 0.5,
        size * 0.6,
        size * 0.95,
        shade,
        radius=size * 0.2,
    )
    _body(pen, face, x, y, size)
    pen.circle(x - size * 0.8, y + size * 0.08, size * 0.16, shade)
    pen.circle(x + size * 0.8, y + size * 0.08, size * 0.16, shade)
    pen.blob(
        [
            (x, y - size),
            (x + size * 0.62, y - size * 0.78),
            (x + size * 0.8, y),
            (x + size * 0.6, y + size * 0.68),
            (x, y + size),
            (x - size * 0.6, y + size * 0.68),
            (x - size * 0.8, y),
            (x - size * 0.62, y - size * 0.78),
        ],
        face.skin,
    )
    _features(pen, face, x, y, size)
    _hair_before(pen, face, x, y, size)


def _body(pen: Pen, face: Face, x: float, y: float, size: float) -> None:
    top = y + size * 1.22
    pen.polygon(
        [
            *smooth(
                [
                    (x - size * 1.62, top + size * 5),
                    (x - size * 1.6, top + size * 0.9),
                    (x - size * 1.2, top + size * 0.18),
                    (x - size * 0.36, top - size * 0.06),
                ]
            ),
            *smooth(
                [
                    (x + size * 0.36, top - size * 0.06),
                    (x + size * 1.2, top + size * 0.18),
                    (x + size * 1.6, top + size * 0.9),
                    (x + size * 1.62, top + size * 5),
                ]
            ),
        ],
        face.cloth,
    )
    pen.ellipse(x, top - size * 0.04, size * 0.4, size * 0.26, darker(face.skin, 0.16))
    for side in (-1, 1):
        pen.line(
            [
                (x + side * size * 1.02, top + size * 1.1),
                (x + side * size * 1.08, top + size * 5),
            ],
            size * 0.06,
            darker(face.cloth, 0.18),
        )


def _features(pen: Pen, face: Face, x: float, y: float, size: float) -> None:
    dark = (38, 26, 24)
    for side in (-1, 1):
        ex, ey = x + side * size * 0.34, y - size * 0.08
        pen.circle(ex, ey, size * 0.1, dark)
        pen.circle(ex + size * 0.03, ey - size * 0.035, size * 0.03, (255, 255, 255))
        pen.arc(
            ex,
            ey - size * 0.16,
            size * 0.2,
            size * 0.12,
            200,
            340,
            size * 0.06,
            darker(face.hair, 0.2) if face.style != "bald" else dark,
        )
        pen.circle(
            x + side * size * 0.46, y + size * 0.24, size * 0.16, (240, 96, 90), 0.22
        )
    pen.arc(
        x,
        y + size * 0.16,
        size * 0.11,
        size * 0.08,
        20,
        160,
        size * 0.05,
        darker(face.skin, 0.3),
    )
    if face.beard:
        jaw = [
            (x - size * 0.79, y + size * 0.12),
            (x - size * 0.62, y + size * 0.72),
            (x, y + size * 1.08),
            (x + size * 0.62, y + size * 0.72),
            (x + size * 0.79, y + size * 0.12),
            (x + size * 0.45, y + size * 0.34),
            (x, y + size * 0.28),
            (x - size * 0.45, y + size * 0.34),
        ]
        pen.blob(jaw, face.hair)
    wide = size * (0.2 + 0.14 * face.smile)
    mouth = y + size * 0.46
    low = size * (0.1 + 0.18 * face.smile)
    pen.polygon(
        smooth(
            [
                (x - wide, mouth),
                (x - wide * 0.6, mouth + low * 0.85),
                (x, mouth + low),
                (x + wide * 0.6, mouth + low * 0.85),
                (x + wide, mouth),
            ]
        ),
        (110, 24, 36),
    )
    pen.polygon(
        [
            (x - wide * 0.86, mouth),
            (x + wide * 0.86, mouth),
            (x + wide * 0.7, mouth + low * 0.42),
            (x - wide * 0.7, mouth + low * 0.42),
        ],
        (255, 255, 255),
    )
    if face.glasses:
        for side in (-1, 1):
            pen.ring(
                x + side * size * 0.35, y - size * 0.07, size * 0.27, size * 0.06, dark
            )
        pen.line(
            [(x - size * 0.1, y - size * 0.1), (x + size * 0.1, y - size * 0.1)],
            size * 0.06,
            dark,
        )


def _hair_behind(pen: Pen, face: Face, x: float, y: float, size: float) -> None:
    if face.style in ("long", "bob", "fringe"):
        low = {"long": 2.1, "bob": 0.95, "fringe": 1.5}[face.style]
        pen.box(
            x - size * 1.06,
            y - size * 1.12,
            size * 2.12,
            size * (1.12 + low),
            darker(face.hair, 0.18),
            radius=size * 0.95,
        )
    elif face.style == "curly":
        for dx, dy, r in (
            (-0.85, -0.3, 0.5),
            (0.85, -0.3, 0.5),
            (-0.95, 0.25, 0.42),
            (0.95, 0.25, 0.42),
            (-0.55, -0.85, 0.55),
            (0.55, -0.85, 0.55),
            (0, -1.05, 0.55),
            (-0.85, 0.7, 0.36),
            (0.85, 0.7, 0.36),
        ):
            pen.circle(x + dx * size, y + dy * size, r * size, face.hair)
    elif face.style == "bun":
        pen.circle(x, y - size * 1.28, size * 0.42, face.hair)
        pen.box(
            x - size * 0.92,
            y - size * 1.08,
            size * 1.84,
            size * 1.5,
            darker(face.hair, 0.15),
            radius=size * 0.8,
        )
    elif face.style == "scarf":
        pen.blob(
            [
                (x, y - size * 1.22),
                (x + size * 0.95, y - size * 0.75),
                (x + size * 1.08, y + size * 0.3),
                (x + size * 0.9, y + size * 1.5),
                (x, y + size * 1.8),
                (x - size * 0.9, y + size * 1.5),
                (x - size * 1.08, y + size * 0.3),
                (x - size * 0.95, y - size * 0.75),
            ],
            lighter(face.cloth, 0.25),
        )


def _hair_before(pen: Pen, face: Face, x: float, y: float, size: float) -> None:
    hair = face.hair
    if face.style in ("long", "bun"):
        for side in (-1, 1):
            pen.polygon(
                smooth(
                    [
                        (x + side * size * 0.08, y - size * 1.1),
                        (x + side * size * 0.7, y - size * 0.95),
                        (x + side * size * 0.95, y - size * 0.3),
                        (x + side * size * 0.9, y + size * 0.15),
                    ]
                )
                + smooth(
                    [
                        (x + side * size * 0.76, y - size * 0.2),
                        (x + side * size * 0.5, y - size * 0.62),
                        (x - side * size * 0.1, y - size * 0.86),
                    ]
                ),
                hair,
            )
    elif face.style in ("bob", "fringe"):
        pen.blob(
            [
                (x - size * 0.92, y - size * 0.2),
                (x - size * 0.9, y - size * 0.8),
                (x, y - size * 1.15),
                (x + size * 0.9, y - size * 0.8),
                (x + size * 0.92, y - size * 0.2),
                (x + size * 0.6, y - size * 0.4),
                (x, y - size * 0.44),
                (x - size * 0.6, y - size * 0.4),
            ],
            hair,
        )
    elif face.style == "short":
        pen.blob(
            [
                (x - size * 0.86, y - size * 0.1),
                (x - size * 0.88, y - size * 0.75),
                (x - size * 0.3, y - size * 1.18),
                (x + size * 0.5, y - size * 1.15),
                (x + size * 0.9, y - size * 0.7),
                (x + size * 0.84, y - size * 0.1),
                (x + size * 0.66, y - size * 0.48),
                (x + size * 0.1, y - size * 0.6),
                (x - size * 0.5, y - size * 0.56),
                (x - size * 0.7, y - size * 0.4),
            ],
            hair,
        )
    elif face.style == "curly":
        for dx in (-0.6, -0.3, 0.0, 0.3, 0.6):
            pen.circle(
                x + dx * size, y - size * (0.86 - 0.25 * abs(dx)), size * 0.3, hair
            )
    elif face.style == "cap":
        cap = lighter(face.cloth, 0.15)
        pen.blob(
            [
                (x - size * 0.92, y - size * 0.34),
                (x - size * 0.85, y - size * 0.95),
                (x, y - size * 1.3),
                (x + size * 0.85, y - size * 0.95),
                (x + size * 0.92, y - size * 0.34),
                (x, y - size * 0.5),
            ],
            cap,
        )
        pen.ellipse(
            x + size * 0.2, y - size * 0.42, size * 0.95, size * 0.14, darker(cap, 0.25)
        )
    elif face.style == "scarf":
        cloth = lighter(face.cloth, 0.35)
        pen.polygon(
            smooth(
                [
                    (x - size * 0.95, y + size * 0.3),
                    (x - size * 0.85, y - size * 0.75),
                    (x, y - size * 1.18),
                    (x + size * 0.85, y - size * 0.75),
                    (x + size * 0.95, y + size * 0.3),
                ]
            )
            + smooth(
                [
                    (x + size * 0.72, y + size * 0.2),
                    (x + size * 0.6, y - size * 0.5),
                    (x, y - size * 0.74),
                    (x - size * 0.6, y - size * 0.5),
                    (x - size * 0.72, y + size * 0.2),
                ]
            ),
            cloth,
        )
