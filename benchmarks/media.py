"""Handing out pictures: Photowall's own server, nginx before it (X-Accel-Redirect), and
nginx alone on the same folder as the peer, which asks nobody whether it may.

One instance on SQLite in a throw-away folder with as many renditions as asked for, and
one load generator for all, in interleaved rounds. Needs nginx and Node.

    python3 -m benchmarks.media [--files 200] [--kilobytes 80] [--seconds 5]
                               [--rounds 3]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from photowall.up.suite import find_nginx
from tests.server_nginx import Nginx
from tests.server_process import CannotStart, ServerProcess, free_port, new_folder

HERE = Path(__file__).parent
CHECKOUT = HERE.parent
CONNECTIONS = (8, 64)
PEER = "nginx alone"
FILL = """
import hashlib, json, sys
from datetime import UTC, datetime
import django
django.setup()
from media_archive import files
from media_archive.models import Author, MediaAsset, MediaItem, Rendition, StoredFile

count, size = int(sys.argv[1]), int(sys.argv[2])
now = datetime.now(UTC)
author = Author.objects.create(provider="instagram_v1", native_id="1")
names = []
for number in range(count):
    item = MediaItem.objects.create(provider="instagram_v1", native_id=str(number),
        kind="image", author=author, dated_at=now, archived_at=now, changed_at=now)
    content = number.to_bytes(4, "big") * (size // 4)
    digest = hashlib.sha256(content).hexdigest()
    name = files.rendition_name(digest, "image/webp")
    path = files.scratch() / "part-benchmark"
    path.write_bytes(content)
    files.put(name, path)
    stored = StoredFile.objects.create(sha256=digest, content_type="image/jpeg",
        name=files.original_name(digest, "image/jpeg"), size=size)
    Rendition.objects.create(file=stored, spec="w800.webp.1", name=name, sha256=digest,
        content_type="image/webp", width=800, height=800, size=len(content))
    MediaAsset.objects.create(item=item, position=0, kind="image", picture=stored)
    names.append(name)
print("\\n".join(names))
"""
ALONE = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr warn;
events {{ worker_connections 512; }}
http {{ access_log off; types {{ image/webp webp; }}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location /media/ {{ alias {media}/; }} }} }}
"""


def main() -> None:
    """Run it and print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--kilobytes", type=int, default=80)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    nginx = find_nginx()
    if nginx is None:
        raise CannotStart("needs nginx")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as ending:
        var = Path(folder)
        environment = os.environ | {
            "PHOTOWALL_VAR": folder,
            "SECRET_KEY": secrets.token_hex(32),
            "DJANGO_SETTINGS_MODULE": "photowall.settings",
            "LOG_LEVEL": "WARNING",
        }
        say = [sys.executable, "manage.py", "migrate", "-v", "0"]
        subprocess.run(say, cwd=CHECKOUT, env=environment, check=True)
        fill = [sys.executable, "-c", FILL, str(asked.files)]
        fill.append(str(asked.kilobytes * 1024))
        names = subprocess.run(
            fill, cwd=CHECKOUT, env=environment, check=True, capture_output=True
        ).stdout.decode()
        paths = "".join(f"/media/{name}\n" for name in names.split())
        own = ending.enter_context(web(environment))
        behind = ending.enter_context(
            web(environment | {"PHOTOWALL_ACCEL_REDIRECT": "/protected/"})
        )
        front = Nginx(nginx, behind, var / "media")
        ending.callback(front.stop)
        ports = {
            "Photowall itself": own,
            "nginx, X-Accel-Redirect": front.port,
            PEER: ending.enter_context(alone(nginx, var / "media")),
        }
        report(measure(ports, paths, asked.seconds, asked.rounds))


@contextlib.contextmanager
def web(environment: dict[str, str]) -> Iterator[int]:
    """Our own server on a free port, which it yields."""
    port = free_port()
    words = [sys.executable, "-m", "photowall.serving", "-b", "127.0.0.1"]
    process = subprocess.Popen([*words, "-p", str(port)], cwd=CHECKOUT, env=environment)
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(urllib.error.URLError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").close()
                break
            if time.monotonic() > deadline:
                raise CannotStart("not up in time")
            time.sleep(0.1)
        yield port
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def alone(binary: str, media: Path) -> Iterator[int]:
    """nginx on the folder itself."""
    port, folder = free_port(), new_folder("nginx")
    configuration = folder / "nginx.conf"
    configuration.write_text(ALONE.format(folder=folder, port=port, media=media))
    command = [binary, "-p", str(folder), "-c", str(configuration), "-e", "stderr"]
    server = ServerProcess(command, folder)
    time.sleep(0.5)
    try:
        yield port
    finally:
        server.stop()


Rounds = dict[tuple[str, int], list[dict[str, float]]]


def measure(ports: dict[str, int], paths: str, seconds: float, rounds: int) -> Rounds:
    """The first round warms up and does not count."""
    found: Rounds = {}
    for number in range(rounds + 1):
        for connections in CONNECTIONS:
            for title, port in ports.items():
                words = ["node", str(HERE / "fetches.js"), str(port)]
                words += [str(seconds if number else 1), str(connections)]
                said = subprocess.run(
                    words, input=paths.encode(), check=True, capture_output=True
                ).stdout
                if number:
                    found.setdefault((title, connections), []).append(json.loads(said))
    return found


def report(found: Rounds) -> None:
    """The medians, and the ratio to the peer."""
    print(f"{platform.system()} {platform.release()}, {os.cpu_count()} cores\n")
    print("| who | connections | files/s | MB/s | p50 ms | p99 ms | errors | to peer |")
    print("|---|---|---|---|---|---|---|---|")
    for (title, connections), runs in found.items():
        rate = statistics.median(run["requests"] / run["seconds"] for run in runs)
        peer = statistics.median(
            run["requests"] / run["seconds"] for run in found[PEER, connections]
        )
        size = statistics.median(run["bytes"] / run["seconds"] / 1e6 for run in runs)
        p50, p99 = (statistics.median(run[p] for run in runs) for p in ("p50", "p99"))
        errors = sum(run["errors"] for run in runs)
        print(
            f"| {title} | {connections} | {rate:.0f} | {size:.0f} | {p50:.1f} | "
            f"{p99:.1f} | {errors:.0f} | {rate / peer:.2f} |"
        )


if __name__ == "__main__":
    main()
