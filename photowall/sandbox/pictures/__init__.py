"""Draws the sandbox's photos: flat illustrations of what people post at events.

A picture depends on its seed alone, so it never has to be kept: it can be drawn
again at any time. Only Pillow is needed.
"""

from __future__ import annotations

from photowall.sandbox.pictures.drawing import (
    AVATAR_SIZE,
    SCENES,
    SIZES,
    Picture,
    draw,
    draw_avatar,
    layout_of,
    shrink,
    size_of,
)
from photowall.sandbox.pictures.shots import (
    MOST_SHOTS,
    is_shot,
    picture_of,
    shot_of,
    taken,
)

__all__ = [
    "AVATAR_SIZE",
    "MOST_SHOTS",
    "SCENES",
    "SIZES",
    "Picture",
    "draw",
    "draw_avatar",
    "is_shot",
    "layout_of",
    "picture_of",
    "shot_of",
    "shrink",
    "size_of",
    "taken",
]
