"""PostgreSQL's programs: the right ones, without our password in their words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError

from photowall.backup import programs
from photowall.backup.errors import BackupFailed, BackupRefused
from photowall.backup.folder import Folder
from tests.backup.installation import (
    Installation,
    a_kept_post,
    backed_up,
    restored,
)

pytestmark = pytest.mark.parametrize("kind", ["postgresql"], indirect=True)


def _script(folder: Path, name: str, *lines: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def test_without_pg_dump(
    home: Installation, folder: Path, tmp_path: Path, settings: Any
) -> None:
    settings.PHOTOWALL_POSTGRES_PROGRAMS = str(tmp_path)
    with pytest.raises(CommandError, match=r"no pg_dump .* found.*Install it .*client"):
        backed_up(home, folder)
    assert Folder(folder).complete() == []


def test_one_that_is_too_old(
    home: Installation, folder: Path, tmp_path: Path, settings: Any
) -> None:
    old = _script(tmp_path / "bin", "pg_dump", 'echo "pg_dump (PostgreSQL) 9.6.24"')
    settings.PHOTOWALL_POSTGRES_PROGRAMS = str(old.parent)
    with pytest.raises(CommandError, match="pg_dump is version 9"):
        backed_up(home, folder)


def test_the_oldest_that_is_new_enough(
    home: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        str(_script(tmp_path / f"{n}", "pg_dump", f'echo "pg_dump (PostgreSQL) {n}.1"'))
        for n in (18, 14, 16, 15)
    ]
    monkeypatch.setattr(programs, "_paths", lambda _: [*found, "/nowhere/pg_dump"])
    assert programs.find("pg_dump", 15, "") == programs.Program(found[3], 15)
    with pytest.raises(BackupRefused, match="of version 19 or newer"):
        programs.find("pg_dump", 19, "The server is PostgreSQL 19")


def test_the_password_goes_by_the_environment(
    home: Installation, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    path = _script(
        tmp_path / "bin",
        "pg_dump",
        f'echo "$@" > {said}',
        f'echo "$PGPASSWORD" >> {said}',
    )
    with home.entered():
        programs.run(programs.Program(str(path), 99), ["--word"])
    words, password = said.read_text().splitlines()
    assert "--word" in words and "dbname=" in words
    secret = psycopg.conninfo.conninfo_to_dict(home.url).get("password")
    assert password == (secret or "")
    assert not secret or str(secret) not in words


def test_what_it_says_when_it_fails(home: Installation, tmp_path: Path) -> None:
    path = _script(tmp_path / "bin", "pg_dump", "echo no such thing >&2", "exit 3")
    with home.entered(), pytest.raises(BackupFailed, match="pg_dump failed: no such"):
        programs.run(programs.Program(str(path), 99), [])


def test_a_dump_of_a_newer_server(
    home: Installation, elsewhere: Installation, folder: Path
) -> None:
    with home.entered():
        a_kept_post()
    backed_up(home, folder)
    manifest = Folder(folder).complete()[0] / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"server": ', '"server": 1'))
    with pytest.raises(CommandError, match="restore it on a server of version 1"):
        restored(elsewhere, folder)
    assert elsewhere.rows() == {}
    manifest.write_text(text)
    restored(elsewhere, folder)


def test_while_others_are_connected(home: Installation, folder: Path) -> None:
    with home.entered():
        a_kept_post()
    backed_up(home, folder)
    with psycopg.connect(home.url), pytest.raises(CommandError, match="1 other conn"):
        restored(home, folder, replace=True, yes=True)
    assert "1 media items" in restored(home, folder, replace=True, yes=True)
