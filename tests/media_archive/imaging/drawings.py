"""Pictures for tests, drawn when they are needed: always the same ones."""

from __future__ import annotations

import hashlib
import io
import random
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from media_archive import files, imaging
from media_archive.models import StoredFile


def a_photo(width: int, height: int, seed: int = 1, mode: str = "RGB") -> Image.Image:
    """Soft light, hard shapes and a little noise, as photos have."""
    chance = random.Random(seed)
    size = (width, height)
    light = Image.radial_gradient("L").resize(size)
    slope = Image.linear_gradient("L").resize(size)
    image = Image.merge("RGB", (light, slope, Image.blend(light, slope, 0.5)))
    pen = ImageDraw.Draw(image)
    for _ in range(40):
        x, y = chance.randrange(width), chance.randrange(height)
        reach = chance.randrange(2, max(3, min(size) // 4))
        colour = tuple(chance.randrange(256) for _ in range(3))
        pen.ellipse((x, y, x + reach, y + reach), fill=colour)
    return image.convert(mode)


def encoded(image: Image.Image, format_: str = "JPEG", **options: Any) -> bytes:
    """``image`` as a file's bytes."""
    output = io.BytesIO()
    image.save(output, format_, **options)
    return output.getvalue()


def stored(picture: Image.Image | bytes, folder: Path) -> StoredFile:
    """The row and the file in the store of a picture; its bytes also are in
    ``folder / "picture"``."""
    content = picture if isinstance(picture, bytes) else encoded(picture)
    path = folder / "picture"
    path.write_bytes(content)
    looked = imaging.look(path)
    sha256 = hashlib.sha256(content).hexdigest()
    name = files.original_name(sha256, looked.content_type)
    files.put(name, path)
    return StoredFile.objects.create(
        sha256=sha256,
        name=name,
        content_type=looked.content_type,
        size=len(content),
        width=looked.width,
        height=looked.height,
        frames=looked.frames,
    )
