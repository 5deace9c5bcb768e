"""Only pictures that our Content-Security-Policy lets through are put on a page."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from media_archive.admin_pictures import thumbnail
from media_archive.live.posts import post_of
from media_archive.models import MediaItem
from media_archive.picture_addresses import may_be_shown
from tests.builders import an_item


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://pictures.example/1.jpg", True),
        ("http://pictures.example/1.jpg", False),
        ("http://named.example/1.jpg", True),
        ("http://named.example:80/1.jpg", True),
        ("http://named.example:8001/1.jpg", False),
        ("http://a.wild.example/1.jpg", True),
        ("http://wild.example/1.jpg", False),
        ("javascript:alert(1)", False),
        ("http://[::1", False),
    ],
)
def test_what_a_page_may_load(settings: Settings, url: str, shown: bool) -> None:
    settings.PHOTOWALL_PICTURE_ORIGINS = ["http://named.example", "*.wild.example"]
    assert may_be_shown(url) is shown


@pytest.mark.django_db
def test_a_refused_picture_is_no_img_and_stays_archived() -> None:
    item = MediaItem.objects.whole().get(pk=an_item().pk)
    assert "<img" in thumbnail(item)
    assert post_of(item)["renditions"]
    asset = item.assets.all()[0]
    for source in asset.sources:
        source["url"] = source["url"].replace("https:", "http:")
    asset.save()
    item = MediaItem.objects.whole().get(pk=item.pk)
    assert "<img" not in thumbnail(item)
    assert post_of(item)["renditions"] == []
    assert item.assets.all()[0].sources[0]["url"].startswith("http:")
