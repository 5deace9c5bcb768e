"""`manage.py sandbox` and `sandbox_publish` as real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.server_process import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 60


@dataclass
class Sandbox:
    """A sandbox of its own: folder, port, environment."""

    url: str
    environment: dict[str, str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "manage.py", "sandbox", *words],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # As a background shell starts its jobs: Ctrl-C must end it all the same.
            preexec_fn=lambda: signal.signal(  # noqa: PLW1509
                signal.SIGINT, signal.SIG_IGN
            ),
        )

    def get(self, path: str, **parameters: str) -> requests.Response:
        return requests.get(self.url + path, params=parameters, timeout=10)

    def recent(self, tag: str) -> list[dict[str, object]]:
        answer = self.get(f"/v1/tags/{tag}/media/recent", client_id="rehearsal")
        answer.raise_for_status()
        data: list[dict[str, object]] = answer.json()["data"]
        return data

    def wait_until_up(self, process: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert process.poll() is None, process.communicate()[0][-2000:]
            assert time.monotonic() < deadline, "not up in time"
            try:
                if self.get("/healthz").ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.1)


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    url = f"http://127.0.0.1:{free_port()}"
    return Sandbox(
        url,
        os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "photowall.sandbox.settings",
            "PHOTOWALL_VAR": str(tmp_path),
            "PHOTOWALL_BASE_URL": url,
            "PHOTOWALL_SANDBOX_CLIENT_ID": "rehearsal",
            "PHOTOWALL_SANDBOX_CLIENT_SECRET": "a-secret",
            "SECRET_KEY": "for-this-test-only" * 3,
        },
    )


@pytest.fixture
def running(sandbox: Sandbox) -> Iterator[Sandbox]:
    process = sandbox.start("--every", "0.2")
    try:
        sandbox.wait_until_up(process)
        yield sandbox
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sandbox", "--every", "0"], "--every must be more than 0 seconds."),
        (["sandbox_publish", "no tag"], "cannot be in it"),
        (["sandbox_publish", "fox", "--count", "0"], "--count must be 1 or more"),
        (["sandbox_publish", "fox", "--seed", "-1"], "--seed must be 0 or more."),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    sandbox: Sandbox, words: list[str], sentence: str
) -> None:
    done = sandbox.run(*words)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_posting_at_a_sandbox_that_never_ran_is_said_in_one_sentence(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    done = sandbox.run("sandbox_publish", "fox")

    assert done.returncode == 1
    assert f"There is no sandbox in {tmp_path}/sandbox: start one" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_said_in_one_sentence(running: Sandbox) -> None:
    done = running.run("sandbox", "--no-publish")

    assert done.returncode == 1
    assert "is taken: give another with --port." in done.stderr
    assert "Traceback" not in done.stderr


def test_it_keeps_its_rows_to_itself(running: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "db.sqlite3").exists()
    open_to_others = [p.name for p in folder.iterdir() if p.stat().st_mode & 0o077]
    assert open_to_others == []


def test_a_body_of_any_size_is_not_taken(running: Sandbox) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(32):
            yield b"x" * 65536

    answer = requests.post(running.url + "/callbacks/x/", data=pieces(), timeout=10)
    assert answer.status_code == 413


def test_it_serves_what_another_process_publishes(running: Sandbox) -> None:
    assert running.recent("fox") == []
    done = running.run("sandbox_publish", "#Fox", "--count", "2", "--json")

    assert done.returncode == 0, done.stderr
    posts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [post["tag"] for post in posts] == ["fox", "fox"]
    assert posts[0]["seq"] < posts[1]["seq"]
    assert abs(time.time() - posts[1]["time"]) < 60
    heard = running.recent("fox")
    assert [str(media["id"]).split("_")[0] for media in heard] == [
        post["native_id"] for post in reversed(posts)
    ]
    images = heard[0]["images"]
    assert isinstance(images, dict)
    for size in ("thumbnail", "low_resolution", "standard_resolution"):
        answer = requests.get(images[size]["url"], timeout=10)
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.content.startswith(b"\xff\xd8")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_soon_and_quietly(sandbox: Sandbox, ending: signal.Signals) -> None:
    process = sandbox.start("--every", "0.5")
    try:
        sandbox.wait_until_up(process)
        begun = time.monotonic()
        process.send_signal(ending)
        output, _ = process.communicate(timeout=20)
    finally:
        process.kill()

    # About one second on an idle machine; this one may be busy.
    assert time.monotonic() - begun < 10
    assert process.returncode == 0
    assert "Traceback" not in output
