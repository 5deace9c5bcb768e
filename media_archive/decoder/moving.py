"""Pictures that move: the frame that stands for them, and a small one that moves."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

from PIL import Image

from media_archive.decoder import pixels
from media_archive.decoder.encoding import WEBP_METHOD
from media_archive.decoder.opening import Opened

LOOKED_AT = 20
"""Frames among which one that is not blank is looked for."""
MOST_FRAMES = 60
"""Frames that the small one has; of a longer one every second, third … is taken."""
QUALITY = 60
SHORTEST, USUAL, LONGEST = 20, 100, 60_000
"""Milliseconds. Browsers show a frame that says less than the first for the second."""

BROKEN_OFF = (EOFError, OSError, SyntaxError, ValueError)
"""What a frame raises that is not there, or not whole."""


def to_first_shown(opened: Opened) -> None:
    """Go to the first frame that is not one colour all over; else stay at the first."""
    with contextlib.suppress(*BROKEN_OFF):
        for number in range(min(opened.frames, LOOKED_AT)):
            opened.image.seek(number)
            if not _is_blank(opened.image):
                return
    opened.image.seek(0)


def _is_blank(image: Image.Image) -> bool:
    image.load()
    size = (min(image.width, 64), min(image.height, 64))
    small = pixels.shrunk(image, size)
    # What cannot be seen has no colour: on black it is alike all over.
    shown = pixels.on_ground(small, (0, 0, 0)) if small.mode == "RGBA" else small
    return all(_spread(band) <= 2 for band in shown.split())


def _spread(band: Image.Image) -> int:
    """Between the darkest and the brightest of one band of 8 bits."""
    levels = [level for level, n in enumerate(band.histogram()) if n]
    return levels[-1] - levels[0]


def webp(opened: Opened, size: tuple[int, int]) -> bytes:
    """A moving WebP of ``size``, from ``specs.may_move`` pictures only."""
    ground: tuple[int, int, int] | None = None
    shown: list[Image.Image] = []
    times: list[int] = []
    for frame, milliseconds in _taken(opened, size):
        if frame is None:
            times[-1] += milliseconds
            continue
        if frame.mode == "RGBA":
            ground = ground or pixels.ground_for(frame)
            frame = pixels.on_ground(frame, ground)
        frame.info = {}
        shown.append(frame)
        times.append(milliseconds)
    output = io.BytesIO()
    shown[0].save(
        output,
        "WEBP",
        save_all=True,
        append_images=shown[1:],
        duration=times,
        loop=0,
        quality=QUALITY,
        method=WEBP_METHOD,
    )
    return output.getvalue()


def _taken(
    opened: Opened, size: tuple[int, int]
) -> Iterator[tuple[Image.Image | None, int]]:
    """Frames with their milliseconds; ``None`` for one that is left out."""
    step = -(-opened.frames // MOST_FRAMES)
    for number in range(opened.frames):
        try:
            opened.image.seek(number)
            opened.image.load()
        except BROKEN_OFF:
            return  # what came before is shown all the same
        wanted = number % step == 0
        frame = pixels.upright(opened, size) if wanted else None
        duration = opened.image.info.get("duration")
        milliseconds = round(duration) if isinstance(duration, int | float) else 0
        yield frame, min(milliseconds, LONGEST) if milliseconds >= SHORTEST else USUAL
