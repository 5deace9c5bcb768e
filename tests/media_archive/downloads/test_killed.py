"""Real workers, killed at the worst moments: each picture is kept once, with a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import pytest
from django.db import connection
from pytest_django.fixtures import Settings
from werkzeug import Request, Response

from media_archive import downloads, files
from media_archive.models import JournalEntry, MediaItem, Rendition, StoredFile
from tests.media_archive.downloads.pictures import (
    Site,
    a_jpeg,
    a_post,
    the_asset,
    the_download,
    time_passes,
)

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]


def database_url() -> str:
    """The test database, for another process."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path="/" + quote(name)))


def start_worker(site: Site, settings: Settings) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "PHOTOWALL_ROLE": "worker",
        "PHOTOWALL_PRIVATE_HOSTS": urlsplit(site.url).netloc,
        # The store is its folder "media".
        "PHOTOWALL_VAR": str(Path(settings.MEDIA_ROOT).parent),
        "DJANGO_SETTINGS_MODULE": "photowall.settings",
    }
    command = [sys.executable, "-m", "tests.media_archive.downloads.working_worker"]
    return subprocess.Popen(command, cwd=ROOT, env=environment)


def assert_kept_once(item: MediaItem, content: bytes) -> None:
    file = StoredFile.objects.get()
    asset = the_asset(item)
    assert (asset.state, asset.picture) == ("ready", file)
    with files.open_file(file.name) as kept:
        assert kept.read() == content
    assert JournalEntry.objects.filter(kind="pictured").count() == 1
    names = {row.name for row in Rendition.objects.all()} | {file.name}
    assert {name for name, *_ in files.walk()} == names, "no file too many or too few"
    assert list(files.scratch().iterdir()) == [], "nothing half done is left"


@pytest.fixture
def _store(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.mark.also_on_sqlite
@pytest.mark.usefixtures("_store")
def test_a_worker_killed_while_a_picture_arrives(
    site: Site, settings: Settings
) -> None:
    content = a_jpeg(1, side=300)
    held, let_go = threading.Event(), threading.Event()

    def half(_: Request) -> Response:
        def body() -> object:
            yield content[:20_000]
            held.set()
            let_go.wait(20)
            yield content[20_000:]

        headers = {"Content-Length": str(len(content))}
        return Response(body(), headers=headers)  # type: ignore[arg-type]

    site.answers["/a.jpg"] = half
    item = a_post(site.at("/a.jpg"))
    worker = start_worker(site, settings)
    assert held.wait(60), "half of it is on its way"
    until = time.monotonic() + 30
    while not list(files.scratch().iterdir()) and time.monotonic() < until:
        time.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    assert worker.wait(10) == -signal.SIGKILL
    let_go.set()
    row = the_download(item)
    assert (row.state, the_asset(item).state) == ("fetching", "pending")
    assert len(list(files.scratch().iterdir())) == 1, "half a picture lies about"
    assert not StoredFile.objects.exists()
    site.show("/a.jpg", content)
    downloads.work_off()
    assert the_download(item).state == "fetching", "its claim still holds"
    time_passes(600)
    downloads.work_off()
    assert_kept_once(item, content)


@pytest.mark.also_on_sqlite
@pytest.mark.parametrize("moment", ["put", "remember", "make"])
@pytest.mark.usefixtures("_store")
def test_killed_between_the_file_and_its_row(
    moment: str, site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``BaseException`` ends the work where a kill would: nobody catches it."""

    class Killed(BaseException):
        pass

    content = a_jpeg(2)
    site.show("/a.jpg", content)
    item = a_post(site.at("/a.jpg"))
    keeping = downloads.keeping
    places = {
        "put": (keeping.files, "put"),
        "remember": (keeping, "remember"),
        "make": (keeping.renditions, "make"),
    }
    place, name = places[moment]
    really = getattr(place, name)

    def killed(*args: object, **more: object) -> None:
        if moment != "remember":
            really(*args, **more)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(place, name, killed)
        with pytest.raises(Killed):
            downloads.work_off()
    assert the_asset(item).picture is None
    for file in StoredFile.objects.all():
        assert files.exists(file.name), "never a row without its file"
    if moment in ("put", "remember"):
        assert not StoredFile.objects.exists()
        assert len([name for name, *_ in files.walk() if name.startswith("o/")]) == 1
    time_passes(600)
    downloads.work_off()
    assert_kept_once(item, content)
    assert site.asked == ["/a.jpg"] * (1 if moment == "make" else 2)


@pytest.mark.usefixtures("_store")
def test_processes_at_once_keep_each_picture_once(
    site: Site, settings: Settings
) -> None:
    for number in range(6):
        site.show(f"/{number}.jpg", a_jpeg(number // 2))
    items = [a_post(site.at(f"/{number}.jpg")) for number in range(6)]
    workers = [start_worker(site, settings) for _ in range(2)]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    assert sorted(site.asked) == [f"/{number}.jpg" for number in range(6)]
    assert StoredFile.objects.count() == 3
    assert {the_asset(item).state for item in items} == {"ready"}
