"""All renditions of a picture from one decoding: the largest first, each smaller one
from the larger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from media_archive.decoder import encoding, impressions, moving, pixels, specs
from media_archive.decoder.opening import Opened
from media_archive.decoder.specs import Spec

SMALL = 320
"""Pixels across of the picture from which impressions are taken."""
CENTRE = (0.5, 0.4)
"""What a square shows of a larger picture: people's heads are rather above."""


def render(opened: Opened, into: Path, wanted: Sequence[str]) -> dict[str, Any]:
    """Files in ``into``, named by their spec, and what is computed from the pixels:
    the parts of ``media_archive.imaging.Rendered``."""
    parsed = [specs.parse(text) for text in wanted]
    fixed = sorted(
        (spec for spec in parsed if spec.kind in "ws"),
        key=lambda spec: (-_across(spec, opened), spec.text),
    )
    largest = max([SMALL, *(_across(spec, opened) for spec in fixed)])
    if opened.frames > 1:
        moving.to_first_shown(opened)
    whole = specs.fitted(opened.width, opened.height, largest)
    image = pixels.flattened(pixels.upright(opened, whole))
    made = []
    for spec in fixed:
        if spec.kind == "w":
            size = specs.fitted(opened.width, opened.height, spec.pixels)
            image = pixels.shrunk(image, size)
            shown = image
        else:
            shown = _square(image, spec.pixels)
        made.append(
            _written(spec, into, encoding.encode(shown, spec.format), shown.size)
        )
    small = pixels.shrunk(image, specs.fitted(*image.size, SMALL))
    back = impressions.background(
        pixels.shrunk(small, specs.fitted(*small.size, specs.BACKGROUND))
    )
    for spec in parsed:
        if spec.kind == "b":
            made.append(_written(spec, into, encoding.background(back), back.size))
        elif spec.kind == "a" and specs.may_move(
            opened.frames, opened.width, opened.height
        ):
            size = specs.fitted(opened.width, opened.height, spec.pixels)
            made.append(_written(spec, into, moving.webp(opened, size), size))
    return {
        "made": made,
        "placeholder": impressions.placeholder(small),
        "color": impressions.color(small),
        "tint": impressions.tint(small),
        "luma": impressions.luma(back),
        "perceptual_hash": impressions.perceptual_hash(small),
    }


def _across(spec: Spec, opened: Opened) -> int:
    """Pixels across that the picture must have, to make ``spec`` from it."""
    if spec.kind == "w":
        return spec.pixels
    # The square is cut out of the middle: the short side must be long enough.
    measure = specs.measure(opened.width, opened.height)
    return -(-spec.pixels * measure // min(opened.width, opened.height))


def _square(image: Image.Image, side: int) -> Image.Image:
    side = min(side, *image.size)
    return ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC, centering=CENTRE)


def _written(
    spec: Spec, into: Path, content: bytes, size: tuple[int, int]
) -> dict[str, Any]:
    (into / spec.text).write_bytes(content)
    return {
        "spec": spec.text,
        "content_type": spec.content_type,
        "width": size[0],
        "height": size[1],
    }
