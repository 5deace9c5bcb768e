"""Erasing for good in the admin, the tombstones, and the store's page."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from media_archive import admin_erasing, orphans
from media_archive.models import MediaItem, StoredFile, Tombstone
from tests.builders import an_item, some_items
from tests.media_archive.keeping import a_file, show

pytestmark = pytest.mark.django_db
ITEMS = reverse("admin:media_archive_mediaitem_changelist")
AUTHORS = reverse("admin:media_archive_author_changelist")
Disk = namedtuple("Disk", "total used free")


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def may(user: User, *codenames: str) -> None:
    user.is_staff = True
    user.save()
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))


def post(client: Client, items: list[MediaItem], **said: str) -> Any:
    chosen = [str(item.pk) for item in items]
    form = {"action": "erase", "_selected_action": chosen, **said}
    return client.post(ITEMS, form, follow=True)


def test_who_may_only_hide_cannot_erase(vera: User, client: Client) -> None:
    may(vera, "view_mediaitem", "moderate_mediaitem")
    item = an_item()
    client.force_login(vera)
    assert "Erase for good" not in client.get(ITEMS).content.decode()
    post(client, [item], sure="yes")
    assert MediaItem.objects.filter(pk=item.pk).exists()
    # The control: with the permission it goes.
    may(vera, "erase_mediaitem")
    client.force_login(User.objects.get(pk=vera.pk))
    post(client, [item], sure="yes")
    assert not MediaItem.objects.exists()


def test_it_asks_first_and_shows_what_it_is_about(ada: User, client: Client) -> None:
    items = some_items(3)
    show(items[0], a_file())
    client.force_login(ada)
    page = post(client, items).content.decode()
    assert "<strong>3 media items</strong> would be erased" in page
    assert "cannot be taken back" in page
    assert "/media/r/" in page or page.count("archive-thumb") == 3
    assert MediaItem.objects.count() == 3


def test_it_erases_and_says_so(ada: User, client: Client) -> None:
    kept, *gone = some_items(3)
    client.force_login(ada)
    page = post(client, gone, sure="yes", reason="asked by letter").content.decode()
    assert "2 media items erased for good." in page
    assert list(MediaItem.objects.all()) == [kept]
    stones = Tombstone.objects.values_list("actor", "reason")
    assert set(stones) == {("ada", "asked by letter")}


def test_too_many_at_once_are_refused(
    ada: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_erasing, "AT_MOST", 2)
    items = some_items(3)
    client.force_login(ada)
    page = post(client, items, sure="yes").content.decode()
    assert "manage.py takedown" in page
    assert MediaItem.objects.count() == 3


def test_all_posts_of_an_author(ada: User, client: Client) -> None:
    item = some_items(2)[0]
    other = an_item(author=None)
    client.force_login(ada)
    form = {"action": "erase_posts", "_selected_action": [str(item.author_id)]}
    page = client.post(AUTHORS, form).content.decode()
    assert "<strong>2 media items</strong>" in page
    client.post(AUTHORS, {**form, "sure": "yes"})
    assert list(MediaItem.objects.all()) == [other]


def test_the_tombstones_say_who_when_why(ada: User, client: Client) -> None:
    item = an_item("secret-native-id")
    client.force_login(ada)
    post(client, [item], sure="yes", reason="<b>rights</b>")
    page = client.get(reverse("admin:media_archive_tombstone_changelist"))
    text = page.content.decode()
    assert str(item.pk) in text and "&lt;b&gt;rights&lt;/b&gt;" in text
    assert "secret-native-id" not in text


def test_the_store_in_numbers(ada: User, client: Client) -> None:
    show(an_item(), a_file())
    orphans.sweep()
    cache.clear()
    client.force_login(ada)
    text = client.get(
        reverse("admin:media_archive_storecheck_changelist")
    ).content.decode()
    for words in (
        "Pictures as they came",
        "Sizes for screens",
        "are free for pictures",
    ):
        assert words in text
    assert "all in order" in text


@pytest.mark.parametrize(
    ("free", "words"),
    [
        (50 * 1024**3, None),
        (4 * 1024**3, "4.0 GB are free for pictures"),
        (512 * 1024**2, "Pictures wait until there is room"),
    ],
)
def test_a_disk_that_fills_up_is_told_before_it_is_full(
    ada: User,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    free: int,
    words: str | None,
) -> None:
    told = Disk(100 * 1024**3, 0, free)
    monkeypatch.setattr("shutil.disk_usage", lambda _: told)
    client.force_login(ada)
    text = client.get(reverse("admin:index")).content.decode()
    if words is None:
        assert "are free for pictures" not in text
    else:
        assert words in text


def test_a_pace_that_fills_the_disk_within_a_week_is_told(
    ada: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_file()
    StoredFile.objects.update(size=1024**3)
    told = Disk(100 * 1024**3, 0, 40 * 1024**3)
    monkeypatch.setattr("shutil.disk_usage", lambda _: told)
    client.force_login(ada)
    text = client.get(reverse("admin:index")).content.decode()
    assert "the disk is full in about 2 days" in text


def test_a_viewer_without_permission_is_told_nothing(
    vera: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Disk(100, 100, 0))
    may(vera)
    client.force_login(vera)
    assert (
        "free for pictures" not in client.get(reverse("admin:index")).content.decode()
    )
