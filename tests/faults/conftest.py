"""Two instances that are harmed, one for each database."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.faults.injections import Injector
from tests.faults.instance import Instance


@pytest.fixture(scope="session")
def seed() -> str:
    """New in each run, and printed by a test that fails."""
    return secrets.token_hex(4)


def _harmed(database: str) -> Iterator[Injector]:
    instance = Instance(database)
    try:
        instance.start()
        yield Injector(instance, database)
    finally:
        instance.end()


@pytest.fixture(scope="module")
def on_postgresql() -> Iterator[Injector]:
    """As in production."""
    yield from _harmed("postgresql")


@pytest.fixture(scope="module")
def on_sqlite() -> Iterator[Injector]:
    """As `up` runs it."""
    yield from _harmed("sqlite")
