"""The hash of real pictures: shots of one moment are near, other motifs are not."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable

import pytest
from PIL import Image, ImageEnhance

from media_archive.clusters import Look, distance
from media_archive.decoder.impressions import perceptual_hash
from photowall.sandbox.chance import seeded
from photowall.sandbox.pictures.canvas import Canvas
from photowall.sandbox.pictures.drawing import SCENES, SQUARE
from photowall.sandbox.pictures.shots import shot_of, taken

Change = Callable[[Image.Image], Image.Image]
SHOTS = 12


def drawing(scene: str) -> Image.Image:
    """One of the sandbox's motifs, at a quarter of its size."""
    canvas = Canvas(SQUARE[0] // 4, SQUARE[1] // 4, seeded("alike", scene))
    SCENES[scene](canvas)
    return canvas.image.convert("RGB")


def look(image: Image.Image) -> Look | None:
    """As the renditions' maker computes it."""
    small = image.convert("RGB")
    small.thumbnail((160, 160), Image.Resampling.BOX)
    bits = perceptual_hash(small)
    return None if bits is None else Look(bits, image.width / image.height)


def compressed(image: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(out)


def cut(image: Image.Image, *sides: float) -> Image.Image:
    left, top, right, bottom = (
        share * length
        for share, length in zip(sides, (*image.size, *image.size), strict=True)
    )
    box = (left, top, image.width - right, image.height - bottom)
    return image.resize(image.size, Image.Resampling.BICUBIC, box=box)


CHANGES: dict[str, Change] = {
    "half as large": lambda i: i.resize((i.width // 2, i.height // 2)),
    "JPEG of quality 35": lambda i: compressed(i, 35),
    "a tenth lighter": lambda i: ImageEnhance.Brightness(i).enhance(1.1),
    "a tenth darker": lambda i: ImageEnhance.Brightness(i).enhance(0.9),
    "less contrast": lambda i: ImageEnhance.Contrast(i).enhance(0.85),
    "a pixel to the side": lambda i: i.transform(
        i.size, Image.Transform.AFFINE, (1, 0, 1, 0, 1, 0)
    ),
    "one hundredth cut off": lambda i: cut(i, 0.01, 0, 0, 0.01),
}


@pytest.mark.parametrize("scene", ["concert", "beach", "friends", "fireworks"])
def test_another_version_of_a_picture_is_like_it(scene: str) -> None:
    picture = drawing(scene)
    first = look(picture)
    assert first is not None
    for name, change in CHANGES.items():
        second = look(change(picture))
        assert second is not None
        assert first.is_like(second), (name, distance(first.bits, second.bits))


@pytest.mark.parametrize("scene", ["concert", "beach", "friends", "fireworks"])
def test_twelve_shots_of_the_sandbox_hang_together(scene: str) -> None:
    out = io.BytesIO()
    drawing(scene).save(out, "JPEG", quality=85)
    looks = [
        look(Image.open(io.BytesIO(taken(shot_of(7, shot), out.getvalue()))))
        for shot in range(SHOTS)
    ]
    assert len({found.bits for found in looks if found}) > 1  # they do differ
    reached, todo = {0}, [0]
    while todo:
        one = looks[todo.pop()]
        assert one is not None
        for number, other in enumerate(looks):
            if number not in reached and other is not None and one.is_like(other):
                reached.add(number)
                todo.append(number)
    assert reached == set(range(SHOTS))


def test_other_motifs_are_not_like_it() -> None:
    looks = {scene: look(drawing(scene)) for scene in SCENES}
    known = {scene: found for scene, found in looks.items() if found is not None}
    assert len(known) > 15
    alike = [
        (one, other, distance(known[one].bits, known[other].bits))
        for one, other in itertools.combinations(known, 2)
        if known[one].is_like(known[other])
    ]
    assert alike == []


def test_too_little_detail_has_no_hash() -> None:
    assert look(Image.new("RGB", (300, 200), "#123456")) is None
