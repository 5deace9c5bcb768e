"""What a picture may cost here, from the settings (``docs/reference/limits.md``)."""

from __future__ import annotations

from django.conf import settings

from media_archive.decoder.messages import Limits


def of_a_picture() -> Limits:
    """For one picture: pixels, frames, seconds."""
    return Limits(
        pixels=settings.PHOTOWALL_PICTURE_PIXELS,
        frames=settings.PHOTOWALL_PICTURE_FRAMES,
        seconds=settings.PHOTOWALL_PICTURE_SECONDS,
    )


def memory() -> int:
    """Bytes of address space of a decoding process."""
    megabytes: int = settings.PHOTOWALL_PICTURE_MEMORY
    return megabytes * 1024 * 1024


def decoders() -> int:
    """Decoding processes of this process."""
    number: int = settings.PHOTOWALL_DECODERS
    return max(number, 1)
