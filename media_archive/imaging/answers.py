"""What the decoding process answers, as values; it is believed no more than needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_archive.errors import (
    BrokenImage,
    DecodingTookTooLong,
    DecodingTookTooMuchMemory,
    DiskFull,
    PhotowallError,
    PictureRefused,
    TooManyFrames,
    TooManyPixels,
)

_ERRORS: dict[str, type[PhotowallError]] = {
    error.code: error
    for error in (
        BrokenImage,
        DecodingTookTooLong,
        DecodingTookTooMuchMemory,
        DiskFull,
        PictureRefused,
        TooManyFrames,
        TooManyPixels,
    )
}


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a file is. Pixels as people see it, after its orientation was applied;
    ``None`` for films, which are not opened. ``frames`` 1 = it stands still."""

    content_type: str
    width: int | None
    height: int | None
    frames: int

    @property
    def is_film(self) -> bool:
        return self.content_type.startswith("video/")


@dataclass(frozen=True, kw_only=True)
class Made:
    """One rendition, a file in the folder that was named. Pixels."""

    spec: str
    path: Path
    content_type: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """All that was made of a picture; the fields of ``StoredFile`` say what they are.
    A moving rendition is missing where it would have cost too much."""

    made: list[Made]
    placeholder: str
    color: str
    tint: str
    luma: float
    perceptual_hash: int | None


def raise_refusal(answer: Mapping[str, Any]) -> None:
    """Raise what the answer refuses, if it does."""
    code = answer.get("code")
    if code is not None:
        raise _ERRORS.get(str(code), BrokenImage)(str(answer.get("sentence", ""))[:300])


def looked(answer: Mapping[str, Any]) -> Looked:
    """Raises ``KeyError``, ``TypeError`` or ``ValueError`` for nonsense."""
    sides = [answer["width"], answer["height"]]
    width, height = [None if side is None else int(side) for side in sides]
    return Looked(
        content_type=str(answer["content_type"]),
        width=width,
        height=height,
        frames=int(answer["frames"]),
    )


def rendered(answer: Mapping[str, Any], into: Path, asked: Collection[str]) -> Rendered:
    """Raises ``KeyError``, ``TypeError`` or ``ValueError`` for nonsense."""
    made = [_made(one, into, asked) for one in answer["made"]]
    likeness = answer["perceptual_hash"]
    return Rendered(
        made=made,
        placeholder=str(answer["placeholder"])[:600],
        color=str(answer["color"])[:7],
        tint=str(answer["tint"])[:7],
        luma=float(answer["luma"]),
        perceptual_hash=None if likeness is None else int(likeness),
    )


def _made(one: Mapping[str, Any], into: Path, asked: Collection[str]) -> Made:
    spec = str(one["spec"])
    if spec not in asked:
        raise ValueError(f"{spec} was not asked for")
    return Made(
        spec=spec,
        path=into / spec,
        content_type=str(one["content_type"]),
        width=int(one["width"]),
        height=int(one["height"]),
    )
