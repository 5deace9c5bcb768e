"""Bytes that were changed by chance: a picture or a refusal, never anything else."""

from __future__ import annotations

import random
import time
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_archive import imaging
from media_archive.errors import PictureRefused
from tests.media_archive.imaging.drawings import (
    FIXTURES,
    a_photo,
    display_p3,
    encoded,
    moving,
    quarters,
)

SPECS = ["w240.webp.1", "w240.jpeg.1", "s168.webp.1", "bg.webp.1", "a480.webp.1"]
KINDS = ("jpeg", "png", "gif", "webp", "avif", "heic", "moving gif", "moving webp")
CODES = {
    *("not_an_image", "broken_image", "too_many_pixels", "too_many_frames"),
    *("decoding_took_too_long", "decoding_took_too_much_memory"),
}


@lru_cache
def original(kind: str) -> bytes:
    if kind == "heic":
        return (FIXTURES / "quarters.heic").read_bytes()
    if kind.startswith("moving "):
        frames = [quarters(48, 36), a_photo(48, 36), a_photo(48, 36, 2)]
        return moving(frames, kind.removeprefix("moving ").upper())
    return encoded(a_photo(48, 36), kind.upper(), icc_profile=display_p3())


def mutated(content: bytes, seed: int, changes: int) -> bytes:
    """Bytes are flipped, cut out, doubled and put in, mostly near the beginning,
    where a file says what it is."""
    chance = random.Random(seed)
    body = bytearray(content)
    for _ in range(changes):
        reach = len(body) if chance.random() < 0.5 else min(len(body), 300)
        at = chance.randrange(4, max(5, reach))
        match chance.randrange(5):
            case 0:
                body[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del body[at : at + chance.randrange(1, 40)]
            case 2:
                body[at:at] = body[at : at + chance.randrange(1, 40)]
            case 3:
                body[at:at] = chance.randbytes(chance.randrange(1, 20))
            case _:
                body[at : at + 4] = chance.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff"))
    return bytes(body)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32), changes=st.integers(0, 12))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_changed_pictures_are_pictures_or_refused(
    tmp_path: Path, kind: str, seed: int, changes: int
) -> None:
    path = tmp_path / "picture"
    path.write_bytes(mutated(original(kind), seed, changes))
    began = time.monotonic()
    try:
        looked = imaging.look(path)
        assert looked.frames >= 1
        if looked.is_film:
            return
        assert looked.width is not None and looked.height is not None
        assert 1 <= looked.width * looked.height <= 50_000_000
        rendered = imaging.render(path, tmp_path, SPECS)
    except PictureRefused as refusal:
        code, sentence = refusal.code, refusal.message
        assert changes > 0
        assert code in CODES and sentence.endswith((".", "?"))
        assert 20 < len(sentence) <= 300
    else:
        assert {made.spec for made in rendered.made} >= {*SPECS[:4]}
        assert len(rendered.placeholder) <= 450
    assert time.monotonic() - began < 65


def test_changed_pictures_do_differ() -> None:
    """And some of them still are pictures: both halves of the test above are met."""
    for kind in KINDS:
        changed = {mutated(original(kind), seed, 3) for seed in range(20)}
        assert len(changed) > 15
        assert mutated(original(kind), 1, 0) == original(kind)
