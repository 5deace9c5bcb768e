"""Every recorded document, against what a person reads in it."""

from __future__ import annotations

from typing import Any

import pytest

from media_archive.records import IncomingMedia, Kind
from subscriptions.providers.base import UpstreamSubscription
from subscriptions.providers.instagram_v1.wire import (
    envelope,
    media,
    notifications,
    pages,
    rendering,
    subscriptions,
)
from tests.providers import instagram_v1_documents as documents


def read(name: str) -> Any:
    return envelope.decode(documents.body(name))


def test_every_document_is_in_a_table() -> None:
    known = {
        *documents.MEDIA,
        *documents.CURSORS,
        *documents.ERRORS,
        *documents.NOTIFICATIONS,
        *documents.SUBSCRIPTIONS,
        *documents.NO_MEDIA,
        *documents.ABOUT_THE_WIRE,
    }
    folder = documents.FOLDER
    there = {str(path.relative_to(folder)) for path in folder.rglob("*.json")}
    assert there == known


def row(item: IncomingMedia) -> tuple[Any, ...]:
    return (
        item.native_id,
        item.kind.value,
        item.author and item.author.native_id,
        item.author and item.author.name,
        item.caption,
        item.likes,
        item.comments,
        item.tags,
        item.place and (item.place.native_id, item.place.name),
        item.posted_at and int(item.posted_at.timestamp()),
        [len(asset.sources) for asset in item.assets],
    )


@pytest.mark.parametrize("name", documents.MEDIA)
def test_media(name: str) -> None:
    document = read(name)
    expected = documents.MEDIA[name]
    found = media.media_in(document)
    assert len(found) == len(expected)
    for item, wanted in zip(found, expected, strict=True):
        seen = row(item)
        assert (seen[:4], seen[5:]) == (wanted[:4], wanted[5:])
        assert (seen[4] or "").startswith(wanted[4] or "")
        assert (seen[4] is None) == (wanted[4] is None)
    raw = document["data"] if isinstance(document["data"], list) else [document["data"]]
    assert [item.raw for item in found] == raw


@pytest.mark.parametrize("name", documents.CURSORS)
def test_pages(name: str) -> None:
    page = pages.parse_page(read(name))
    assert (page.newest, page.older) == documents.CURSORS[name]
    assert page.skipped == 0
    assert page.media == media.media_in(read(name))


def test_only_listings_and_single_media_hold_media() -> None:
    for name in documents.NO_MEDIA:
        assert media.media_in(read(name)) == (), name
    assert media.media_in(read("media_image.json"))


@pytest.mark.parametrize("name", documents.ERRORS)
def test_errors(name: str) -> None:
    code, error_type, message, _ = documents.ERRORS[name]
    for status in (200, code):
        error = envelope.error_in(status, read(name))
        assert error is not None
        assert (error.code, error.error_type) == (code, error_type)
        assert error.message.startswith(message)


def test_successes_are_no_errors() -> None:
    for name in (*documents.MEDIA, *documents.NO_MEDIA, *documents.SUBSCRIPTIONS):
        assert envelope.error_in(200, read(name)) is None, name


@pytest.mark.parametrize("name", documents.NOTIFICATIONS)
def test_notifications(name: str) -> None:
    found = notifications.parse_notifications(documents.body(name))
    assert [
        (each.object, each.object_id, each.subscription_id, int(each.time.timestamp()))
        for each in found
        if each.time
    ] == documents.NOTIFICATIONS[name]


def test_a_notification_is_written_byte_for_byte_as_recorded() -> None:
    for name in ("notification_tag_2014.json", "notification_geography_2015.json"):
        body = documents.body(name)
        found = notifications.parse_notifications(body)
        assert notifications.render_notifications(found) == body.rstrip(b"\n")


@pytest.mark.parametrize("name", documents.SUBSCRIPTIONS)
def test_subscriptions(name: str) -> None:
    expected = [UpstreamSubscription(*each) for each in documents.SUBSCRIPTIONS[name]]
    document = read(name)
    items = document["data"]
    if isinstance(items, list):
        assert list(subscriptions.parse_subscriptions(document)) == expected
        written = subscriptions.render_list(expected)
    else:
        assert [subscriptions.parse_subscription(document)] == expected
        written = subscriptions.render_created(expected[0])
        items = [items]
    # A recorded user lacks object_id or has null; null is what is written.
    for item in items:
        item.setdefault("object_id", None)
    assert written == document


def test_a_delete_is_answered_with_null() -> None:
    assert subscriptions.render_deleted() == read("subscription_deleted.json")


def test_errors_are_written_as_recorded() -> None:
    for name, (code, error_type, _, _) in documents.ERRORS.items():
        document = read(name)
        said = document.get("meta", document)
        written = envelope.render_error(
            code, error_type, said["error_message"], enveloped="meta" in document
        )
        assert written == document, name


def test_a_page_is_written_as_recorded() -> None:
    for name in ("tag_recent_page1.json", "tag_recent_page2_last.json"):
        document = read(name)
        newest, older = documents.CURSORS[name]
        next_url = older and pages.render_next_url(
            "https://api.instagram.com/v1/tags/fox/media/recent",
            [("count", "3"), ("client_id", "CLIENT-ID")],
            older,
        )
        pagination = pages.render_tag_pagination(newest, older, next_url)
        written = envelope.render_envelope(document["data"], pagination)
        assert written == document
        assert list(written) == list(document)
        assert list(pagination) == list(document["pagination"])
    assert (
        pages.render_tag_pagination(None, None, None)
        == (read("tag_recent_unknown_tag.json")["pagination"])
    )


def test_media_is_written_with_the_keys_and_types_of_2015() -> None:
    """Against our own document: all but what a record does not carry."""
    not_carried = {"filter", "comments", "likes", "users_in_photo", "user_has_liked"}
    for name in ("media_image.json", "media_video.json"):
        recorded = read(name)["data"]
        item = media.parse_media(recorded)
        assert item is not None
        written = rendering.render_media(item, liked=False)
        assert set(written) == set(recorded)
        for key in set(recorded) - not_carried - {"caption"}:
            assert written[key] == recorded[key], key
        caption: Any = written["caption"]
        assert set(caption) == set(recorded["caption"])
        assert caption["text"] == recorded["caption"]["text"]
        assert caption["from"] == recorded["caption"]["from"]


def test_the_album_keeps_its_children_in_order() -> None:
    (album,) = media.media_in(read("media_carousel.json"))
    assert [asset.kind for asset in album.assets] == [
        Kind.IMAGE,
        Kind.VIDEO,
        Kind.IMAGE,
    ]
    film = album.assets[1]
    assert {source.kind for source in film.sources} == {Kind.VIDEO}
    assert [source.name for source in film.sources] == [
        "low_bandwidth",
        "low_resolution",
        "standard_resolution",
    ]


def test_a_video_has_its_posters_and_its_films() -> None:
    (video,) = media.media_in(read("media_video.json"))
    (asset,) = video.assets
    seen = [(source.kind.value, source.name, source.width) for source in asset.sources]
    assert seen == [
        ("image", "thumbnail", 150),
        ("image", "low_resolution", 320),
        ("image", "standard_resolution", 640),
        ("video", "low_bandwidth", 480),
        ("video", "low_resolution", 480),
        ("video", "standard_resolution", 640),
    ]  # fmt: skip


def test_pictures_of_2015_are_not_square() -> None:
    (item,) = media.media_in(read("media_caption_null_location_latlng_only.json"))
    sizes = [(source.width, source.height) for source in item.assets[0].sources]
    assert sizes == [(150, 150), (320, 214), (640, 427)]
    assert item.place is not None
    assert (item.place.latitude, item.place.longitude) == (46.5, 11.35)


def test_a_2011_tag_page_gives_no_cursor_and_breaks_nothing() -> None:
    page = pages.parse_page(read("tag_recent_2010_real.json"))
    assert (page.newest, page.older, len(page.media)) == (None, None, 3)
