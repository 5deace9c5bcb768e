"""Writes renditions: our own encoding of pixels alone, so nothing else of the file
that came (places, names, programs behind the picture) reaches anybody."""

from __future__ import annotations

import io

from PIL import Image

WEBP_QUALITY = 80
WEBP_METHOD = 0
"""0 fast to 6 small; the decision record on renditions has the figures."""
JPEG_QUALITY = 82
BACKGROUND_QUALITY = 90
"""Less shows blocks where it is stretched over a screen."""


def webp(image: Image.Image, quality: int = WEBP_QUALITY) -> bytes:
    """``image`` (RGB) as WebP."""
    return _encoded(image, "WEBP", quality=quality, method=WEBP_METHOD)


def jpeg(image: Image.Image) -> bytes:
    """``image`` (RGB) as JPEG, for those who do not know WebP."""
    return _encoded(image, "JPEG", quality=JPEG_QUALITY, optimize=True)


def background(image: Image.Image) -> bytes:
    """``image`` (RGB), blurred, in 1 to 2 kB."""
    return webp(image, BACKGROUND_QUALITY)


def encode(image: Image.Image, format_: str) -> bytes:
    """``format_``: webp or jpeg."""
    return webp(image) if format_ == "webp" else jpeg(image)


def _encoded(image: Image.Image, format_: str, **options: int) -> bytes:
    # What the file said about itself travels in ``info``; encoders pick from it.
    image.info = {}
    output = io.BytesIO()
    image.save(output, format_, **options)
    return output.getvalue()
