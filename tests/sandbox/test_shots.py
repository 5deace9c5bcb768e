"""Near-identical shots that the sandbox posts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from PIL import Image
from pytest_django import Settings

from media_archive.models import MediaItem
from photowall.sandbox import led
from photowall.sandbox.control import views
from photowall.sandbox.gallery import picture_path
from photowall.sandbox.pictures import MOST_SHOTS, layout_of, shot_of, size_of
from photowall.sandbox.publisher import Publisher

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _left_to_itself() -> Iterator[None]:
    yield
    led.forget()
    views._publisher.cache_clear()


def sources() -> list[str]:
    items = MediaItem.objects.order_by("pk")
    return [item.assets.get().sources[-1]["url"] for item in items]


def test_a_burst_of_one_person_shows_one_picture_in_several_shots() -> None:
    list(Publisher(base_url="http://127.0.0.1", first=3).publish("fox", 4, alike=True))
    items = list(MediaItem.objects.order_by("pk"))
    assert len({item.native_id for item in items}) == 4
    assert len({item.author_id for item in items}) == 1
    assert len({item.caption for item in items}) == 1
    assert len(set(sources())) == 4
    files = [picture_path(shot_of(3, n), "standard_resolution") for n in range(4)]
    assert len({file.read_bytes() for file in files}) == 4
    for file in files:
        with Image.open(file) as image:
            assert image.size == size_of(3, "standard_resolution")
    assert layout_of(shot_of(3, 2)) == layout_of(3)
    # The control: without being told they are of several people and pictures.
    list(Publisher(base_url="http://127.0.0.1", first=90).publish("fox", 4))
    assert len({item.author_id for item in MediaItem.objects.all()}) > 2


def test_there_are_only_so_many_shots_of_a_picture() -> None:
    with pytest.raises(ValueError, match="no picture"):
        picture_path(1_000_000 * MOST_SHOTS, "thumbnail")
    with pytest.raises(ValueError, match="no picture"):
        picture_path(shot_of(999_999, 1), "thumbnail")
    assert picture_path(shot_of(0, 1), "thumbnail").exists()


@pytest.mark.urls("photowall.sandbox.urls")
@pytest.mark.parametrize("wrong", ["yes", 1, None])
def test_the_door_wants_true_or_false(settings: Settings, wrong: Any) -> None:
    assert publish(settings, {"tag": "fox", "alike": wrong}) == 400
    assert publish(settings, {"tag": "fox", "alike": True, "count": 2}) == 200
    assert len({item.author_id for item in MediaItem.objects.all()}) == 1


def publish(settings: Settings, order: object) -> int:
    settings.PHOTOWALL_SANDBOX_CLIENT_SECRET = "s3cret"
    return (
        Client()
        .post(
            "/sandbox/publish/",
            json.dumps(order),
            content_type="application/json",
            headers={"Authorization": "Bearer s3cret"},
        )
        .status_code
    )
