"""The documented nginx in front of Photowall's own server: who may see what is ours to
say, and the bytes are nginx's."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from media_archive import files, moderation
from media_archive.models import MediaItem
from photowall.up.suite import find_nginx
from tests.builders import an_item
from tests.media_archive.handing_out.kept import a_film, a_picture, a_rendition
from tests.server_nginx import Nginx
from tests.server_process import free_port

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def nginx(settings: Any, tmp_path: Path) -> Iterator[str]:
    """The address of nginx, in front of a web process on the tests' database."""
    binary = find_nginx()
    assert binary, "no nginx on this machine"
    settings.MEDIA_ROOT = tmp_path / "var" / "media"
    files.scratch()
    port = free_port()
    place = settings.DATABASES["default"]
    database = (
        f"postgres://{place['USER']}:{place['PASSWORD']}@{place['HOST']}:"
        f"{place['PORT']}/{place['NAME']}"
    )
    environment = os.environ | {
        "DATABASE_URL": database,
        "PHOTOWALL_VAR": str(tmp_path / "var"),
        "PHOTOWALL_ACCEL_REDIRECT": "/protected/",
    }
    words = [sys.executable, "-m", "photowall.serving", "-b", "127.0.0.1"]
    web = subprocess.Popen([*words, "-p", str(port)], cwd=ROOT, env=environment)
    server = Nginx(binary, port, settings.MEDIA_ROOT)
    address = f"http://127.0.0.1:{server.port}"
    try:
        deadline = time.monotonic() + 60
        while requests.get(f"{address}/healthz", timeout=30).status_code != 200:
            assert time.monotonic() < deadline, "not up in time"
            time.sleep(0.1)
        yield address
    finally:
        server.stop()
        web.kill()
        web.wait()


def test_nginx_hands_out_what_we_allow(nginx: str, anton_token: str) -> None:
    item = an_item()
    picture = a_picture(item=item)
    rendition, film = a_rendition(picture), a_film(item)
    with files.open_file(film) as kept:
        content = kept.read()

    def get(name: str, place: str = "media", **headers: str) -> requests.Response:
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        return requests.get(f"{nginx}/{place}/{name}", headers=headers, timeout=30)

    whole = get(film)
    assert whole.status_code == 200
    assert whole.content == content
    assert whole.headers["Server"].startswith("nginx")
    assert whole.headers["Content-Type"] == "video/mp4"
    assert whole.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert whole.headers["Content-Disposition"].startswith("inline; filename=")
    assert whole.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "X-Accel-Redirect" not in whole.headers

    part = get(film, range="bytes=100-299999")
    assert (part.status_code, part.content) == (206, content[100:300_000])
    part = get(film, range="bytes=-8", if_range=whole.headers["ETag"])
    assert (part.status_code, part.content) == (206, content[-8:])
    assert get(film, range=f"bytes={len(content)}-").status_code == 416
    assert get(film, if_none_match=whole.headers["ETag"]).status_code == 304
    assert get(rendition).status_code == 200

    assert get(picture.name).status_code == 404
    original = get(picture.name, authorization=f"Token {anton_token}")
    assert original.status_code == 200
    assert original.headers["Cache-Control"] == "private, no-cache"
    assert original.headers["Cross-Origin-Resource-Policy"] == "same-origin"

    for name in (film, rendition, picture.name, "", "incoming/part-test"):
        assert get(name, place="protected").status_code == 404
    for climbing in ("..%2fdb.sqlite3", "r/..%2f..%2fdb.sqlite3", "%2e%2e/db.sqlite3"):
        assert get(climbing).status_code == 404

    moderation.hide([MediaItem.objects.get().pk], actor="ada")
    assert get(film).status_code == get(rendition).status_code == 404
    assert get(film, if_none_match=whole.headers["ETag"]).status_code == 404
