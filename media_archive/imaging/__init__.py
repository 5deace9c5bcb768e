"""Looks at pictures and makes renditions, in processes that may break.

``look()`` says what a file is; ``render()`` makes smaller pictures of it; ``opened()``
reads one of those. The first two hand the file to a decoding process
(``media_archive.decoder``): what happens there, be it a crash, a bomb or an endless
loop, costs one picture and a bounded time. No imaging library is imported in this
process.
"""

from __future__ import annotations

from media_archive.imaging.answers import Looked, Made, Rendered
from media_archive.imaging.asking import look, render
from media_archive.imaging.results import opened

__all__ = ["Looked", "Made", "Rendered", "look", "opened", "render"]
