"""The media list and one media item."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from media_archive import moderation
from media_archive.models import MediaItem, RawDocument
from media_archive.records import IncomingPlace, Kind
from tests.builders import (
    NOON,
    a_kept_file,
    a_post,
    a_record,
    an_item,
    settle,
    some_items,
    store,
)

pytestmark = pytest.mark.django_db
MEDIA = "/api/v1/media/"


def ids(document: dict[str, Any]) -> list[int]:
    return [result["id"] for result in document["results"]]


def walk(api: APIClient, address: str | None, link: str = "next") -> list[int]:
    """Every id, page by page; at most 100 pages."""
    found: list[int] = []
    for _ in range(100):
        if address is None:
            break
        document = api.get(address).json()
        found += ids(document)
        address = document[link]
    assert address is None, "the pages do not end"
    return found


def test_a_hidden_item_is_in_no_list_and_its_address_is_404(
    api: APIClient, answer_of: Any
) -> None:
    hidden, shown = some_items(2)
    moderation.hide([hidden.pk], actor="ada")

    assert ids(answer_of()) == [shown.pk]
    assert ids(answer_of(tag="nofilter")) == [shown.pk]
    assert api.get(f"{MEDIA}{hidden.pk}/").status_code == 404
    assert api.get(f"{MEDIA}{shown.pk}/").status_code == 200


def test_an_item_tells_all_we_know(api: APIClient) -> None:
    place = IncomingPlace("55", "Alfama", 38.71, -9.13)
    item = an_item(
        "abc", posted_at=NOON, place=place, likes=3, tags=["Sun", "#nofilter"]
    )

    told = api.get(f"{MEDIA}{item.pk}/").json()

    archived_at = told.pop("archived_at")
    assert archived_at.endswith("Z")
    assert len(archived_at) == len("2026-11-20T12:00:00.000Z")
    assert told == {
        "id": item.pk,
        "provider": "instagram_v1",
        "native_id": "abc",
        "kind": "image",
        "author": {
            "native_id": "7",
            "username": "ana.costa",
            "name": "Ana Costa",
            "avatar_url": "https://pictures.example/ana.jpg",
            "avatar": None,
        },
        "caption": item.caption,
        "permalink": "https://photos.example/p/abc/",
        "posted_at": "2026-11-20T12:00:00.000Z",
        "place": {
            "native_id": "55",
            "name": "Alfama",
            "latitude": 38.71,
            "longitude": -9.13,
        },
        "tags": ["nofilter", "sun"],
        "likes": 3,
        "comments": None,
        "views": None,
        "visibility": "visible",
        "cluster_id": None,
        "assets": [
            {
                "kind": "image",
                "alt_text": None,
                "state": "pending",
                "width": None,
                "height": None,
                "renditions": [],
                "srcset": None,
                "original": None,
                "film": None,
                "placeholder": None,
                "color": None,
                "sources": [
                    {
                        "name": name,
                        "kind": "image",
                        "url": f"https://pictures.example/{name}.jpg",
                        "width": side,
                        "height": side,
                    }
                    for name, side in (("thumbnail", 150), ("standard_resolution", 640))
                ],
            }
        ],
        "raw": {"id": "abc"},
    }


def test_a_kept_picture_is_told_with_all_its_sizes(
    api: APIClient, settings: Any
) -> None:
    settings.PHOTOWALL_BASE_URL = "https://wall.example"
    told = api.get(f"{MEDIA}{a_post().pk}/").json()
    [asset] = told["assets"]
    kept = a_kept_file()
    assert asset["state"] == "ready"
    assert (asset["width"], asset["height"]) == (640, 640)
    assert asset["placeholder"] == "data:image/webp;base64,UklGRg=="
    assert asset["color"] == "#804020"
    assert asset["original"] == {
        "url": f"https://wall.example/media/{kept.name}",
        "content_type": "image/jpeg",
        "size": kept.size,
        "sha256": kept.sha256,
        "width": 640,
        "height": 640,
    }
    assert len(asset["renditions"]) == kept.renditions.count()
    assert [r["width"] for r in asset["renditions"]] == sorted(
        r["width"] for r in asset["renditions"]
    )
    largest = asset["renditions"][-1]
    made = kept.renditions.get(spec="w640.webp.1")
    assert largest == {
        "spec": "w640.webp.1",
        "url": f"https://wall.example/media/{made.name}",
        "width": 640,
        "height": 640,
        "content_type": "image/webp",
        "size": made.size,
    }
    assert [part.split()[1] for part in asset["srcset"].split(", ")] == [
        "240w",
        "480w",
        "640w",
    ]
    assert asset["srcset"].endswith(f"/media/{made.name} 640w")
    portrait = a_kept_file("portrait", 150, 150).renditions.get(spec="s192.webp.1")
    assert told["author"]["avatar"] == f"https://wall.example/media/{portrait.name}"
    assert len(asset["sources"]) == 2


def test_only_who_may_read_the_archive_is_told_where_originals_are(
    stranger: APIClient, api: APIClient, settings: Any
) -> None:
    item = a_post()
    settings.PHOTOWALL_PUBLIC_ARCHIVE = True
    [told] = stranger.get(f"{MEDIA}{item.pk}/").json()["assets"]
    assert told["original"]["url"] is None
    assert told["original"]["sha256"] == a_kept_file().sha256
    assert told["renditions"]
    [told] = api.get(f"{MEDIA}{item.pk}/").json()["assets"]
    assert "/media/o/" in told["original"]["url"]


@pytest.mark.also_on_sqlite
def test_filters_by_what_became_of_the_pictures(answer_of: Any) -> None:
    kept, waiting, failed = a_post(), an_item(), an_item()
    words = an_item(kind=Kind.TEXT, assets=[])
    settle(failed, "failed")
    assert ids(answer_of(pictures="kept")) == [words.pk, kept.pk]
    assert ids(answer_of(pictures="waiting")) == [waiting.pk]
    assert ids(answer_of(pictures="missing")) == [failed.pk]


def test_what_the_provider_did_not_say_is_null(api: APIClient) -> None:
    item = an_item(author=None, caption=None, permalink=None, posted_at=None)
    told = api.get(f"{MEDIA}{item.pk}/").json()
    for name in ("author", "caption", "permalink", "posted_at", "place", "likes"):
        assert told[name] is None, name


def test_the_list_has_no_raw_documents(answer_of: Any) -> None:
    an_item()
    assert "raw" not in answer_of()["results"][0]


def test_raw_survives_whatever_the_provider_sent(api: APIClient) -> None:
    raw = {"id": "x", "nul": "a\x00b", "half": "\ud800", "odd": float("nan")}
    item = an_item("x", raw=raw)
    told = api.get(f"{MEDIA}{item.pk}/").json()
    assert told["raw"] == raw | {"odd": "NaN"}


def test_an_item_without_its_raw_document_is_told(api: APIClient) -> None:
    item = an_item()
    RawDocument.objects.all().delete()
    assert api.get(f"{MEDIA}{item.pk}/").json()["raw"] is None


def test_newest_first_and_unknown_times_by_when_they_came(answer_of: Any) -> None:
    old = an_item(posted_at=NOON - timedelta(days=900))
    new = an_item(posted_at=NOON)
    undated = an_item(posted_at=None)
    MediaItem.objects.filter(pk=undated.pk).update(dated_at=NOON - timedelta(days=1))
    assert ids(answer_of()) == [new.pk, undated.pk, old.pk]


@pytest.mark.parametrize("question", ["", "tag=nofilter&"])
def test_pages_hold_every_item_once_though_all_were_posted_in_one_second(
    api: APIClient, question: str
) -> None:
    items = some_items(23, posted_at=NOON)
    expected = sorted((item.pk for item in items), reverse=True)
    assert walk(api, f"{MEDIA}?{question}page_size=5") == expected


@pytest.mark.parametrize("question", ["", "tag=nofilter&"])
def test_pages_lead_back_the_way_they_came(api: APIClient, question: str) -> None:
    some_items(4, posted_at=NOON)
    some_items(5)
    first = f"{MEDIA}?{question}page_size=3"
    second = api.get(api.get(first).json()["next"]).json()
    third = api.get(second["next"]).json()

    assert third["next"] is None
    assert api.get(third["previous"]).json()["results"] == second["results"]
    before = api.get(second["previous"]).json()
    assert before["results"] == api.get(first).json()["results"]
    assert before["previous"] is None
    assert api.get(before["next"]).json()["results"] == second["results"]


def test_new_posts_shift_no_page(api: APIClient) -> None:
    first = [item.pk for item in some_items(6)]
    page = api.get(f"{MEDIA}?page_size=3").json()
    newer = [item.pk for item in some_items(2)]

    assert ids(api.get(page["next"]).json()) == first[2::-1]
    second = api.get(page["next"]).json()
    back = walk(api, second["previous"], "previous")
    assert set(back) == {*newer, *first[3:]}


def test_before_the_newest_there_is_nothing_and_it_leads_to_the_first_page(
    api: APIClient,
) -> None:
    some_items(3)
    page = api.get(f"{MEDIA}?page_size=1").json()
    second = api.get(page["next"]).json()
    MediaItem.objects.filter(pk=ids(page)[0]).update(visibility="hidden")
    empty = api.get(second["previous"]).json()
    assert empty["results"] == []
    assert empty["previous"] is None
    assert ids(api.get(empty["next"]).json()) == ids(second)


def test_an_empty_archive_is_an_empty_list(answer_of: Any) -> None:
    assert answer_of() == {"next": None, "previous": None, "results": []}


def test_filters_by_tag_in_any_spelling(answer_of: Any) -> None:
    festive = an_item(tags=["Fête"])
    an_item(tags=["other"])
    caught = an_item(tags=[])
    store([a_record(caught.native_id, tags=[])], listed_under="fête")
    assert ids(answer_of(tag=" #FÊTE ")) == [caught.pk, festive.pk]
    assert ids(answer_of(tag="nobody_used_this")) == []


def test_filters_by_author_by_name_or_native_id(answer_of: Any) -> None:
    ana = an_item()
    an_item(author=None)
    assert ids(answer_of(author="ana.costa")) == [ana.pk]
    assert ids(answer_of(author="@ana.costa")) == [ana.pk]
    assert ids(answer_of(author="7")) == [ana.pk]
    assert ids(answer_of(author="nobody")) == []


def test_filters_by_kind_and_provider(answer_of: Any) -> None:
    film = an_item(kind=Kind.VIDEO)
    picture = an_item()
    other = store([a_record()], provider="mastodon").new[0]
    assert ids(answer_of(kind="video")) == [film.pk]
    assert ids(answer_of(provider="mastodon")) == [other]
    assert ids(answer_of(provider="instagram_v1", kind="image")) == [picture.pk]


def test_times_are_from_and_until_before(answer_of: Any) -> None:
    one, two, three = (
        an_item(posted_at=NOON + timedelta(hours=hours)) for hours in range(3)
    )
    an_item(posted_at=None)
    assert ids(
        answer_of(
            posted_after="2026-11-20T13:00:00Z", posted_before="2026-11-20T14:00:00Z"
        )
    ) == [two.pk]
    # The plus sign of an offset may have become a blank; no offset means UTC.
    assert ids(answer_of(posted_after="2026-11-20T15:00:00 01:00")) == [three.pk]
    assert ids(answer_of(posted_before="2026-11-20T12:30")) == [one.pk]
    assert ids(answer_of(posted_before="2026-11-20")) == []


def test_filters_by_archiving_time(answer_of: Any) -> None:
    old, new = some_items(2)
    MediaItem.objects.filter(pk=old.pk).update(archived_at=NOON)
    assert ids(answer_of(archived_before="2026-11-20T12:00:00.001Z")) == [old.pk]
    assert ids(answer_of(archived_after="2026-11-20T12:00:00.001Z")) == [new.pk]


def test_page_size_is_obeyed(answer_of: Any) -> None:
    some_items(3)
    assert len(answer_of(page_size=2)["results"]) == 2
    assert len(answer_of(page_size=100)["results"]) == 3


def test_a_page_costs_the_same_few_statements_whatever_its_size(api: APIClient) -> None:
    def statements(size: int) -> list[str]:
        with CaptureQueriesContext(connection) as seen:
            api.get(f"{MEDIA}?tag=nofilter&page_size={size}")
        return [query["sql"] for query in seen.captured_queries]

    some_items(30)
    api.get(MEDIA)
    few, many = statements(2), statements(30)
    assert len(many) == len(few)
    assert len(many) < 8
    assert not [sql for sql in many if "OFFSET" in sql or "COUNT(" in sql]


def test_a_page_of_a_tag_walks_the_listings_index(api: APIClient) -> None:
    for _ in range(4):
        some_items(50)
    page = api.get(f"{MEDIA}?tag=nofilter&page_size=5").json()
    with CaptureQueriesContext(connection) as seen:
        api.get(page["next"])
    [sql] = [q["sql"] for q in seen.captured_queries if "listed_at" in q["sql"]]

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE")
            # Two hundred rows are sorted as fast as they are found: rule that out.
            cursor.execute("SET enable_seqscan = off")
            cursor.execute("SET enable_sort = off")
        word = "" if connection.vendor == "postgresql" else "QUERY PLAN "
        cursor.execute(f"EXPLAIN {word}{sql}")
        plan = "\n".join(str(row) for row in cursor.fetchall())
        if connection.vendor == "postgresql":
            cursor.execute("RESET enable_seqscan")
            cursor.execute("RESET enable_sort")
    assert "listing_by_dated_at" in plan, plan
    assert "Sort" not in plan, plan
    assert "TEMP B-TREE" not in plan, plan
