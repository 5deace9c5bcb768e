"""Any history of a download: at each step nothing is promised that is not there, and in
the end, when all is well again, the picture that is meant is shown."""

from __future__ import annotations

import contextlib
import errno
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_archive import downloads, files, outgoing_http
from media_archive.downloads import schedule
from media_archive.errors import OutgoingError, PictureRefused
from media_archive.imaging import Looked
from media_archive.models import (
    SETTLED,
    Download,
    DownloadState,
    JournalEntry,
    MediaAsset,
    MediaItem,
    StoredFile,
)
from media_archive.outgoing_http import Fetched
from tests.builders import a_record, store
from tests.media_archive.downloads.pictures import NOBODY, a_picture, time_passes
from tests.servers import wants_sqlite

pytestmark = [pytest.mark.django_db, pytest.mark.also_on_sqlite]
EXAMPLES = 60 if wants_sqlite() else 12
"""SQLite is asked without a way to it; the decisions are the same on both."""
HOST = "https://pictures.example"


class Killed(BaseException):
    """Ends a worker where a kill would."""


@dataclass
class World:
    """One post, the source of its picture, and a store; ``trouble`` is what goes wrong
    at the next download."""

    trouble: str = ""
    path: str = "a"
    signature: int = 1
    likes: int = 0
    told: list[str] = field(default_factory=list)

    def tell(self) -> MediaItem:
        """The provider lists the post as it is now."""
        self.likes += 1
        url = f"{HOST}/{self.path}.jpg?sig={self.signature}"
        record = a_record("p", assets=[a_picture(url)], author=NOBODY, likes=self.likes)
        return MediaItem.objects.get(pk=store([record]).ids[0])

    def content(self, url: str) -> bytes:
        return url.partition("?")[0].encode()

    def fetch(self, url: str, *, into: Path, limits: object) -> Fetched:
        if self.trouble.isdigit():
            return Fetched(int(self.trouble), {}, url)
        if self.trouble == "cut":
            raise OutgoingError("It was cut.")
        content = self.content(url)
        into.write_bytes(content)
        if self.trouble == "killed in mid-way":
            raise Killed
        digest = hashlib.sha256(content).hexdigest()
        return Fetched(200, {"content-length": "1"}, url, digest, len(content))

    def look(self, path: Path) -> Looked:
        if self.trouble == "html":
            raise PictureRefused("It is a page.")
        if self.trouble == "edited":
            self.trouble, self.path = "", self.path + "x"
            self.tell()
        return Looked(content_type="image/jpeg", width=9, height=9, frames=1)

    def put(self, name: str, path: Path) -> None:
        if self.trouble == "full":
            raise OSError(errno.ENOSPC, "No space left on device")
        really_put(name, path)
        if self.trouble == "killed before the row":
            raise Killed

    def make(self, *_: object, **__: object) -> None:
        if self.trouble == "bug":
            raise ZeroDivisionError
        if self.trouble == "killed at its sizes":
            raise Killed

    def work(self, trouble: str) -> None:
        self.trouble = trouble
        with contextlib.suppress(Killed):
            downloads.work_off()
        self.trouble = ""


really_put = files.put
TROUBLES = st.sampled_from(
    [
        *("", "403", "404", "429", "500", "cut", "html", "full", "edited", "bug"),
        *("killed in mid-way", "killed before the row", "killed at its sizes"),
    ]
)
STEPS = st.one_of(
    st.tuples(st.just("work"), TROUBLES),
    st.tuples(st.just("wait"), st.sampled_from([31, 301, 90_000])),
    st.tuples(st.sampled_from(["sign", "edit", "revive", "tell"]), st.just("")),
)


def step(world: World, what: str, how: Any) -> None:
    actions: dict[str, Callable[[], object]] = {
        "work": lambda: world.work(how),
        "wait": lambda: time_passes(how),
        "tell": world.tell,
        "revive": lambda: downloads.revive(
            Download.objects.values_list("pk", flat=True), "ada"
        ),
    }
    if what == "sign":
        world.signature += 1
        world.tell()
    elif what == "edit":
        world.path += "y"
        world.tell()
    else:
        actions[what]()


def check(world: World) -> None:
    row, asset = Download.objects.get(), MediaAsset.objects.get()
    for file in StoredFile.objects.all():
        with files.open_file(file.name) as kept:
            assert hashlib.sha256(kept.read()).hexdigest() == file.sha256
    if asset.state == DownloadState.READY:
        assert asset.picture is not None
    if row.state in SETTLED:
        assert (row.claim_until, asset.state) == (None, row.state)
    else:
        assert row.state == DownloadState.READY or asset.state in (
            DownloadState.PENDING,
            *SETTLED,
        )
    if row.state == DownloadState.READY:
        assert row.file == asset.picture
    assert row.attempts <= len(schedule.WAITS)
    assert row.lost_claims < schedule.MOST_LOST
    entries = JournalEntry.objects.order_by("seq").values_list("revision", flat=True)
    assert list(entries) == list(range(1, len(entries) + 1))
    assert MediaItem.objects.get().revision == len(entries)


def heal(world: World) -> None:
    """All is well: the source answers, the provider tells new addresses, and people
    help."""
    for _ in range(2 * schedule.MOST_LOST):
        if Download.objects.get().state == DownloadState.READY:
            break
        time_passes(90_000)
        world.signature += 1
        world.tell()
        downloads.revive(Download.objects.values_list("pk", flat=True), "ada")
        world.work("")


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=1, max_size=10))
def test_any_history(steps: list[tuple[str, Any]], monkeypatch: Any) -> None:
    MediaItem.objects.all().delete()
    StoredFile.objects.all().delete()
    JournalEntry.objects.all().delete()
    for left in files.scratch().iterdir():
        left.unlink()
    world = World()
    with monkeypatch.context() as patch:
        patch.setattr(outgoing_http, "fetch", world.fetch)
        patch.setattr(downloads.fetching.imaging, "look", world.look)
        patch.setattr(files, "put", world.put)
        patch.setattr(downloads.keeping.renditions, "make", world.make)
        world.tell()
        for what, how in steps:
            step(world, what, how)
            check(world)
        heal(world)
        check(world)
    row, asset = Download.objects.get(), MediaAsset.objects.get()
    assert (row.state, asset.state) == ("ready", "ready")
    meant = hashlib.sha256(f"{HOST}/{world.path}.jpg".encode()).hexdigest()
    assert asset.picture is not None
    assert asset.picture.sha256 == meant, "what is shown is what is meant"
    assert list(files.scratch().iterdir()) == []
