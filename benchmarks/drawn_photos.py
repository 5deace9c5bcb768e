"""Pictures as large and as hard to encode as photos, drawn: always the same ones."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw


def photo(width: int, height: int) -> Image.Image:
    """Soft light, hard shapes and a sensor's noise."""
    chance = random.Random(1)
    size = (width, height)
    soft = Image.effect_noise((width // 8, height // 8), 80)
    clouds = soft.resize(size, Image.Resampling.BICUBIC)
    slope = Image.linear_gradient("L").resize(size)
    light = Image.radial_gradient("L").resize(size)
    bands = [
        ImageChops.add(one, other, 2)
        for one, other in ((clouds, slope), (slope, light), (clouds, light))
    ]
    image = Image.merge("RGB", bands)
    pen = ImageDraw.Draw(image)
    for _ in range(60):
        x, y = chance.randrange(width), chance.randrange(height)
        reach = chance.randrange(10, width // 5)
        colour = tuple(chance.randrange(256) for _ in range(3))
        pen.ellipse((x, y, x + reach, y + reach), fill=colour)
    noise = Image.effect_noise(size, 6)
    return ImageChops.add(image, Image.merge("RGB", (noise,) * 3), 1, -128)


def bomb(path: Path, side: int = 30_000) -> None:
    """A PNG of ``side`` times ``side`` grey pixels, all black; they are never held."""
    press = zlib.compressobj(9)
    row = bytes(side + 1)
    pixels = b"".join([press.compress(row) for _ in range(side)]) + press.flush()
    header = side.to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, content in chunks:
            check = zlib.crc32(kind + content).to_bytes(4, "big")
            file.write(len(content).to_bytes(4, "big") + kind + content + check)
