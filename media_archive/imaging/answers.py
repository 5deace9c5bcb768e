"""What the decoding process answers, as values; it is believed no more than needed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_archive.decoder import kinds, specs
from media_archive.decoder.specs import LONGEST_SIDE
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

MOST_FRAMES = 1_000_000
_COLOR = re.compile("#[0-9a-f]{6}")
_PLACEHOLDER = re.compile("(data:image/webp;base64,[A-Za-z0-9+/=]{1,427})?")
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
    """Raise what the answer refuses, if it does. Raises ``KeyError``, ``TypeError`` or
    ``ValueError`` for nonsense."""
    code = answer.get("code")
    if code is not None:
        # NUL and halves of characters would not go into a database.
        parts = [c if c.isprintable() else " " for c in answer["sentence"][:300]]
        raise _ERRORS.get(code, BrokenImage)("".join(parts))


def looked(answer: Mapping[str, Any]) -> Looked:
    """Raises ``KeyError``, ``TypeError`` or ``ValueError`` for nonsense."""
    content_type = answer["content_type"]
    if content_type in kinds.FILMS:
        if not answer["width"] is answer["height"] is None or answer["frames"] != 1:
            raise ValueError("a film that was opened")
        return Looked(content_type=content_type, width=None, height=None, frames=1)
    if content_type not in kinds.PILLOW:
        raise ValueError(f"no content type: {content_type!r:.80}")
    return Looked(
        content_type=content_type,
        width=_whole(answer["width"], 1, LONGEST_SIDE),
        height=_whole(answer["height"], 1, LONGEST_SIDE),
        frames=_whole(answer["frames"], 1, MOST_FRAMES),
    )


def rendered(answer: Mapping[str, Any], into: Path, asked: Collection[str]) -> Rendered:
    """Raises ``KeyError``, ``TypeError`` or ``ValueError`` for nonsense."""
    made = [_made(one, into, asked) for one in answer["made"]]
    if len({one.spec for one in made}) < len(made):
        raise ValueError("a rendition comes twice")
    likeness, luma = answer["perceptual_hash"], answer["luma"]
    if not isinstance(luma, int | float) or not 0 <= luma <= 1:
        raise ValueError("no luminance")
    return Rendered(
        made=made,
        placeholder=_text(answer["placeholder"], _PLACEHOLDER),
        color=_text(answer["color"], _COLOR),
        tint=_text(answer["tint"], _COLOR),
        luma=float(luma),
        perceptual_hash=None
        if likeness is None
        else _whole(likeness, -(1 << 63), (1 << 63) - 1),
    )


def _made(one: Mapping[str, Any], into: Path, asked: Collection[str]) -> Made:
    spec = one["spec"]
    if spec not in asked:
        raise ValueError(f"{spec!r:.80} was not asked for")
    content_type = specs.parse(spec).content_type
    if one["content_type"] != content_type:
        raise ValueError(f"{spec} is of another kind")
    return Made(
        spec=spec,
        path=into / spec,
        content_type=content_type,
        width=_whole(one["width"], 1, LONGEST_SIDE),
        height=_whole(one["height"], 1, LONGEST_SIDE),
    )


def _whole(value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"not a number from {least} to {most}: {value!r:.80}")
    return value


def _text(value: object, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ValueError(f"a text of another form: {value!r:.80}")
    return value
