"""Asking about bytes, not files."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from media_archive import imaging
from media_archive.imaging import Looked, Rendered

_NUMBERS = itertools.count()


@pytest.fixture
def look(tmp_path: Path) -> Callable[[bytes], Looked]:
    """``imaging.look`` at bytes."""

    def looked(content: bytes) -> Looked:
        path = tmp_path / f"file-{next(_NUMBERS)}"
        path.write_bytes(content)
        return imaging.look(path)

    return looked


@pytest.fixture
def render(tmp_path: Path) -> Callable[..., Rendered]:
    """``imaging.render`` of bytes; what was made stays until the test's end."""

    def rendered(content: bytes, *specs: str) -> Rendered:
        number = next(_NUMBERS)
        path = tmp_path / f"file-{number}"
        path.write_bytes(content)
        into = tmp_path / f"made-{number}"
        into.mkdir()
        return imaging.render(path, into, specs or ("w480.webp.1",))

    return rendered


@pytest.fixture
def shown(render: Callable[..., Rendered]) -> Callable[..., Image.Image]:
    """What people see of bytes: the one rendition that was asked for."""

    def opened(content: bytes, spec: str = "w480.webp.1") -> Image.Image:
        (made,) = render(content, spec).made
        image = Image.open(made.path)
        image.load()
        return image

    return opened
