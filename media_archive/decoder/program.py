"""The loop of the decoding process: a request from standard input, an answer to
standard output, until the other side has ended."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import traceback
from pathlib import Path
from typing import Any

from media_archive.decoder import confinement, messages
from media_archive.decoder.kinds import content_type
from media_archive.decoder.messages import Refusal
from media_archive.decoder.opening import open_picture

MOST_TRACE = 4000
"""Characters of a traceback that are told."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


def main(memory: int) -> None:
    """Serve until the input ends. Never more than ``memory`` bytes."""
    confinement.confine(memory)
    answers = os.fdopen(os.dup(1), "wb")
    # A library that prints would break our answers.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    requests = os.fdopen(os.dup(0), "rb")
    while request := messages.unpack(requests.read):
        answer = _answered(request)
        answer["peak"] = confinement.peak()
        with contextlib.suppress(BrokenPipeError):
            answers.write(messages.pack(answer))
            answers.flush()
        if answer.get("code") == messages.TOO_MUCH_MEMORY:
            break  # what is left of the memory may be in pieces


def _answered(request: dict[str, Any]) -> dict[str, Any]:
    limits: messages.Limits = request["limits"]
    confinement.allow_seconds(limits["seconds"])
    try:
        return _done(request, limits)
    except Refusal as refusal:
        return {"code": refusal.code, "sentence": refusal.sentence}
    except MemoryError:
        words = "It would take more memory to decode than a picture may."
        return {"code": messages.TOO_MUCH_MEMORY, "sentence": words}
    except Exception as error:  # noqa: BLE001  hostile files make libraries raise anything
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            return {"code": messages.DISK, "sentence": "The disk is full."}
        words = "It is broken or cut off: it cannot be decoded."
        trace = traceback.format_exc()[-MOST_TRACE:]
        return {"code": messages.BROKEN, "sentence": words, "trace": trace}


def _done(request: dict[str, Any], limits: messages.Limits) -> dict[str, Any]:
    with Path(request["path"]).open("rb") as file:
        if request["do"] == messages.LOOK:
            kind = content_type(file)
            if kind.startswith("video/"):
                return {
                    "content_type": kind,
                    "width": None,
                    "height": None,
                    "frames": 1,
                }
            file.seek(0)
        opened = open_picture(file, limits)
        with opened.image:
            if request["do"] == messages.RENDER:
                # Who only looks starts sooner without it.
                rendering = importlib.import_module("media_archive.decoder.rendering")
                into = Path(request["into"])
                made: dict[str, Any] = rendering.render(opened, into, request["specs"])
                return made
            return {
                "content_type": opened.content_type,
                "width": opened.width,
                "height": opened.height,
                "frames": opened.frames,
            }
