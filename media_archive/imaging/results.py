"""Opens what the decoding process wrote, which is believed no more than its words."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader

from media_archive.decoder import kinds
from media_archive.decoder.confinement import LARGEST_FILE
from media_archive.decoder.messages import Refusal
from media_archive.errors import BrokenImage
from media_archive.imaging.answers import Made


@contextmanager
def opened(made: Made) -> Iterator[BufferedReader]:
    """The file of ``made``, to be read.

    Raises ``BrokenImage`` for one that is not there, is no plain file of its own (a
    link, a pipe), is too large, or is no picture of its kind.
    """
    try:
        # A link is not followed, a pipe not waited for.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        number = os.open(made.path, flags)
    except OSError as error:
        raise BrokenImage("The decoder's file cannot be opened.") from error
    found = os.fstat(number)
    if stat.S_ISDIR(found.st_mode):
        os.close(number)  # Python makes no file of it
        raise BrokenImage("The decoder's file is a folder.")
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise BrokenImage("The decoder's file is no plain file.")
        if not 0 < found.st_size <= LARGEST_FILE:
            raise BrokenImage("The decoder's file has no size that it may have.")
        if _kind(file) != made.content_type:
            raise BrokenImage("The decoder's file is of another kind than it says.")
        file.seek(0)
        yield file


def _kind(file: BufferedReader) -> str:
    try:
        return kinds.content_type(file)
    except Refusal:
        return ""
