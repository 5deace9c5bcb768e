"""What a rendition is called: ``kind + pixels . format . version``.

``w480.webp.1`` is 480 wide and WebP; ``s168`` a square; ``bg`` the blurred background;
``a480`` moves. The version is only carried along: it says which set it belongs to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_SIDE = 32_767
"""Pixels of a picture; no screen, camera or format of ours goes beyond."""
TALLEST = 3
"""Times as high as wide; what is taller gets narrower than its name says."""
BACKGROUND = 160
"""Pixels across."""
MOST_MOVING = 400_000_000
"""Pixels of all frames together; what has more only stands still."""

_SPEC = re.compile(r"(?:([wsa])([1-9][0-9]{0,4})|(bg))\.(webp|jpeg)\.([0-9]{1,4})")


@dataclass(frozen=True)
class Spec:
    """``kind``: w fits, s square, b background, a moves. ``pixels`` across."""

    text: str
    kind: str
    pixels: int
    format: str

    @property
    def content_type(self) -> str:
        return f"image/{self.format}"


def parse(text: str) -> Spec:
    """Raises ``ValueError`` for what is no spec."""
    match = _SPEC.fullmatch(text)
    if match is None:
        raise ValueError(f"not a rendition: {text!r}")
    kind, pixels, background, format_, _version = match.groups()
    if background:
        return Spec(text, "b", BACKGROUND, format_)
    return Spec(text, kind, int(pixels), format_)


def measure(width: int, height: int) -> int:
    """How large a picture is for the widths: its width, more if it is very tall."""
    return max(width, -(-height // TALLEST))


def fitted(width: int, height: int, pixels: int) -> tuple[int, int]:
    """The size in which a picture fits ``pixels`` across, never larger than it is."""
    scale = min(1.0, pixels / measure(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def may_move(frames: int, width: int, height: int) -> bool:
    """Whether a moving rendition is made."""
    return frames > 1 and frames * width * height <= MOST_MOVING
