"""Who comes first, how many at once, and what lost workers and errors of ours cost."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.models import F
from django.utils import timezone
from pytest_django.fixtures import Settings

from media_archive import claims, downloads, files, renditions
from media_archive.downloads import keeping, runner, schedule, settling
from media_archive.models import Download, DownloadState
from media_archive.records import IncomingAsset, IncomingAuthor, Kind
from media_archive.tasks import keep_pictures
from tests.media_archive.downloads.pictures import (
    Site,
    a_jpeg,
    a_post,
    source,
    the_asset,
    the_download,
    time_passes,
    wait_left,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses in the order in which they came to their turn; nothing is done."""
    order: list[str] = []

    def note(row: Download) -> None:
        assert row.asset is not None
        kind = "video" if row.role == "film" else "image"
        order.append(next(s["url"] for s in row.asset.sources if s["kind"] == kind))
        claims.release(Download.objects.all(), row.pk, row.claim_epoch, state="ready")

    monkeypatch.setattr(runner, "keep", note)
    return order


def test_newest_first_and_every_fourth_the_oldest(kept: list[str]) -> None:
    for number in range(1, 10):
        a_post(f"http://h/{number}")
    downloads.work_off()
    order = [url.rpartition("/")[2] for url in kept]
    assert order == ["9", "8", "7", "1", "6", "5", "4", "2", "3"]


def test_films_come_after_pictures(kept: list[str]) -> None:
    a_post("http://h/old")
    film = [source("http://h/poster"), source("http://h/film", kind=Kind.VIDEO)]
    a_post(assets=[IncomingAsset(Kind.VIDEO, film)])
    a_post("http://h/new")
    downloads.work_off()
    assert kept[:3] == ["http://h/new", "http://h/poster", "http://h/old"]
    assert kept[3:] == ["http://h/film"]


def test_a_portrait_comes_before_the_picture_of_its_author(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    roles: list[str] = []

    def note(row: Download) -> None:
        roles.append(row.role)
        claims.release(Download.objects.all(), row.pk, row.claim_epoch, state="ready")

    monkeypatch.setattr(runner, "keep", note)
    ada = IncomingAuthor("7", "ada", avatar_url="http://h/ada.jpg")
    a_post("http://h/1", author=ada)
    a_post("http://h/2", author=ada)
    downloads.work_off()
    assert roles == ["avatar", "picture", "picture"]


def test_a_portrait_that_failed_holds_no_picture_up(kept: list[str]) -> None:
    ada = IncomingAuthor("7", "ada", avatar_url="http://h/ada.jpg")
    a_post("http://h/1", author=ada)
    later = timezone.now() + timedelta(seconds=30)
    Download.objects.filter(role="avatar").update(
        state=DownloadState.RETRY_WAIT, attempts=1, next_attempt_at=later
    )
    downloads.work_off()
    assert kept == ["http://h/1"]


def test_who_has_work_for_others_calls_for_help(kept: list[str]) -> None:
    called: list[int] = []
    a_post("http://h/1")
    downloads.work_off(lambda: called.append(1))
    assert called == [], "one is done by one"
    for number in range(5):
        a_post(f"http://h/{number}")
    downloads.work_off(lambda: called.append(1))
    assert called == [1], "and not for each of them"


def test_more_than_allowed_leave_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PHOTOWALL_DOWNLOADS_AT_ONCE = 1
    called: list[int] = []
    inside: list[bool] = []
    for number in range(3):
        a_post(f"http://h/{number}")

    def keep(row: Download) -> None:
        inside.append(downloads.work_off())
        claims.release(Download.objects.all(), row.pk, row.claim_epoch, state="ready")

    monkeypatch.setattr(runner, "keep", keep)
    downloads.work_off(lambda: called.append(1))
    assert inside == [False] * 3
    assert called == [], "nobody else would find a place"
    assert runner._running == 0


def test_a_place_is_given_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    a_post("http://h/1")

    def keep(_: Download) -> None:
        raise OperationalError("The database is away.")

    monkeypatch.setattr(runner, "keep", keep)
    monkeypatch.setattr(runner.waiting, "put_back", keep)
    monkeypatch.setattr(runner, "DATABASE_WAITS", (0.0, 0.0))
    with pytest.raises(OperationalError):
        downloads.work_off()
    assert runner._running == 0


def test_it_ends_in_time_and_says_that_there_is_more(
    kept: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        a_post(f"http://h/{number}")
    monkeypatch.setattr(runner, "RUN_SECONDS", 0.0)
    assert downloads.work_off() is True
    assert kept == []
    monkeypatch.undo()


def test_the_task_comes_back_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(keep_pictures, "ring", lambda: rung.append("help"))
    monkeypatch.setattr(keep_pictures, "delay_on_commit", lambda: rung.append("again"))
    monkeypatch.setattr(
        "media_archive.tasks.downloads.work_off", lambda call_help: call_help() or True
    )
    keep_pictures()
    assert rung == ["help", "again"]
    monkeypatch.setattr("media_archive.tasks.downloads.work_off", lambda _: False)
    keep_pictures()
    assert rung == ["help", "again"]


@pytest.mark.django_db(transaction=True)
def test_new_posts_ring_for_their_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[int] = []
    monkeypatch.setattr(keep_pictures, "delay_on_commit", lambda: rung.append(1))
    a_post("http://h/1", "http://h/2")
    assert rung == [1]


@pytest.mark.also_on_sqlite
@pytest.mark.parametrize("state", ["fetching", "rendering"])
def test_what_loses_five_workers_in_a_row_is_set_aside(state: str, site: Site) -> None:
    site.show("/a.jpg", a_jpeg(1))
    item = a_post(site.at("/a.jpg"))
    left_behind = files.scratch() / f"part-{the_download(item).pk}-1"
    left_behind.write_bytes(b"half a picture")
    past = timezone.now() - timedelta(seconds=1)
    lost = {"state": state, "lost_claims": schedule.MOST_LOST - 1, "claim_until": past}
    Download.objects.update(**lost)
    downloads.work_off()
    row = the_download(item)
    assert (row.state, row.reason) == (DownloadState.QUARANTINED, "worker_lost")
    assert the_asset(item).state == DownloadState.QUARANTINED
    assert site.asked == []
    assert not left_behind.exists()
    assert downloads.revive([row.pk], "ada") == 1
    downloads.work_off()
    assert the_asset(item).state == DownloadState.READY


def test_a_claim_that_holds_is_left_alone(site: Site) -> None:
    site.show("/a.jpg", a_jpeg(1))
    item = a_post(site.at("/a.jpg"))
    until = timezone.now() + timedelta(seconds=60)
    Download.objects.update(state="fetching", claim_until=until)
    downloads.work_off()
    assert site.asked == []
    time_passes(61)
    downloads.work_off()
    row = the_download(item)
    assert (row.state, row.lost_claims) == ("ready", 0)


def test_an_error_of_ours_costs_one_picture_and_not_its_neighbours(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in "ab":
        site.show(f"/{name}.jpg", a_jpeg(ord(name)))
    bad, good = (a_post(site.at(f"/{name}.jpg")) for name in "ab")
    make = renditions.make
    bad_pk = the_download(bad).pk

    def buggy(file: object, *rest: object, **more: object) -> None:
        if Download.objects.get(pk=bad_pk).state == DownloadState.RENDERING:
            raise ZeroDivisionError
        make(file, *rest, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(renditions, "make", buggy)
        for count in range(1, schedule.MOST_LOST + 1):
            downloads.work_off()
            row = the_download(bad)
            if count < schedule.MOST_LOST:
                assert (row.state, row.lost_claims) == ("stored", count)
                assert row.detail == "ZeroDivisionError: see the log of the worker."
            time_passes()
    assert the_asset(good).state == "ready"
    row = the_download(bad)
    assert (row.state, row.reason) == (DownloadState.QUARANTINED, "bug")
    assert "ZeroDivisionError" in caplog.text


def test_an_error_of_ours_before_anything_was_done_counts_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    item = a_post("http://h/1")

    def buggy(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("media_archive.downloads.wishes.of", buggy)
    for _ in range(schedule.MOST_LOST):
        downloads.work_off()
        time_passes()
    assert the_download(item).state == DownloadState.QUARANTINED


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_what_the_database_refuses_is_no_fault_of_the_picture(
    error: type[Exception], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        site.show(f"/{name}.jpg", a_jpeg(ord(name)))
    good, locked = (a_post(site.at(f"/{name}.jpg")) for name in "ab")
    pk = the_download(locked).pk
    end = settling.settle

    def refuse(row: Download, *rest: Any, **said: Any) -> bool:
        if row.pk == pk:
            raise error("could not obtain lock on row")
        return end(row, *rest, **said)

    with monkeypatch.context() as patch:
        patch.setattr(keeping, "settle", refuse)
        for _ in range(schedule.MOST_LOST + 1):
            downloads.work_off()
            row = the_download(locked)
            assert (row.state, row.attempts, row.lost_claims) == ("stored", 0, 0)
            assert row.claim_until is None and 25 < wait_left(row) <= 30
            time_passes()
    assert the_asset(good).state == "ready", "the run went on"
    downloads.work_off()
    assert the_asset(locked).state == "ready"
    assert site.asked.count("/b.jpg") == 1


def test_what_ended_while_the_answer_was_lost_stays_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.show("/a.jpg", a_jpeg(1))
    item = a_post(site.at("/a.jpg"))
    end = settling.settle

    def cut(*said: Any, **more: Any) -> bool:
        end(*said, **more)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(keeping, "settle", cut)
    downloads.work_off()
    row = the_download(item)
    assert (row.state, row.next_attempt_at) == ("ready", None)


@pytest.mark.parametrize("after", ["refresh", "ready", "taken"])
def test_an_error_of_ours_in_what_somebody_else_has_ends_no_run(
    after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_post("http://h/1")
    other = a_post("http://h/2")
    seen: list[int] = []

    def buggy(row: Download) -> None:
        seen.append(row.pk)
        rows = Download.objects.filter(pk=row.pk)
        if row.pk != the_download(other).pk:
            rows.update(state=DownloadState.READY)
        elif after == "taken":
            rows.update(lost_claims=4, claim_epoch=F("claim_epoch") + 1, state="ready")
        else:
            rows.update(state=after, lost_claims=schedule.MOST_LOST - 1)
        raise ZeroDivisionError

    monkeypatch.setattr(runner, "keep", buggy)
    downloads.work_off()
    assert len(seen) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.also_on_sqlite
def test_many_at_once_bring_each_picture_once(site: Site) -> None:
    """Ten posts, of which pairs show the same bytes; four runners from threads."""
    for number in range(10):
        site.show(f"/{number}.jpg", a_jpeg(number // 2))
    items = [a_post(site.at(f"/{number}.jpg")) for number in range(10)]
    start = threading.Barrier(4)

    def run() -> None:
        start.wait()
        downloads.work_off()
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    downloads.work_off()
    assert sorted(site.asked) == sorted(f"/{number}.jpg" for number in range(10))
    assert {the_download(item).state for item in items} == {"ready"}
    assert len({the_asset(item).picture_id for item in items}) == 5
    assert len([name for name, *_ in files.walk() if name.startswith("o/")]) == 5
