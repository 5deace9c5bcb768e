"""500 photos at once to 1,000 viewers: journal, hub and WebSockets, against socket.io.

A writer process archives the photos in one transaction (PostgreSQL with fsync where
one is installed, else SQLite). The hub of the web process hears of it over Redis, reads
the journal and tells the viewers; the clock starts at the commit. The peer keeps
nothing: it receives the same photos as one POST and emits them; the clock starts before
the POST. The column "whole way" starts ours before the first row is written instead.
The same viewers (``viewers.js``) look at both, rounds are interleaved.

    python3 -m benchmarks.fan_out [--viewers 1000] [--photos 500] [--rounds 3]
                                  [--servers daphne,uvicorn]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.callback_acknowledge import CHECKOUT, HERE, _version, postgres, process
from tests.server_process import CannotStart, free_port
from tests.server_redis import start_own

TAG = "fanout"
PEER = "Express + socket.io"
COMMANDS = {
    "daphne": "photowall.serving -v 0 -b 127.0.0.1 -p {port}",
    "uvicorn": "uvicorn --host 127.0.0.1 --port {port} --lifespan off --no-access-log"
    " --log-level warning --ws-per-message-deflate false photowall.asgi:application",
}


@dataclass(frozen=True)
class Burst:
    """What the viewers saw of one burst; times in milliseconds from its start."""

    lost: int
    doubled: int
    closed: int
    p50: float
    p99: float
    last: float


class Talk:
    """A child process that is asked in lines and answers in lines."""

    def __init__(self, command: list[str], where: Path, environment: dict[str, str]):
        self.child = subprocess.Popen(
            command,
            cwd=where,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def ask(self, line: str) -> str:
        """Say ``line``; the answer."""
        assert self.child.stdin is not None
        self.child.stdin.write(line + "\n")
        return self.hear()

    def hear(self) -> str:
        """The next line. Raises ``CannotStart`` when the child has ended."""
        assert self.child.stdout is not None
        answer = self.child.stdout.readline()
        if not answer:
            raise CannotStart(f"{self.child.args!r} ended")
        return answer.strip()

    def end(self) -> None:
        """No more questions."""
        assert self.child.stdin is not None
        self.child.stdin.close()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(10)


@dataclass
class Side:
    """One server with its viewers, and how a burst is thrown at it. ``publish``
    returns when the burst began and when it was handed over."""

    name: str
    viewers: Talk
    publish: Callable[[int, int], tuple[float, float]]


def main() -> None:
    """Run it and print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=1000)
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--servers", default="daphne")
    asked = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    folder = Path(tempfile.mkdtemp(prefix="photowall-benchmark-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        node = folder / "node"
        shutil.copytree(HERE / "peers" / "socket_io", node)
        install = ["npm", "install", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(install, cwd=node, check=True)
        broker = start_own()
        stack.callback(broker.close)
        try:
            database, title = stack.enter_context(postgres())
        except CannotStart:
            database, title = f"sqlite:///{folder / 'db.sqlite3'}", "SQLite"
        sides = [
            stack.enter_context(ours(server, folder, database, broker.url, node, asked))
            for server in asked.servers.split(",")
        ]
        sides.append(stack.enter_context(peer(folder, node, asked)))
        runs: dict[str, list[tuple[Burst, float]]] = {}
        for round_ in range(asked.rounds + 1):
            for side in sides:
                burst = one_burst(side, round_, asked.photos)
                if round_:  # the first warms up
                    runs.setdefault(side.name, []).append(burst)
    report(runs, asked, title, broker.title)


def one_burst(side: Side, round_: int, photos: int) -> tuple[Burst, float]:
    """Throw a burst; what was seen, and the p99 of the whole way (ms)."""
    # Numbers differ between sides too: ours share one archive.
    number = int(time.time() * 1000) % 1_000_000 * 10 + round_
    side.viewers.ask(f"expect {number}")
    began, handed = side.publish(number, photos)
    start = began if side.name == PEER else handed
    seen = Burst(**json.loads(side.viewers.ask(f"done {start}")))
    return seen, seen.p99 + start - began


@contextlib.contextmanager
def ours(
    server: str,
    folder: Path,
    database: str,
    broker: str,
    node: Path,
    asked: argparse.Namespace,
) -> Iterator[Side]:
    """Photowall on ``server``, its writer, and viewers of one wall."""
    home = folder / server
    (home / "var").mkdir(parents=True)
    environment = {
        **os.environ,
        "DATABASE_URL": database,
        "REDIS_URL": broker,
        "SECRET_KEY": secrets.token_hex(32),
        "PHOTOWALL_VAR": str(home / "var"),
        "PHOTOWALL_ROLE": "web",
        "DJANGO_SETTINGS_MODULE": "photowall.settings",
    }
    migrate = [sys.executable, "-m", "django", "migrate", "-v", "0"]
    subprocess.run(migrate, cwd=CHECKOUT, env=environment, check=True)
    port = free_port()
    command = [sys.executable, "-m", *COMMANDS[server].format(port=port).split()]
    health = f"http://127.0.0.1:{port}/healthz"
    writing = [sys.executable, "-m", "benchmarks.archive_photos"]
    with contextlib.ExitStack() as stack:
        stack.enter_context(process(command, environment, CHECKOUT, home, health))
        writer = Talk(writing, CHECKOUT, environment | {"PHOTOWALL_ROLE": "worker"})
        stack.callback(writer.end)
        url = f"ws://127.0.0.1:{port}/ws/wall/{TAG}/"
        viewers = some_viewers("photowall", url, node, asked)
        stack.callback(viewers.end)

        def publish(round_: int, photos: int) -> tuple[float, float]:
            began, ended = writer.ask(f"{round_} {photos}").split()
            return float(began), float(ended)

        yield Side(f"Photowall, {server}", viewers, publish)


@contextlib.contextmanager
def peer(folder: Path, node: Path, asked: argparse.Namespace) -> Iterator[Side]:
    """The peer and its viewers."""
    port = free_port()
    home = folder / "peer"
    home.mkdir()
    url = f"http://127.0.0.1:{port}/"
    with process(["node", "server.js", str(port)], dict(os.environ), node, home, url):
        address = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
        viewers = some_viewers("socket.io", address, node, asked)

        def publish(round_: int, photos: int) -> tuple[float, float]:
            posts = [a_post(round_, number) for number in range(photos)]
            body = json.dumps(posts).encode()
            request = urllib.request.Request(  # noqa: S310  our own peer
                f"{url}photos", body, {"Content-Type": "application/json"}
            )
            began = time.time() * 1000
            with urllib.request.urlopen(request, timeout=120):  # noqa: S310
                return began, time.time() * 1000

        try:
            yield Side(PEER, viewers, publish)
        finally:
            viewers.end()


def some_viewers(kind: str, url: str, node: Path, asked: argparse.Namespace) -> Talk:
    """Connected viewers."""
    command = ["node", str(HERE / "viewers.js"), kind, url]
    command += [str(asked.viewers), str(asked.photos)]
    viewers = Talk(command, node, dict(os.environ))
    assert viewers.hear() == "ready"
    return viewers


def a_post(round_: int, number: int) -> dict[str, Any]:
    """The same post as Photowall's frame of the same photo."""
    name = f"{round_}x{number}"
    stored = f"/media/r/ab/cd/abcd{'0' * 57}"
    return {
        "id": str(10_000 + number),
        "kind": "image",
        "w": 640,
        "h": 640,
        "alt": None,
        "renditions": [
            {"w": width, "h": width, "url": f"{stored}{width}.webp"}
            for width in (240, 480, 640)
        ],
        "jpeg": f"{stored}a.jpg",
        "thumb": f"{stored}b.webp",
        "bg": f"{stored}c.webp",
        "lqip": "data:image/webp;base64,UklGRg==",
        "color": "#804020",
        "tint": "#ffe0c0",
        "luma": 0.4,
        "animated": None,
        "video": None,
        "caption": f"photo-{round_}-{number}- Golden hour by the river",
        "posted_at": "2026-11-20T21:14:05.000Z",
        "archived_at": "2026-11-20T21:14:06.000Z",
        "author": {
            "name": "Ana Costa",
            "user": "ana.costa",
            "avatar": f"{stored}d.webp",
            "avatar_small": f"{stored}e.webp",
        },
        "source": "Instagram",
        "permalink": f"https://photos.example/p/{name}/",
        "tags": [TAG],
        "pinned": False,
        "cluster": None,
        "children": [],
    }


def report(
    runs: dict[str, list[tuple[Burst, float]]],
    asked: argparse.Namespace,
    database: str,
    broker: str,
) -> None:
    """Medians of the rounds; the ratio is of medians of p99."""
    print(f"{platform.platform()}, {os.cpu_count()} cores, {database}, {broker},")
    print(f"Python {platform.python_version()}, Node {_version('node')};")
    size = len(json.dumps(a_post(1, 1), separators=(",", ":")))
    print(f"{asked.photos} photos of {size} bytes at once to {asked.viewers} viewers;")
    print(
        f"medians of {asked.rounds} interleaved rounds, load {os.getloadavg()[0]:.1f}"
    )
    print("at the end. Milliseconds.\n")
    print("| | p50 | p99 | p99 whole way | lost | doubled | closed | p99 ratio |")
    print("|---|---|---|---|---|---|---|---|")
    base = statistics.median(burst.p99 for burst, _ in runs[PEER])
    for name, bursts in runs.items():
        p50 = statistics.median(burst.p50 for burst, _ in bursts)
        p99 = statistics.median(burst.p99 for burst, _ in bursts)
        whole = statistics.median(whole for _, whole in bursts)
        lost = sum(burst.lost for burst, _ in bursts)
        doubled = sum(burst.doubled for burst, _ in bursts)
        closed = max(burst.closed for burst, _ in bursts)
        print(
            f"| {name} | {p50:,.0f} | {p99:,.0f} | {whole:,.0f} | {lost} | {doubled} "
            f"| {closed} | {p99 / base:.2f} |"
        )
    print()
    for name, bursts in runs.items():
        each = ", ".join(f"{b.p50:,.0f} / {b.p99:,.0f}" for b, _ in bursts)
        print(f"{name}, each round (p50 / p99): {each}")


if __name__ == "__main__":
    main()
