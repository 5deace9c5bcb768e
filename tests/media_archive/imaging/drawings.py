"""Pictures for tests, drawn when they are needed: always the same ones."""

from __future__ import annotations

import hashlib
import io
import random
import struct
import zlib
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageDraw

from media_archive import files, imaging
from media_archive.models import StoredFile

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "pictures"
RED, GREEN, BLUE, YELLOW = (220, 40, 40), (40, 180, 60), (40, 60, 200), (240, 220, 60)


def a_photo(width: int, height: int, seed: int = 1) -> Image.Image:
    """Soft light and many hard shapes."""
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
    return image


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Red and green above blue and yellow: one sees how it was turned."""
    image = Image.new("RGB", (width, height), RED)
    pen = ImageDraw.Draw(image)
    across, down = width // 2, height // 2
    pen.rectangle((across, 0, width, down - 1), fill=GREEN)
    pen.rectangle((0, down, across - 1, height), fill=BLUE)
    pen.rectangle((across, down, width, height), fill=YELLOW)
    return image


def encoded(image: Image.Image, format_: str = "JPEG", **options: Any) -> bytes:
    """``image`` as a file's bytes."""
    output = io.BytesIO()
    image.save(output, format_, **options)
    return output.getvalue()


def moving(frames: list[Image.Image], format_: str = "GIF", **options: Any) -> bytes:
    """A picture that moves."""
    first, *others = frames
    options = {"duration": 100, "loop": 0} | options
    return encoded(first, format_, save_all=True, append_images=others, **options)


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG."""
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def a_png(width: int, height: int, *extra: bytes, pixels: bytes = b"") -> bytes:
    """A PNG that says it has so many grey pixels, with ``extra`` chunks before the
    (compressed) ``pixels``."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra)
    return start + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def a_gif(width: int, height: int, frames: int) -> bytes:
    """A GIF of single pixels on a screen of that size."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0)
    colours = b"\x00\x00\x00\xff\xff\xff"
    shape = struct.pack("<HHHHB", 0, 0, 1, 1, 0)
    frame = b"," + shape + b"\x02\x02\x44\x01\x00"
    return head + colours + frame * frames + b";"


def display_p3() -> bytes:
    """The colour profile of phones' photos: our sRGB with other primaries. Their
    numbers are those of the standard, adapted to D50."""
    profile = bytearray(
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    )
    primaries = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
    }
    (count,) = struct.unpack(">I", profile[128:132])
    for entry in range(132, 132 + 12 * count, 12):
        name, at, length = struct.unpack(">4sII", profile[entry : entry + 12])
        if name in primaries:
            numbers = [round(part * 65536) for part in primaries[name]]
            profile[at + 8 : at + 20] = struct.pack(">3i", *numbers)
        if name == b"desc":
            text = bytes(profile[at : at + length])
            other = text.replace("sRGB".encode("utf-16-be"), "P3  ".encode("utf-16-be"))
            profile[at : at + length] = other
    return bytes(profile)


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
