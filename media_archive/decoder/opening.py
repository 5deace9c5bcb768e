"""Opens a picture: what it is and how large, from its header, before any decoding."""

from __future__ import annotations

import importlib
from typing import Any, BinaryIO, NamedTuple

from PIL import Image, ImageFile

from media_archive.decoder import frames, kinds, scans
from media_archive.decoder.messages import (
    BROKEN,
    TOO_MANY_FRAMES,
    TOO_MANY_PIXELS,
    Limits,
    Refusal,
)
from media_archive.decoder.specs import LONGEST_SIDE

_ORIENTATION = 0x0112  # the EXIF tag
_PLUGINS = {
    "image/jpeg": ("JpegImagePlugin", "MpoImagePlugin"),
    "image/png": ("PngImagePlugin",),
    "image/gif": ("GifImagePlugin",),
    "image/webp": ("WebPImagePlugin",),
    "image/avif": ("AvifImagePlugin",),
}

ImageFile.LOAD_TRUNCATED_IMAGES = False


class Opened(NamedTuple):
    """A picture whose header was read. ``width`` and ``height`` as people see it,
    after ``orientation`` (EXIF's, 1 to 8) was applied; ``frames`` 1 = it stands."""

    image: ImageFile.ImageFile
    content_type: str
    width: int
    height: int
    frames: int
    orientation: int


def open_picture(file: BinaryIO, limits: Limits) -> Opened:
    """The picture in ``file``. Raises ``Refusal``; and whatever else a broken file
    makes the library raise."""
    content_type = kinds.content_type(file)
    if content_type.startswith("video/"):
        raise Refusal("not_an_image", "This is a film, not a picture.")
    count = frames.count(file, content_type, limits["frames"])
    # One that counts wrongly must not get further than the one who counts here.
    _refuse_frames(count or 1, limits)
    if content_type == "image/jpeg":
        scans.refuse_too_many(file)
    _load_plugin(content_type)
    # Twice this number of pixels and Pillow itself refuses, while opening.
    Image.MAX_IMAGE_PIXELS = limits["pixels"]
    file.seek(0)
    try:
        image = Image.open(file, formats=(kinds.PILLOW[content_type],))
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(limits) from error
    except Image.UnidentifiedImageError as error:
        words = f"Its first bytes are those of {content_type}, but it is broken."
        raise Refusal(BROKEN, words) from error
    width, height = image.size
    if width * height > limits["pixels"]:
        raise _too_many_pixels(limits)
    if max(width, height) > LONGEST_SIDE:
        words = f"It is {width:,} by {height:,} pixels: no side may be longer than "
        raise Refusal(TOO_MANY_PIXELS, f"{words}{LONGEST_SIDE:,}.")
    if count is None:
        count = int(getattr(image, "n_frames", 1))
        _refuse_frames(count, limits)
    orientation = _orientation(image)
    if orientation >= 5:
        width, height = height, width
    return Opened(
        image=image,
        content_type=content_type,
        width=width,
        height=height,
        frames=count,
        orientation=orientation,
    )


def _load_plugin(content_type: str) -> None:
    """Only what this file needs: the others' code is not reached."""
    if content_type == "image/heic":
        # Without thumbnails and depth maps: nothing but the picture is read.
        heif = importlib.import_module("pi_heif")
        heif.register_heif_opener(
            thumbnails=False, depth_images=False, aux_images=False, decode_threads=1
        )
    else:
        for plugin in _PLUGINS[content_type]:
            importlib.import_module(f"PIL.{plugin}")
        if content_type == "image/avif":
            avif: Any = importlib.import_module("PIL.AvifImagePlugin")
            avif.DEFAULT_MAX_THREADS = 1


def _refuse_frames(count: int, limits: Limits) -> None:
    if count > limits["frames"]:
        words = f"It has more than {limits['frames']:,} frames, which is the limit."
        raise Refusal(TOO_MANY_FRAMES, words)


def _too_many_pixels(limits: Limits) -> Refusal:
    most = limits["pixels"] / 1_000_000
    words = f"It has more than {most:,.4g} million pixels, which is the limit."
    return Refusal(TOO_MANY_PIXELS, words)


def _orientation(image: Image.Image) -> int:
    """As the header says; what PNG keeps of it behind the pixels is not looked for,
    because all of them would have to be decoded."""
    try:
        found = Image.Image.getexif(image).get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001  a camera's notes may be broken in any way
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1
