"""A bucket of a real S3-compatible server keeps, reads, lists and deletes as a folder
does; and what the service refuses or cannot do is an ``OSError`` with a sentence."""

from __future__ import annotations

import errno
import hashlib
import itertools
import logging
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from media_archive import discarding, files
from media_archive.models import StoredFile
from media_archive.stores import s3
from media_archive.stores.s3 import S3Store
from media_archive.stores.shape import PIECE, Damaged
from tests.server_s3 import KEY, SECRET, S3Server

BYTES = bytes(range(256)) * 3_000
NAME = files.film_name(hashlib.sha256(BYTES).hexdigest(), "video/mp4")
BUCKET = "pictures"
_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    started = S3Server(tmp_path_factory.mktemp("buckets"))
    (started.root / BUCKET).mkdir()
    started.start()
    yield started
    started.stop()


def options(server: S3Server, **other: Any) -> dict[str, Any]:
    return {
        "bucket_name": BUCKET,
        "endpoint_url": server.url,
        "access_key": KEY,
        "secret_key": SECRET,
        "region_name": "us-east-1",
    } | other


@pytest.fixture
def bucket(server: S3Server, settings: Any) -> Path:
    """The default storage is a bucket; the path is its folder on the server."""
    name = f"{BUCKET}-{next(_NUMBERS)}"
    folder = server.root / name
    folder.mkdir()
    backend = {
        "BACKEND": "media_archive.stores.s3.S3Store",
        "OPTIONS": options(server, bucket_name=name),
    }
    settings.STORAGES = settings.STORAGES | {"default": backend}
    return folder


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "part-1"
    path.write_bytes(BYTES)
    return path


def part(start: int, length: int, size: int = len(BYTES)) -> bytes:
    return b"".join(files.read(NAME, start, length, size=size))


def test_what_was_put_is_there(bucket: Path, film: Path, server: S3Server) -> None:
    assert not files.exists(NAME)
    files.put(NAME, film)
    assert files.exists(NAME)
    assert files.size_of(NAME) == len(BYTES)
    assert (bucket / NAME).read_bytes() == BYTES
    with files.open_file(NAME) as kept:
        assert kept.read() == BYTES
        kept.seek(5)
        assert kept.read(3) == BYTES[5:8]
    assert part(0, len(BYTES)) == BYTES
    assert part(PIECE - 3, PIECE + 9) == BYTES[PIECE - 3 : 2 * PIECE + 6]
    assert part(len(BYTES) - 1, 1) == BYTES[-1:]
    about = S3Store(**options(server)).client.head_object(Bucket=bucket.name, Key=NAME)
    assert about["ContentType"] == "video/mp4"
    files.delete(NAME)
    files.delete(NAME)
    assert not files.exists(NAME)


def test_what_is_there_is_not_sent_again(bucket: Path, film: Path) -> None:
    files.put(NAME, film)
    before = (bucket / NAME).stat().st_mtime_ns
    files.put(NAME, film)
    assert (bucket / NAME).stat().st_mtime_ns == before


def test_what_is_old_is_made_young_again(bucket: Path, film: Path) -> None:
    files.put(NAME, film)
    os.utime(bucket / NAME, (1_000_000_000, 1_000_000_000))
    files.put(NAME, film)
    assert (bucket / NAME).stat().st_mtime > 1_000_000_000
    assert (bucket / NAME).read_bytes() == BYTES


def test_a_file_that_was_cut_short_is_replaced(bucket: Path, film: Path) -> None:
    files.put(NAME, film)
    (bucket / NAME).write_bytes(BYTES[:10])
    files.put(NAME, film)
    assert (bucket / NAME).read_bytes() == BYTES
    (bucket / NAME).write_bytes(bytes(len(BYTES)))
    files.put(NAME, film)
    assert (bucket / NAME).read_bytes() == bytes(len(BYTES)), "the control"
    files.put(NAME, film, over=True)
    assert (bucket / NAME).read_bytes() == BYTES


@pytest.mark.django_db
def test_a_sweep_leaves_what_was_put_again(bucket: Path, film: Path) -> None:
    files.put(NAME, film)
    assert not discarding.take_away(NAME, datetime.now(UTC) - timedelta(hours=1))
    assert files.exists(NAME)
    os.utime(bucket / NAME, (1_000_000_000, 1_000_000_000))
    assert discarding.take_away(NAME, datetime.now(UTC) - timedelta(hours=1))
    assert not files.exists(NAME)
    assert not discarding.take_away(NAME, datetime.now(UTC))


@pytest.mark.django_db
def test_times_are_whole_seconds(bucket: Path, film: Path) -> None:
    """The service says 10:00:07 of what came at 10:00:07.9, after it was discarded."""
    files.put(NAME, film)
    os.utime(bucket / NAME, (1_000_000_000, 1_000_000_000))
    then = datetime.fromtimestamp(1_000_000_000, UTC)
    assert not discarding.take_away(NAME, then + timedelta(milliseconds=500))
    assert files.exists(NAME)
    assert discarding.take_away(NAME, then + timedelta(milliseconds=1500))


@pytest.mark.django_db
def test_a_row_that_comes_while_the_service_answers(
    bucket: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.put(NAME, film)
    os.utime(bucket / NAME, (1_000_000_000, 1_000_000_000))
    asked = S3Store.get_modified_time

    def answered(store: S3Store, name: str) -> datetime:
        StoredFile.objects.create(
            sha256=name[8:72], name=name, content_type="video/mp4", size=len(BYTES)
        )
        return asked(store, name)

    with monkeypatch.context() as patch:
        patch.setattr(S3Store, "get_modified_time", answered)
        assert not discarding.take_away(NAME, datetime.now(UTC))
    assert files.exists(NAME)
    StoredFile.objects.all().delete()
    assert discarding.take_away(NAME, datetime.now(UTC)), "the control"


def test_what_is_not_there_is_a_missing_file(bucket: Path) -> None:
    for use in (files.open_file, files.size_of, lambda _: part(0, 1)):
        with pytest.raises(FileNotFoundError):
            use(NAME)


def test_names_that_are_not_ours_never_reach_the_service(
    bucket: Path, film: Path
) -> None:
    for name in ("../x", "o/../../x", "/etc/passwd", ""):
        with pytest.raises(ValueError, match="not a name"):
            files.put(name, film)
        with pytest.raises(ValueError, match="does not lie"):
            files.delete(name)
    assert list(bucket.rglob("*")) == []


def test_a_file_of_another_size_is_damaged(bucket: Path, film: Path) -> None:
    files.put(NAME, film)
    with pytest.raises(Damaged, match="bytes, not 7"):
        part(0, 7, size=7)
    assert part(0, 7) == BYTES[:7]


def test_a_walk_goes_on_page_by_page(
    bucket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "PAGE", 100)
    names = []
    for number in range(205):
        name = files.rendition_name(f"abcd{number:060x}", "image/webp")
        (bucket / name).parent.mkdir(parents=True, exist_ok=True)
        (bucket / name).write_bytes(b"x" * (number % 7))
        names.append(name)
    (bucket / "r" / "notes.txt").write_bytes(b"")
    (bucket / "elsewhere.txt").write_bytes(b"")
    found = {kept.name: kept for kept in files.walk()}
    assert sorted(found) == sorted([*names, "r/notes.txt"])
    assert found[names[5]].size == 5
    assert all(kept.modified.tzinfo for kept in found.values())


@pytest.mark.parametrize(
    "wrong", [{"secret_key": "not-the-secret"}, {"access_key": "nobody"}]
)
def test_a_wrong_key_is_refused_with_a_sentence(
    server: S3Server, film: Path, wrong: dict[str, str], caplog: Any
) -> None:
    caplog.set_level(logging.INFO)
    store = S3Store(**options(server, **wrong))
    with pytest.raises(PermissionError, match="refuses our key for bucket") as caught:
        store.keep(NAME, film)
    said = f"{caught.value}{caught.value.__cause__}{caplog.text}"
    assert "not-the-secret" not in said
    assert SECRET not in said
    assert not (server.root / BUCKET / NAME).exists()


def test_a_bucket_that_is_not_there_is_named(server: S3Server, film: Path) -> None:
    store = S3Store(**options(server, bucket_name="nowhere"))
    with pytest.raises(OSError, match="no bucket nowhere"):
        list(store.walk())


def test_a_service_that_is_away_is_no_disaster(
    server: S3Server, bucket: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "ATTEMPTS", 1)
    files.put(NAME, film)
    server.stop()
    try:
        for use in (files.exists, files.size_of, files.open_file, files.delete):
            with pytest.raises(ConnectionError, match="cannot be reached"):
                use(NAME)
        with pytest.raises(ConnectionError):
            part(0, 1)
        with pytest.raises(ConnectionError):
            list(files.walk())
    finally:
        server.start()
    assert part(0, 3) == BYTES[:3]


def test_what_arrives_otherwise_than_it_was_sent_is_refused(
    server: S3Server, bucket: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_md5", lambda _: "AAAAAAAAAAAAAAAAAAAAAA==")
    with pytest.raises(OSError, match="answered 400"):
        files.put(NAME, film)
    assert not files.exists(NAME)


def test_strangers_are_not_let_in(server: S3Server, bucket: Path, film: Path) -> None:
    files.put(NAME, film)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.url}/{bucket.name}/{NAME}")  # noqa: S310
    assert caught.value.code in (400, 401, 403)


@pytest.mark.parametrize(
    ("status", "code", "number"),
    [
        (507, "", errno.ENOSPC),
        (400, "QuotaExceeded", errno.ENOSPC),
        (503, "SlowDown", errno.EIO),
        (500, "", errno.EIO),
    ],
)
def test_what_a_service_says_has_its_number(
    status: int, code: str, number: int
) -> None:
    said = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    error = s3._as_os_error(s3.ClientError(said, "PutObject"), "bucket x", NAME)
    assert error.errno == number


def test_half_a_key_looks_for_no_other(server: S3Server, film: Path) -> None:
    store = S3Store(**options(server, secret_key=""))
    with pytest.raises(OSError, match="S3_SECRET_KEY are needed together"):
        store.keep(NAME, film)
