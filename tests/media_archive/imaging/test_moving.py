"""Pictures that move: which frame stands for them, and what moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from media_archive.decoder import moving as moving_pictures
from media_archive.decoder import specs
from media_archive.imaging import Rendered
from tests.media_archive.imaging.drawings import (
    RED,
    a_gif,
    a_photo,
    chunk,
    moving,
    quarters,
)
from tests.media_archive.imaging.test_pixels import near

Render = Callable[..., Rendered]
Shown = Callable[..., Image.Image]
BLACK, WHITE = Image.new("RGB", (96, 72)), Image.new("RGB", (96, 72), "white")


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_that_shows_something_stands_for_it(
    shown: Shown, kind: str
) -> None:
    options = {} if kind == "GIF" else {"lossless": True} if kind == "WEBP" else {}
    content = moving([BLACK, WHITE, quarters(96, 72), a_photo(96, 72)], kind, **options)
    assert near(shown(content).getpixel((20, 20)), RED)


def test_a_see_through_first_frame_shows_nothing(shown: Shown) -> None:
    nothing = Image.new("RGBA", (96, 72), (255, 0, 0, 0))
    content = moving([nothing, quarters(96, 72).convert("RGBA")], "WEBP", lossless=True)
    assert near(shown(content).getpixel((20, 20)), RED)


def test_if_none_shows_anything_it_is_the_first(shown: Shown) -> None:
    frames = [BLACK, WHITE] * 3
    assert near(shown(moving(frames)).getpixel((20, 20)), (0, 0, 0))


def test_frames_that_are_only_part_of_the_picture_are_whole(render: Render) -> None:
    """GIFs keep what changed: each frame is laid over the one before."""
    frames = [quarters(96, 72)]
    for at in range(4):
        frame = frames[-1].copy()
        frame.paste((0, 0, 0), (at * 8, 0, at * 8 + 8, 8))
        frames.append(frame)
    made = {m.spec: m for m in render(moving(frames), "a480.webp.1").made}
    image: Any = Image.open(made["a480.webp.1"].path)
    assert image.n_frames == 5
    image.seek(4)
    assert near(image.convert("RGB").getpixel((60, 10)), (40, 180, 60), by=25)
    assert near(image.convert("RGB").getpixel((4, 4)), (0, 0, 0), by=40)


def test_long_ones_leave_frames_out_and_take_as_long(
    render: Render, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [Image.new("RGB", (40, 30), (number, 0, 90)) for number in range(150)]
    (made,) = render(moving(frames, duration=40), "a480.webp.1").made
    image: Any = Image.open(made.path)
    assert image.n_frames <= moving_pictures.MOST_FRAMES
    total = 0
    for number in range(image.n_frames):
        image.seek(number)
        image.load()
        total += image.info["duration"]
    assert total == 150 * 40


def test_what_would_cost_too_much_only_stands(render: Render) -> None:
    assert specs.may_move(200, 1000, 1000)
    assert not specs.may_move(200, 2000, 2000)
    content = a_gif(2100, 2000, 100)
    made = [m.spec for m in render(content, "w240.webp.1", "a480.webp.1").made]
    assert made == ["w240.webp.1"]


def test_what_says_more_frames_than_it_has_is_taken_as_it_is(render: Render) -> None:
    content = moving([quarters(96, 72), a_photo(96, 72), a_photo(96, 72, 2)], "PNG")
    place = content.index(b"acTL") - 4
    lie = chunk(b"acTL", (50).to_bytes(4, "big") + bytes(4))
    lying = content[:place] + lie + content[place + len(lie) :]
    made = {m.spec: m for m in render(lying, "w240.webp.1", "a480.webp.1").made}
    image: Any = Image.open(made["a480.webp.1"].path)
    assert image.n_frames == 3
