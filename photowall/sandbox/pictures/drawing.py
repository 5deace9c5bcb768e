"""From a seed to a JPEG: which scene, in which format, and its smaller sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from photowall.sandbox.chance import seeded
from photowall.sandbox.pictures.canvas import Canvas
from photowall.sandbox.pictures.scenes import (
    city,
    garden,
    mountains,
    night,
    people,
    poster,
    sea,
    sky,
    stage,
    table,
)
from photowall.sandbox.pictures.shots import picture_of

Scene = Callable[[Canvas], str]

SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        stage.concert,
        stage.confetti,
        sea.sunset,
        sea.beach,
        mountains.mist,
        mountains.snow,
        mountains.dunes,
        sky.aurora,
        sky.milky_way,
        sky.balloons,
        city.skyline,
        city.facade,
        garden.flower,
        garden.forest,
        table.coffee,
        table.salad,
        night.bokeh,
        night.fireworks,
        poster.poster,
        people.friends,
        people.portrait,
    )
}
PORTRAIT, STORY, SQUARE = (1080, 1350), (1080, 1920), (1080, 1080)
LANDSCAPE, WIDE = (1080, 720), (1080, 566)
FORMATS = (PORTRAIT, PORTRAIT, SQUARE, SQUARE, LANDSCAPE, LANDSCAPE, WIDE, STORY)
"""Drawn from evenly: tall stories and very wide ones are rarer."""

SIZES: dict[str, int | None] = {
    "thumbnail": 150,
    "low_resolution": 320,
    "standard_resolution": None,
}
"""The upstream's names of the sizes and their width in pixels; ``None`` is the
whole picture. Thumbnails are square."""
AVATAR_SIZE = 150
QUALITY = 85


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished picture: a JPEG, its size in pixels, and what it shows."""

    jpeg: bytes
    width: int
    height: int
    scene: str
    alt: str


def layout_of(seed: int) -> tuple[str, int, int]:
    """The scene, width and height that ``seed`` leads to, without drawing.

    Neighbouring seeds go once through all scenes before one comes again.
    """
    seed = picture_of(seed)
    turn, place = divmod(seed, len(SCENES))
    names = list(SCENES)
    seeded("turn", turn).shuffle(names)
    width, height = seeded("format", seed).choice(FORMATS)
    return names[place], width, height


def size_of(seed: int, size: str) -> tuple[int, int]:
    """Width and height in pixels of one of the ``SIZES`` of a picture."""
    _, width, height = layout_of(seed)
    wanted = SIZES[size]
    if wanted is None:
        return width, height
    if size == "thumbnail":
        return wanted, wanted
    return wanted, round(height * wanted / width)


def draw(seed: int) -> Picture:
    """The picture of ``seed``: the same bytes every time, well under half a
    second of one core."""
    scene, width, height = layout_of(seed)
    canvas = Canvas(width, height, seeded("picture", seed))
    alt = SCENES[scene](canvas)
    return Picture(_jpeg(canvas.image), width, height, scene, alt)


def shrink(seed: int, jpeg: bytes, size: str) -> bytes:
    """``jpeg``, the whole picture of ``seed``, in one of the smaller ``SIZES``."""
    wanted = size_of(seed, size)
    with Image.open(BytesIO(jpeg), formats=["JPEG"]) as image:
        if image.size == wanted:
            return jpeg
        short = min(image.size)
        left, top = (image.width - short) // 2, (image.height - short) // 2
        square = (left, top, left + short, top + short)
        box = square if size == "thumbnail" else None
        small = image.resize(wanted, Image.Resampling.LANCZOS, box=box)
    return _jpeg(small)


def draw_avatar(seed: int) -> bytes:
    """A person's portrait as a square JPEG that can be cut round."""
    canvas = Canvas(AVATAR_SIZE * 2, AVATAR_SIZE * 2, seeded("avatar", seed))
    people.avatar(canvas)
    return _jpeg(canvas.image.reduce(2))


def _jpeg(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG", quality=QUALITY, progressive=True)
    return out.getvalue()
