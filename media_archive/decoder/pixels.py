"""From what a file holds to sRGB pixels as people see them, small and upright.

Shrinking comes first: colour and orientation then cost little. A picture that is not
plain RGB is worked on in bands, so that only one copy of all its pixels exists.
"""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageCms

from media_archive.decoder.opening import Opened

BAND = 2_000_000
"""Pixels that are converted at a time."""
LARGE = 500_000
"""Pixels of a result from which on time counts more than the last bit of sharpness."""
LIGHT, DARK = (255, 255, 255), (24, 24, 27)
"""The grounds on which see-through pictures are laid."""

_TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright(opened: Opened, size: tuple[int, int]) -> Image.Image:
    """The current frame as RGB (sRGB) of ``size``, as people see it, or as RGBA where
    it is see-through. ``size`` is not larger than the picture."""
    image = opened.image
    stored = (size[1], size[0]) if opened.orientation >= 5 else size
    if opened.content_type == "image/jpeg" and opened.frames == 1:
        # The decoder itself can leave out detail, by halves.
        image.draft(None, stored)
    image.load()
    profile = image.info.get("icc_profile")
    small = shrunk(image, stored)
    if small is image and opened.frames > 1:
        # The file goes on to its next frame; this is a picture of its own.
        small = image.copy()
    if isinstance(profile, bytes):
        small = _in_srgb(small, profile)
    if small.mode not in ("RGB", "RGBA"):
        small = small.convert("RGB")
    turn = _TURNED.get(opened.orientation)
    return small.transpose(turn) if turn is not None else small


def shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """``image`` in ``size``, in a mode that can be scaled: L, RGB, RGBA or CMYK. The
    sides may only get shorter."""
    mode = working_mode(image)
    factor = max(1, min(image.width // (2 * size[0]), image.height // (2 * size[1])))
    if image.mode != mode or (mode == "RGBA" and factor > 1):
        image = _by_bands(image, mode, factor)
    if image.size == size:
        return image
    large = size[0] * size[1] > LARGE
    filter_ = Image.Resampling.HAMMING if large else Image.Resampling.BICUBIC
    return image.resize(size, filter_, reducing_gap=2.0)


def working_mode(image: Image.Image) -> str:
    """The mode that keeps what people see of ``image``."""
    if image.mode in ("L", "RGB", "CMYK"):
        return "RGBA" if "transparency" in image.info else image.mode
    if image.mode in ("1", "I", "I;16", "I;16L", "I;16B", "I;16N", "F"):
        return "L"
    if image.has_transparency_data:
        return "RGBA"
    return "RGB"


def _by_bands(image: Image.Image, mode: str, factor: int) -> Image.Image:
    rows = max(1, BAND // max(1, image.width) // factor) * factor
    size = (-(-image.width // factor), -(-image.height // factor))
    whole = Image.new(mode, size)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        band = _converted(image.crop((0, top, image.width, bottom)), mode)
        whole.paste(band.reduce(factor) if factor > 1 else band, (0, top // factor))
    return whole


def _converted(image: Image.Image, mode: str) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        # 16 bits to 8: the upper half, not what is above 255 cut off.
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image.convert(mode)


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """In the colours that the picture means. A profile that is broken, or does not fit
    the picture, is passed over: its colours are taken as sRGB."""
    mode = "RGB" if image.mode == "RGBA" else image.mode
    transform = _transform(profile, mode)
    if transform is None:
        return image
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    plain = image.convert(mode) if alpha else image
    try:
        shown = ImageCms.applyTransform(plain, transform)
    except (ImageCms.PyCMSError, ValueError, OSError):
        return image
    if shown is None:
        return image
    if alpha:
        shown.putalpha(alpha)
    return shown


_SRGB_TOO = ("c2", "c2ci")  # compact ones that cameras and services write


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From ``profile`` to sRGB; ``None`` where nothing is to be done."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = (source.profile.profile_description or "").strip().lower()
        if mode == "RGB" and (name.startswith("srgb") or name in _SRGB_TOO):
            return None
        return ImageCms.buildTransform(source, _srgb(), mode, "RGB")
    except (ImageCms.PyCMSError, ValueError, OSError, TypeError, SyntaxError):
        return None


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def flattened(image: Image.Image) -> Image.Image:
    """RGB: what is see-through is laid on a ground on which it can be seen. Light
    drawings on dark, everything else on white."""
    if image.mode != "RGBA":
        return image
    return on_ground(image, ground_for(image))


def ground_for(image: Image.Image) -> tuple[int, int, int]:
    """The ground that fits ``image`` (RGBA): white, unless what is there is light."""
    alpha = image.getchannel("A")
    seen = alpha.point(lambda value: 255 if value > 127 else 0)
    if alpha.getextrema()[0] == 255 or not seen.getbbox():
        return LIGHT
    histogram = image.convert("L").histogram(seen)
    mean = sum(level * n for level, n in enumerate(histogram)) / sum(histogram)
    return DARK if mean > 160 else LIGHT


def on_ground(image: Image.Image, ground: tuple[int, int, int]) -> Image.Image:
    """``image`` (RGBA) on ``ground``, as RGB."""
    whole = Image.new("RGB", image.size, ground)
    whole.paste(image, mask=image.getchannel("A"))
    return whole
