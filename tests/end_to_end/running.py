"""A whole Photowall as people run it: `manage.py up`, with its own folder and ports.

Two instances then run as processes: the main one and the sandbox it follows. They
meet over HTTP only.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import requests
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90
WATCH = """
window.painted = {};
document.addEventListener("photowall:painted", (event) => {
  window.painted[event.detail.id] ??= Date.now();
});
"""
"""Lets a page note when it painted which post, by the clock publishing uses too."""
Value = TypeVar("Value")


class Running:
    """One `up` that is running, and the questions a test asks it."""

    def __init__(self, folder: Path, environment: dict[str, str], *arguments: str):
        self.var = folder / "var"
        self.environment = {
            **os.environ,
            "PHOTOWALL_VAR": str(self.var),
            # Nothing of the test run's own servers may leak into the instance.
            "DATABASE_URL": "",
            "REDIS_URL": "",
            **environment,
        }
        self.environment = {k: v for k, v in self.environment.items() if v != ""}
        self.output = folder / "up.log"
        self.arguments = arguments
        self.process: subprocess.Popen[bytes] | None = None
        self.demo: dict[str, str] = {}

    def start(self) -> None:
        """Start it and wait until the API answers."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *self.arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        demo = self.var / "demo.json"
        started = time.time()
        self.until(lambda: demo.exists() and demo.stat().st_mtime >= started - 1)
        self.demo = json.loads(demo.read_text())
        self.until(lambda: self.get("media/").ok)

    def stop(self) -> None:
        """Ctrl-C, as a person would; fails if it does not end within 20 s."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise

    def get(self, path: str, **parameters: Any) -> requests.Response:
        """Ask the archive's API with the analyst's token."""
        try:
            return requests.get(
                self.demo["api"] + path,
                params=parameters,
                headers={"Authorization": f"Token {self.demo['analyst_token']}"},
                timeout=10,
            )
        except requests.ConnectionError:
            answer = requests.Response()
            answer.status_code = 599
            return answer

    def media(self, tag: str) -> dict[str, dict[str, Any]]:
        """Everything archived under ``tag``, all pages, by native id."""
        found: dict[str, dict[str, Any]] = {}
        answer = self.get("media/", tag=tag, page_size=100)
        while True:
            answer.raise_for_status()
            page = answer.json()
            for item in page["results"]:
                assert item["native_id"] not in found, "the same item on two pages"
                found[item["native_id"]] = item
            if not page["next"]:
                return found
            answer = requests.get(
                page["next"], headers=answer.request.headers, timeout=10
            )

    def publish(
        self, tag: str, count: int = 1, *, alike: bool = False
    ) -> list[dict[str, Any]]:
        """Post pictures at the sandbox, near-identical ones if ``alike``; what it
        printed of each, oldest first."""
        done = subprocess.run(
            [
                sys.executable,
                "manage.py",
                "sandbox_publish",
                tag,
                f"--count={count}",
                "--json",
                *(["--alike"] if alike else []),
            ],
            cwd=ROOT,
            env=self.sandbox_environment(),
            capture_output=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        return [json.loads(line) for line in done.stdout.splitlines()]

    def painted(self, page: Page, tag: str, native_id: str) -> tuple[str, float]:
        """Wait until ``page`` (with ``WATCH``) has painted this post; its id in the
        archive, and when, in seconds since the epoch."""

        def archived() -> str | None:
            item = self.media(tag).get(native_id)
            return str(item["id"]) if item else None

        def at() -> float | None:
            when: float | None = page.evaluate(
                "id => window.painted[id] ?? null", post_id
            )
            return when

        post_id = self.until(archived, 30)
        return post_id, self.until(at, 30) / 1000

    def sandbox_environment(self) -> dict[str, str]:
        """The environment `up` gave the sandbox, read from the process itself."""
        secrets = json.loads((self.var / "secrets.json").read_text())
        return {
            **self.environment,
            "DJANGO_SETTINGS_MODULE": "photowall.sandbox.settings",
            "PHOTOWALL_BASE_URL": self.demo["sandbox"].rstrip("/"),
            "SECRET_KEY": secrets["secret_key"],
        }

    def until(
        self, ready: Callable[[], Value | None], seconds: float = START_SECONDS
    ) -> Value:
        """Ask until the answer is truthy. Fails with the log's end after a while."""
        deadline = time.monotonic() + seconds
        while not (value := ready()):
            ended = self.process is not None and self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                log = self.output.read_text(errors="replace")[-3000:]
                raise AssertionError(f"not within {seconds} s; up said:\n{log}")
            time.sleep(0.2)
        return value


@contextmanager
def running(
    folder: Path, environment: dict[str, str], *arguments: str
) -> Iterator[Running]:
    """An instance that is stopped whatever happens in the block."""
    instance = Running(folder, environment, *arguments)
    try:
        instance.start()
        yield instance
    finally:
        instance.stop()
