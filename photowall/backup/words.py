"""What both commands say alike."""

from __future__ import annotations

from django.core.management.base import OutputWrapper

from media_archive.progress import Progress


def bar(stream: OutputWrapper, total: int | None, unit: str) -> Progress:
    """A progress bar on the command's output."""
    return Progress(total, stream, unit)


def amount(size: int) -> str:
    """Bytes for people: ``12 kB``, ``3.4 GB``."""
    number = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if number >= 10 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"
