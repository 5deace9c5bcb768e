"""Our own Redis, at a port that stays the same however often it is killed."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import redis

from tests.faults.processes import Process
from tests.server_process import CannotStart, free_port
from tests.server_redis import _binaries


class Broker:
    """Keeps nothing: each start is empty."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"redis://127.0.0.1:{port}/0"
        binary = next((path for _, path in _binaries()), None)
        if binary is None:
            raise CannotStart("no Redis-protocol server")
        words = [binary, "--port", str(port), "--bind", "127.0.0.1"]
        words += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
        words += ["--maxmemory-policy", "noeviction"]
        self.process = Process("redis", words, os.environ, folder, self.answers)

    def answers(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(self._client().ping())
        return False

    def flush(self) -> None:
        """Forget everything, while all are connected."""
        self._client().flushall()

    def limit_memory(self, limit: str) -> None:
        """Beyond it, writes are refused; "0" is no limit."""
        self._client().config_set("maxmemory", limit)

    def cut_connections(self) -> None:
        """Close what everybody else has open."""
        with contextlib.suppress(redis.RedisError):
            self._client().execute_command("CLIENT", "KILL", "TYPE", "normal")
            self._client().execute_command("CLIENT", "KILL", "TYPE", "pubsub")

    def wait(self, seconds: float = 20) -> None:
        """Return when it answers."""
        deadline = time.monotonic() + seconds
        while not self.answers():
            if time.monotonic() > deadline:
                raise CannotStart("Redis stays away")
            time.sleep(0.05)

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(
            self.url, socket_connect_timeout=1, socket_timeout=2
        )
