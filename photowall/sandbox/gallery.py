"""The folder of drawn pictures, as they are served.

There are ``PHOTOWALL_SANDBOX_PICTURES`` different pictures and no more:
after them the first comes again, with another author and caption. So the folder
cannot grow without end, and a missing file (deleted, or asked for before it was
drawn) is simply drawn again: a picture depends on its seed alone.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from photowall.sandbox import options
from photowall.sandbox.pictures import (
    SIZES,
    draw,
    draw_avatar,
    is_shot,
    picture_of,
    shrink,
    taken,
)

WHOLE = next(size for size, width in SIZES.items() if width is None)
_drawing = Lock()
"""One picture at a time: drawing takes a core and some memory."""


def seed_of(number: int) -> int:
    """Which picture the post ``number`` shows."""
    return number % options.pictures()


def picture_path(seed: int, size: str) -> Path:
    """The file of one size of a picture, or of another shot of it
    (``pictures.shots``), drawn if it is not there yet.

    Raises ``KeyError`` for a size and ``ValueError`` for a seed that there is not.
    """
    if size not in SIZES:
        raise KeyError(size)
    if not is_shot(seed) or picture_of(seed) >= options.pictures():
        raise ValueError(f"There is no picture {seed}.")
    path = options.folder() / f"{seed}-{size}.jpg"
    return _made(path, lambda: _draw_all(seed))


def avatar_path(number: int, count: int) -> Path:
    """The portrait of person ``number`` of ``count``, drawn if it is not there."""
    if not 0 <= number < count:
        raise ValueError(f"There is no person {number}.")
    path = options.folder() / f"person-{number}.jpg"
    return _made(path, lambda: _write(path, draw_avatar(number)))


def _made(path: Path, make: Callable[[], None]) -> Path:
    if not path.exists():
        with _drawing:
            if not path.exists():
                make()
    return path


def _draw_all(seed: int) -> None:
    """Draws a picture and writes all its sizes, the whole one last: where it is,
    the others are."""
    picture = picture_of(seed)
    drawn = options.folder() / f"{picture}-{WHOLE}.jpg"
    whole = drawn.read_bytes() if drawn.exists() else draw(picture).jpeg
    whole = taken(seed, whole)
    for size in SIZES:
        _write(options.folder() / f"{seed}-{size}.jpg", shrink(seed, whole, size))


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: another process may be writing the same picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{secrets.token_hex(4)}.part")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)  # noqa: PTH105  the word for atomic
    finally:
        unfinished.unlink(missing_ok=True)
