"""Drawn pictures: the same for a seed, different between seeds, of real sizes."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageStat

from photowall.sandbox.pictures import (
    SCENES,
    draw,
    draw_avatar,
    layout_of,
    shrink,
    size_of,
)


def opened(jpeg: bytes) -> Image.Image:
    image = Image.open(BytesIO(jpeg), formats=["JPEG"])
    image.load()
    return image


def seed_for(scene: str) -> int:
    return next(seed for seed in range(len(SCENES)) if layout_of(seed)[0] == scene)


def test_the_same_seed_draws_the_same_bytes() -> None:
    assert draw(7) == draw(7)
    assert draw(7).jpeg != draw(8).jpeg


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_is_drawn_and_is_no_empty_sheet(scene: str) -> None:
    picture = draw(seed_for(scene))

    assert picture.scene == scene
    assert len(picture.alt) > 10
    image = opened(picture.jpeg)
    assert image.size == (picture.width, picture.height)
    deviation = ImageStat.Stat(image.convert("L")).stddev[0]
    assert deviation > 8, "one colour only"
    assert 20_000 < len(picture.jpeg) < 700_000


def test_two_pictures_of_one_scene_differ() -> None:
    one, other = (
        seed for seed in range(len(SCENES) * 2) if layout_of(seed)[0] == "sunset"
    )
    first, second = (opened(draw(seed).jpeg).resize((64, 64)) for seed in (one, other))

    difference = ImageStat.Stat(ImageChops.difference(first, second)).mean
    assert sum(difference) > 5


def test_neighbouring_seeds_go_through_all_scenes_before_one_comes_again() -> None:
    count = len(SCENES)

    for turn in range(3):
        scenes = {layout_of(turn * count + place)[0] for place in range(count)}
        assert scenes == set(SCENES)


def test_there_are_portraits_landscapes_squares_and_stories() -> None:
    shapes = {layout_of(seed)[1:] for seed in range(100)}

    assert {
        (1080, 1350),
        (1080, 720),
        (1080, 566),
        (1080, 1080),
        (1080, 1920),
    } == shapes


@pytest.mark.parametrize("seed", range(4))
def test_smaller_sizes_are_as_large_as_is_said_of_them(seed: int) -> None:
    whole = draw(seed).jpeg

    for size, width in (("thumbnail", 150), ("low_resolution", 320)):
        small = opened(shrink(seed, whole, size))
        assert small.size == size_of(seed, size)
        assert small.width == width
    assert shrink(seed, whole, "standard_resolution") == whole
    assert size_of(seed, "thumbnail") == (150, 150)


def test_portraits_of_people_are_square_and_their_own() -> None:
    assert opened(draw_avatar(1)).size == (150, 150)
    assert draw_avatar(1) == draw_avatar(1)
    assert draw_avatar(1) != draw_avatar(2)
