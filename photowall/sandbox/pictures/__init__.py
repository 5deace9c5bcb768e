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

__all__ = [
    "AVATAR_SIZE",
    "SCENES",
    "SIZES",
    "Picture",
    "draw",
    "draw_avatar",
    "layout_of",
    "shrink",
    "size_of",
]
