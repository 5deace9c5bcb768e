"""``look()`` and ``render()``: questions to whichever decoding process is free."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from media_archive.decoder import messages
from media_archive.errors import (
    BrokenImage,
    DecodingTookTooLong,
    DecodingTookTooMuchMemory,
)
from media_archive.imaging import answers, limits, pool
from media_archive.imaging.answers import Looked, Rendered
from media_archive.imaging.process import DecodingProcess, Died, TookTooLong

PATIENCE = 3
"""Times the seconds of processor time that a picture has: a busy machine is not the
picture's fault, a decoder that hangs is."""

_Answer = TypeVar("_Answer", Looked, Rendered)

logger = logging.getLogger(__name__)


def look(path: Path) -> Looked:
    """What the file is, by its content, and how large. Nothing is decoded.

    Raises ``PictureRefused`` (or a subclass with a code of its own) with a sentence
    for people; ``FileNotFoundError``.
    """
    path.stat()
    request = {"do": messages.LOOK, "path": str(path.absolute())}
    return _asked(request, answers.looked)


def render(path: Path, into: Path, specs: Sequence[str]) -> Rendered:
    """Make the renditions ``specs`` (``media_archive.decoder.specs``) of a picture, as
    files in the folder ``into``.

    Raises ``PictureRefused`` (or a subclass) with a sentence for people; ``DiskFull``;
    ``FileNotFoundError``.
    """
    path.stat()
    request = {
        "do": messages.RENDER,
        "path": str(path.absolute()),
        "into": str(into.absolute()),
        "specs": [*specs],
    }
    return _asked(request, lambda answer: answers.rendered(answer, into, specs))


def _asked(
    request: dict[str, Any], read: Callable[[dict[str, Any]], _Answer]
) -> _Answer:
    """The answer, as ``read`` understands it. A process that dies is tried once more,
    with a new one: it may have been ended for a reason that is not this picture's. One
    that answers nonsense is not asked again."""
    most = limits.of_a_picture()
    request["limits"] = most
    seconds = float(most["seconds"] * PATIENCE)
    for attempt in (1, 2):
        with pool.borrowed() as process:
            try:
                answer = process.ask(request, seconds)
            except TookTooLong:
                raise _too_long(most) from None
            except Died as death:
                _judge(death, process, most, last=attempt == 2)
                continue
            trace = answer.get("trace")
            if isinstance(trace, str):
                logger.info("a picture could not be decoded: %s", trace)
            try:
                answers.raise_refusal(answer)
                return read(answer)
            except (KeyError, TypeError, ValueError, RecursionError) as error:
                process.end(gently=False)
                raise BrokenImage("The decoder's answer made no sense.") from error
    raise BrokenImage("The decoder crashed over it, twice.")


def _judge(
    death: Died, process: DecodingProcess, most: messages.Limits, *, last: bool
) -> None:
    """Raise for a death whose reason is known; else it is said and tried again."""
    if death.by_time:
        raise _too_long(most) from None
    if death.by_memory:
        words = "It would take more memory to decode than a picture may."
        raise DecodingTookTooMuchMemory(words) from None
    logger.warning(
        "decoding process %d ended with %s, %s",
        process.pid,
        death.status,
        "again: the picture is refused" if last else "and is started again",
    )


def _too_long(most: messages.Limits) -> DecodingTookTooLong:
    words = f"It took more than {most['seconds']} seconds to decode."
    return DecodingTookTooLong(words)
