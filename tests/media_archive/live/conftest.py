"""Functions that wait until the test lets them go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.media_archive.live.held import Held


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any, str], Held]]:
    """Makes the calls of a module's function wait."""
    made: list[Held] = []

    def hold_up(module: Any, name: str) -> Held:
        held = Held(getattr(module, name))
        made.append(held)
        monkeypatch.setattr(module, name, held)
        return held

    yield hold_up
    for held in made:
        held.let_go()
