"""The sandbox in the tests' own process: few pictures, a folder of its own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from photowall.sandbox import gallery

# The real pictures, but each only once in a run.
_draw = cache(gallery.draw)


@pytest.fixture(autouse=True)
def gallery_folder(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Where the test's pictures are drawn; there are four different ones."""
    folder = tmp_path / "pictures"
    settings.PHOTOWALL_SANDBOX_FOLDER = folder
    settings.PHOTOWALL_SANDBOX_PICTURES = 4
    monkeypatch.setattr(gallery, "draw", _draw)
    return folder
