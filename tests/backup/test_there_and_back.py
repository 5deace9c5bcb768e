"""The archive comes back item for item and file for file, on both databases."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from media_archive import journal
from media_archive.models import MediaItem, StoredFile
from photowall.backup.folder import Folder
from photowall.facades.models import ApiClient
from tests.backup.installation import (
    Installation,
    a_kept_post,
    backed_up,
    files_of,
    restored,
)


@contextmanager
def posts_coming_in(place: Installation) -> Iterator[threading.Event]:
    """Somebody archives all the time; the event is set once three more are there."""
    many, over = threading.Event(), threading.Event()

    def archive() -> None:
        count = 0
        try:
            while not over.is_set():
                a_kept_post()
                count += 1
                if count >= 3:
                    many.set()
        finally:
            connection.close()

    thread = threading.Thread(target=archive)
    # Connections are a thread's own, and take their address when they are made.
    thread.start()
    try:
        yield many
    finally:
        over.set()
        thread.join()


def test_an_empty_place_gets_all_rows_and_files(
    home: Installation, elsewhere: Installation, folder: Path
) -> None:
    with home.entered():
        for _ in range(3):
            a_kept_post()
        User.objects.create_superuser("ada", "ada@example.org", "lovelace-1815")
        secret = ApiClient.objects.create(name="old friend").client_secret
        Session.objects.create(
            session_key="k", session_data="d", expire_date=timezone.now()
        )
    rows, kept = home.rows(), home.kept()

    said = backed_up(home, folder)
    assert "3 media items" in said and "6 of them copied now" in said
    assert "THE KEY IS NOT IN IT" in said
    told = restored(elsewhere, folder)

    assert elsewhere.rows() == rows
    assert elsewhere.kept() == kept
    assert len(kept) == 6 and len(rows["media_archive_mediaitem"]) == 3
    assert "3 media items" in told and "MISSING" not in told
    with elsewhere.entered():
        assert ApiClient.objects.get().client_secret == secret
        assert not Session.objects.exists()
        # It goes on, with numbers that nobody was given before.
        newest = MediaItem.objects.latest("pk").pk
        head = journal.head()
        assert a_kept_post().pk > newest + 1_000
        assert head > 1_000_000 and journal.head() == head + 2


def test_while_posts_come_in_what_is_dumped_is_whole(
    home: Installation, elsewhere: Installation, folder: Path
) -> None:
    with home.entered():
        for _ in range(3):
            a_kept_post()
        with posts_coming_in(home) as many:
            assert many.wait(20)
            call_command("backup", str(folder), stdout=io.StringIO())
    all_rows = home.rows()
    restored(elsewhere, folder)
    rows = elsewhere.rows()

    items = rows["media_archive_mediaitem"]
    assert 6 <= len(items) <= len(all_rows["media_archive_mediaitem"])
    # A moment of the archive: what was there then is there, and nothing by halves.
    journalled = rows["media_archive_journalentry"]
    assert journalled == sorted(
        set(journalled) & set(all_rows["media_archive_journalentry"])
    )
    with elsewhere.entered():
        numbers = list(journal.read(0, 10_000))
        assert [entry.seq for entry in numbers] == list(range(1, len(numbers) + 1))
        named = set(StoredFile.objects.values_list("name", flat=True))
    assert named <= elsewhere.kept().keys()
    assert elsewhere.kept().items() <= home.kept().items()


def test_a_second_backup_copies_only_what_is_new(
    home: Installation, elsewhere: Installation, folder: Path
) -> None:
    with home.entered():
        a_kept_post()
    backed_up(home, folder)
    with home.entered():
        gone = files_of(a_kept_post())
    assert "4 files" in (said := backed_up(home, folder)) and "2 of them copied" in said
    first, _ = Folder(folder).complete()

    restored(elsewhere, folder, which=first.name)
    assert len(elsewhere.rows()["media_archive_mediaitem"]) == 1
    assert not {*gone} & elsewhere.kept().keys()
    # Once more, into the same place: the newer one.
    with pytest.raises(CommandError, match="is not empty"):
        restored(elsewhere, folder)
    with pytest.raises(CommandError, match="--yes says"):
        restored(elsewhere, folder, replace=True)
    assert len(elsewhere.rows()["media_archive_mediaitem"]) == 1
    restored(elsewhere, folder, replace=True, yes=True)
    assert elsewhere.kept() == home.kept()
    assert elsewhere.rows() == home.rows()


def test_old_backups_go_and_the_files_that_only_they_named(
    home: Installation, folder: Path
) -> None:
    with home.entered():
        item = a_kept_post()
        names = files_of(item)
        a_kept_post()
    backed_up(home, folder)
    with home.entered():
        StoredFile.objects.filter(assets__item=item).delete()
    backed_up(home, folder, keep=2)
    pool = folder / "files"
    assert all((pool / name).exists() for name in names)
    said = backed_up(home, folder, keep=2)
    assert "removed 1 older or unfinished backups and 2 files" in said
    assert not any((pool / name).exists() for name in names)
    assert len(Folder(folder).complete()) == 2
    assert len([p for p in pool.rglob("*") if p.is_file()]) == 2


def test_what_is_half_there_is_brought_again(
    home: Installation, elsewhere: Installation, folder: Path
) -> None:
    with home.entered():
        names = files_of(a_kept_post())
    backed_up(home, folder)
    short = elsewhere.media / names[0]
    short.parent.mkdir(parents=True)
    short.write_bytes(b"cut off")
    restored(elsewhere, folder)
    assert elsewhere.kept() == home.kept()


def test_a_migration_since_is_caught_up(
    home: Installation, elsewhere: Installation, folder: Path
) -> None:
    with home.entered():
        call_command("migrate", "facades", "0001", verbosity=0)
        a_kept_post()
    backed_up(home, folder)
    restored(elsewhere, folder)
    with elsewhere.entered():
        call_command("migrate", check_unapplied=True, verbosity=0)
        assert MediaItem.objects.count() == 1
