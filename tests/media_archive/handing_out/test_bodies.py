"""A film is read while it is taken, and let go when nobody takes it any more."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from media_archive import files
from media_archive.handing_out.answers import Answer, Shown, answer_to
from media_archive.handing_out.bodies import body_of
from media_archive.stores.shape import PIECE, Damaged
from tests.media_archive.handing_out.kept import put

BYTES = bytes(range(256)) * 4 * 1024 + b"the end"
NAME = files.film_name(hashlib.sha256(BYTES).hexdigest(), "video/mp4")
FILM = Shown(NAME, len(BYTES))
ALL = answer_to("GET", {}, FILM)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How large each piece was that was read."""
    put(NAME, BYTES)
    asked: list[int] = []
    read = files.read

    def counted(*words: Any, **more: Any) -> Any:
        for piece in read(*words, **more):
            asked.append(len(piece))
            yield piece

    monkeypatch.setattr(files, "read", counted)
    return asked


async def taken(answer: Answer) -> bytes:
    return b"".join([piece async for piece in await body_of(answer, FILM)])


def test_the_body_is_the_part_that_was_asked_for(asked: list[int]) -> None:
    assert asyncio.run(taken(ALL)) == BYTES
    part = answer_to("GET", {"range": f"bytes=3-{PIECE + 5}"}, FILM)
    assert asyncio.run(taken(part)) == BYTES[3 : PIECE + 6]


def test_one_piece_is_held_and_the_next_is_read_when_it_is_wanted(
    asked: list[int],
) -> None:
    async def take_two() -> None:
        pieces = await body_of(ALL, FILM)
        assert len(asked) == 1
        await anext(pieces)
        assert len(asked) == 1
        await anext(pieces)
        assert len(asked) == 2
        await pieces.aclose()

    asyncio.run(take_two())
    assert asked == [PIECE, PIECE]


def test_who_hangs_up_leaves_no_file_open(settings: Any) -> None:
    path = Path(settings.MEDIA_ROOT) / put(NAME, BYTES)

    def is_open() -> bool:
        links = Path("/proc/self/fd").iterdir()
        return path.resolve() in [link.resolve() for link in links]

    async def take_one() -> None:
        pieces = await body_of(ALL, FILM)
        await anext(pieces)
        assert is_open()
        await pieces.aclose()

    asyncio.run(take_one())
    assert not is_open()


def test_what_cannot_be_read_is_known_before_anything_was_said() -> None:
    with pytest.raises(FileNotFoundError):
        asyncio.run(taken(ALL))
    put(NAME, BYTES[:-1])
    with pytest.raises(Damaged):
        asyncio.run(taken(ALL))
