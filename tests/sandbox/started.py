"""A sandbox as a process of its own, for tests of what the wire really shows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.server_process import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 90
SECRET = "a-secret"


class Started:
    """A running sandbox that posts nothing by itself."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "sandbox.log"
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "photowall.sandbox.settings",
            "PHOTOWALL_VAR": str(folder),
            "PHOTOWALL_BASE_URL": self.url,
            "PHOTOWALL_SANDBOX_PICTURES": "2",
            "PHOTOWALL_SANDBOX_CLIENT_ID": "rehearsal",
            "PHOTOWALL_SANDBOX_CLIENT_SECRET": SECRET,
            "SECRET_KEY": "for-this-test-only" * 3,
        }

    def tell(self, method: str, door: str, order: object = None) -> Any:
        """The document of a control door's 200."""
        answer = requests.request(
            method,
            f"{self.url}/sandbox/{door}",
            json=order,
            headers={"Authorization": f"Bearer {SECRET}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fail(self, kind: str, **said: object) -> None:
        """One fault and no other."""
        faults = [{"kind": kind, **said}]
        self.tell("PUT", "faults/", {"faults": faults, "seed": 7})

    def heal(self) -> None:
        self.tell("PUT", "faults/", {"faults": []})

    def publish(self, tag: str, count: int) -> list[str]:
        """The native ids, oldest first."""
        posts = self.tell("POST", "publish/", {"tag": tag, "count": count})["posts"]
        return [post["native_id"] for post in posts]

    def listing(self, tag: str, **query: str) -> requests.Response:
        """What the v1 API answers."""
        return requests.get(
            f"{self.url}/v1/tags/{tag}/media/recent",
            params={"client_id": "rehearsal", **query},
            timeout=10,
        )

    def ids(self, tag: str, **query: str) -> list[str]:
        """The native ids of one page."""
        data = self.listing(tag, **query).json()["data"]
        return [str(post["id"]).partition("_")[0] for post in data]


@contextmanager
def started(folder: Path) -> Iterator[Started]:
    """A sandbox that is killed whatever happens in the block."""
    sandbox = Started(folder)
    with sandbox.log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "sandbox", "--no-publish"],
            cwd=ROOT,
            env=sandbox.environment,
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(sandbox.url):
            said = sandbox.log.read_text()[-2000:]
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)
        yield sandbox
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False
