"""Another shot of the same: cut a little differently, lighter or darker, smaller.

A shot has a number of its own beside its picture's, so that it is drawn again alike
whenever it is asked for.
"""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageEnhance

from photowall.sandbox.chance import seeded

MOST_SHOTS = 50
"""Of one picture, itself included."""

STEP = 1_000_000
"""Seeds of pictures are smaller; a shot's seed has its number in front of them."""

CROPPED = 0.012
"""Of each side, at most."""
BRIGHTER = 0.06
QUALITIES = (60, 92)


def shot_of(picture: int, shot: int) -> int:
    """The seed of a shot (0 = the picture itself, below ``MOST_SHOTS``)."""
    return picture + STEP * (shot % MOST_SHOTS)


def picture_of(seed: int) -> int:
    """The picture that a shot is of."""
    return seed % STEP


def is_shot(seed: int) -> bool:
    """Whether there can be such a shot."""
    return 0 <= seed < STEP * MOST_SHOTS


def taken(seed: int, jpeg: bytes) -> bytes:
    """``jpeg``, a whole picture, as the shot ``seed`` shows it: of the same size."""
    if seed == picture_of(seed):
        return jpeg
    chance = seeded("shot", seed)
    with Image.open(BytesIO(jpeg), formats=["JPEG"]) as image:
        image.load()
        sides = [chance.uniform(0, CROPPED) for _ in range(4)]
        box = (
            sides[0] * image.width,
            sides[1] * image.height,
            (1 - sides[2]) * image.width,
            (1 - sides[3]) * image.height,
        )
        shot = image.resize(image.size, Image.Resampling.BICUBIC, box=box)
    light = 1 + chance.uniform(-BRIGHTER, BRIGHTER)
    out = BytesIO()
    lit = ImageEnhance.Brightness(shot).enhance(light)
    lit.save(out, "JPEG", quality=chance.randint(*QUALITIES), progressive=True)
    return out.getvalue()
