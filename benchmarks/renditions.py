"""Renditions: ours against plain Pillow, memory at 50 megapixels, and a pixel bomb.

    python3 -m benchmarks.renditions [--rounds 7]
    python3 -m benchmarks.renditions --memory
    python3 -m benchmarks.renditions --bomb

Plain Pillow opens and decodes the picture anew for each size, scales with Lanczos and
saves as the encoders do by default; both make the same files. Ours computes colours,
placeholder and likeness besides. Both run in this process, in turns; what counts is
processor time, so other load of the machine tells less. "Through the pool" is the time
that a wall waits: by the clock, in a decoding process, as in production.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(tempfile.gettempdir()) / f"photowall-renditions-{os.getpid()}"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "photowall.settings")
os.environ.setdefault("PHOTOWALL_VAR", str(FOLDER / "var"))
os.environ.setdefault("SECRET_KEY", "benchmark-" * 5)

import django  # noqa: E402  the settings have to be named before

django.setup()

from PIL import Image, ImageFilter, ImageOps  # noqa: E402

from benchmarks.drawn_photos import bomb, photo  # noqa: E402
from media_archive import imaging, renditions  # noqa: E402
from media_archive.decoder import confinement, encoding, pixels, rendering  # noqa: E402
from media_archive.decoder import specs as spec_names  # noqa: E402
from media_archive.decoder.messages import Limits  # noqa: E402
from media_archive.decoder.opening import open_picture  # noqa: E402
from media_archive.errors import TooManyPixels  # noqa: E402
from media_archive.imaging import pool  # noqa: E402
from media_archive.models import StoredFile  # noqa: E402
from photowall.celery import app  # noqa: E402

LIMITS = Limits(pixels=50_000_000, frames=200, seconds=60)
SIZES = ((1080, 1350), (4000, 3000))
MEGABYTE = 1024 * 1024


def main() -> None:
    """Run what was asked for and print it in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--bomb", action="store_true")
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    if asked.memory_of:
        print(_memory_of(asked.memory_of))
        return
    print(f"{platform.platform()}, Python {platform.python_version()}\n")
    if asked.memory:
        memory()
    elif asked.bomb:
        refuse_bomb()
    else:
        ratios(asked.rounds)


def ratios(rounds: int) -> None:
    """Ours against plain, in turns."""
    print("| picture | what | plain, ms | ours, ms | ratio | through the pool, ms |")
    print("|---|---|--:|--:|--:|--:|")
    for width, height in SIZES:
        path = FOLDER / f"{width}.jpg"
        photo(width, height).save(path, quality=85)
        specs = _specs(width, height)
        sides = f"{width} × {height}, {path.stat().st_size // 1000} kB"
        _row(sides, f"whole set of {len(specs)}", path, specs, rounds)
        _row(sides, "one of 320 pixels, WebP", path, ["w320.webp.1"], rounds)
        _row(sides, "one of 320 pixels, JPEG", path, ["w320.jpeg.1"], rounds)


def _row(sides: str, what: str, path: Path, specs: list[str], rounds: int) -> None:
    ours = (lambda: _one(path, specs[0])) if len(specs) == 1 else None
    times: dict[str, list[float]] = {"plain": [], "ours": [], "pool": []}
    for _ in range(rounds):
        times["plain"].append(_timed(lambda: _plain(path, specs), time.process_time))
        ours_now = ours or (lambda: _ours(path, specs))
        times["ours"].append(_timed(ours_now, time.process_time))
        times["pool"].append(_timed(lambda: _pooled(path, specs), time.perf_counter))
    plain, own, pooled = (statistics.median(times[name]) for name in times)
    figures = f"{plain:.0f} | {own:.0f} | **{plain / own:.1f}** | {pooled:.0f}"
    print(f"| {sides} | {what} | {figures} |", flush=True)


def _specs(width: int, height: int) -> list[str]:
    return renditions.specs_of(StoredFile(width=width, height=height, frames=1))


def _timed(call: Callable[[], object], clock: Callable[[], float]) -> float:
    began = clock()
    call()
    return (clock() - began) * 1000


def _ours(path: Path, specs: list[str]) -> None:
    with path.open("rb") as file:
        rendering.render(open_picture(file, LIMITS), FOLDER, specs)


def _one(path: Path, spec: str) -> None:
    """One rendition and nothing else."""
    wanted = spec_names.parse(spec)
    with path.open("rb") as file:
        opened = open_picture(file, LIMITS)
        size = spec_names.fitted(opened.width, opened.height, wanted.pixels)
        image = pixels.upright(opened, size)
        (FOLDER / spec).write_bytes(encoding.encode(image, wanted.format))


def _pooled(path: Path, specs: list[str]) -> None:
    imaging.render(path, FOLDER, specs)


def _plain(path: Path, specs: list[str]) -> None:
    for text in specs:
        spec = spec_names.parse(text)
        with Image.open(path) as image:
            size = spec_names.fitted(image.width, image.height, spec.pixels)
            if spec.kind == "s":
                side = (spec.pixels, spec.pixels)
                made = ImageOps.fit(image, side, Image.Resampling.LANCZOS)
            else:
                made = image.resize(size, Image.Resampling.LANCZOS)
            if spec.kind == "b":
                made = made.filter(ImageFilter.GaussianBlur(6))
            output = io.BytesIO()
            made.save(output, spec.format)
            (FOLDER / f"plain-{text}").write_bytes(output.getvalue())


def memory() -> None:
    """The most memory that the whole set of a picture of 50 million pixels takes."""
    print("| picture | worker, MB | decoding process, MB | together, MB |")
    print("|---|--:|--:|--:|")
    image = photo(8_160, 6_120)
    for name, options in (
        ("large.jpg", {"quality": 85}),
        ("progressive.jpg", {"quality": 85, "progressive": True}),
        ("large.png", {"compress_level": 1}),
    ):
        path = FOLDER / name
        image.save(path, **options)
        command = [sys.executable, "-m", "benchmarks.renditions", "--memory-of", path]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(
            f"| {name}, {path.stat().st_size // MEGABYTE} MB | {done.stdout.strip()} |"
        )


def _memory_of(path: Path) -> str:
    app.loader.import_default_modules()
    looked = imaging.look(path)
    (process,) = pool.POOL.all_of_them()
    specs = _specs(looked.width or 1, looked.height or 1)
    imaging.render(path, FOLDER, specs)
    own, child = confinement.peak() // MEGABYTE, process.peak // MEGABYTE
    return f"{own} | {child} | {own + child}"


def refuse_bomb() -> None:
    """How long a PNG of 900 million pixels takes to be refused, and its memory."""
    path = FOLDER / "bomb.png"
    bomb(path)
    print(f"A PNG of 30,000 by 30,000 pixels, {path.stat().st_size / MEGABYTE:.1f} MB")
    print("\n| decoding process | median, ms | worst of 15, ms | together, MB |")
    print("|---|--:|--:|--:|")
    _refused(path)
    for state in ("there already", "has to start"):
        times = []
        most = 0
        for _ in range(15):
            if state == "has to start":
                pool.POOL.end()
            times.append(_timed(lambda: _refused(path), time.perf_counter))
            (process,) = pool.POOL.all_of_them()
            most = max(most, process.peak)
        together = (confinement.peak() + most) // MEGABYTE
        middle = statistics.median(times)
        print(f"| {state} | {middle:.0f} | {max(times):.0f} | {together} |")


def _refused(path: Path) -> None:
    try:
        imaging.look(path)
    except TooManyPixels:
        return
    raise AssertionError("it was taken")


if __name__ == "__main__":
    try:
        main()
    finally:
        for left in FOLDER.glob("*.*"):
            left.unlink()
