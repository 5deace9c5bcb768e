"""The sandbox in the tests' own process: few pictures, a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings


@pytest.fixture(autouse=True)
def gallery_folder(settings: Settings, tmp_path: Path) -> Path:
    """Where the test's pictures are drawn; there are four different ones."""
    folder = tmp_path / "pictures"
    settings.PHOTOWALL_SANDBOX_FOLDER = folder
    settings.PHOTOWALL_SANDBOX_PICTURES = 4
    return folder
