"""The archive in the admin."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from media_archive import moderation
from media_archive.admin_reading import BoundedPaginator
from media_archive.models import (
    Download,
    DownloadState,
    JournalEntry,
    MediaItem,
    Visibility,
)
from media_archive.records import AssetSource, IncomingAsset, Kind
from tests.builders import (
    PROVIDER,
    a_kept_file,
    a_post,
    a_record,
    an_item,
    settle,
    some_items,
    store,
)
from tests.media_archive.at_the_desk import may, text_of

pytestmark = pytest.mark.django_db
LIST = "/admin/media_archive/mediaitem/"
DOWNLOADS = "/admin/media_archive/download/"
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def decided(desk: Client, action: str, *items: MediaItem) -> str:
    """The page after ``action`` on ``items``."""
    chosen = {"action": action, "_selected_action": [item.pk for item in items]}
    return text_of(desk.post(LIST, chosen, follow=True))


def test_somebody_without_permission_sees_nothing(client: Client, vera: User) -> None:
    item = an_item()
    client.force_login(may(vera))
    assert client.get(LIST).status_code == 403
    assert client.get(f"{LIST}{item.pk}/change/").status_code == 403
    may(vera, "view_mediaitem")
    assert client.get(LIST).status_code == 200


def test_who_may_only_look_can_decide_nothing(client: Client, vera: User) -> None:
    item = an_item()
    client.force_login(may(vera, "view_mediaitem"))

    page = text_of(client.get(LIST))
    assert "one_click" not in page
    assert "Unpin" not in page
    decided(client, "hide", item)
    client.post(LIST, {"one_click": f"hide:{item.pk}"})
    item.refresh_from_db()
    assert item.visibility == Visibility.VISIBLE

    may(vera, "moderate_mediaitem")
    client.post(LIST, {"one_click": f"hide:{item.pk}"})
    item.refresh_from_db()
    assert item.visibility == Visibility.HIDDEN


def test_nothing_is_added_changed_or_deleted_by_hand(desk: Client) -> None:
    item = an_item()
    entry = JournalEntry.objects.get()
    assert desk.get(f"{LIST}add/").status_code == 403
    assert desk.post(f"{LIST}{item.pk}/delete/", {"post": "yes"}).status_code == 403
    assert desk.post(f"{LIST}{item.pk}/change/", {"caption": "x"}).status_code == 403
    journal = "/admin/media_archive/journalentry/"
    assert desk.post(f"{journal}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    for room in ("author", "tag", "journalentry", "download"):
        assert desk.get(f"/admin/media_archive/{room}/add/").status_code == 403
        assert desk.get(f"/admin/media_archive/{room}/").status_code == 200
    assert MediaItem.objects.filter(pk=item.pk).exists()


def test_the_list_shows_picture_author_caption_tags_and_state(desk: Client) -> None:
    item = a_post(caption="Sunrise " * 40, tags=["sun", "sea"])
    hidden = an_item(caption=None, author=None)
    moderation.hide([hidden.pk], actor="ada")

    page = text_of(desk.get(LIST))
    made = a_kept_file().renditions.get(spec="s168.webp.1")
    assert f'src="/media/{made.name}" srcset="/media/{made.name} 168w"' in page
    assert page.count('width="84" height="84"') == 1  # the other has none yet
    assert 'loading="lazy"' in page
    assert "@ana.costa" in page
    assert "Sunrise Sunrise" in page
    assert "Sunrise " * 40 not in page
    assert "#sea" in page
    assert ">Showing</span>" in page
    assert ">Hidden</span>" in page
    assert "(no caption)" in page
    assert f"{item.pk}/change/" in page


def test_nothing_in_the_list_or_the_page_is_inline_or_taken_as_markup(
    desk: Client,
) -> None:
    record = a_record(
        caption=EVIL,
        tags=["x"],
        raw={"id": EVIL},
        assets=[
            IncomingAsset(
                Kind.IMAGE, [AssetSource(EVIL, f"https://a.example/{EVIL}")], EVIL
            )
        ],
    )
    [pk] = store([record]).new
    for address in (LIST, f"{LIST}{pk}/change/"):
        page = text_of(desk.get(address))
        assert "alert(1)" in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert " style=" not in page
        assert "<style" not in page
        assert not re.findall(r"<script(?![^>]*(?:src=|application/json))[^>]*>", page)


def test_the_page_shows_every_size_the_raw_document_and_the_journal(
    desk: Client,
) -> None:
    item = an_item(raw={"id": "a", "half": "\ud800", "nul": "\x00"})
    moderation.hide([item.pk], actor="ada", reason="too loud")
    page = text_of(desk.get(f"{LIST}{item.pk}/change/"))
    assert "https://pictures.example/thumbnail.jpg" in page
    assert "640 × 640" in page
    assert r"\ud800" in page
    assert "too loud" in page
    assert "Archived" in page
    assert 'name="_save"' not in page


def test_the_page_shows_what_is_kept_of_each_picture(desk: Client) -> None:
    kept = a_kept_file()
    page = text_of(desk.get(f"{LIST}{a_post().pk}/change/"))
    for made in kept.renditions.all():
        assert f"/media/{made.name}" in page
    assert f'href="/media/{kept.name}"' in page
    assert kept.sha256[:12] in page
    assert ">Kept</span>" in page
    assert 'name="again"' not in page
    assert 'src="http' not in page


def test_a_text_without_pictures_has_a_page_too(desk: Client) -> None:
    item = an_item(kind=Kind.TEXT, assets=[], raw={}, author=None, posted_at=None)
    assert text_of(desk.get(LIST))
    assert text_of(desk.get(f"{LIST}{item.pk}/change/"))


def test_actions_say_how_many_and_who_did_it(desk: Client) -> None:
    items = some_items(3)
    assert "3 media items hidden." in decided(desk, "hide", *items)
    again = decided(desk, "hide", items[0])
    assert "0 media items hidden. 1 was so already." in again
    assert "2 media items shown." in decided(desk, "show", *items[:2])
    assert "1 media item pinned." in decided(desk, "pin", items[0])
    assert "1 media item unpinned." in decided(desk, "unpin", items[0])
    kinds = JournalEntry.objects.filter(actor="ada").values_list("kind", flat=True)
    assert sorted(kinds) == [
        *["hidden"] * 3,
        "pinned",
        *["shown"] * 2,
        "unpinned",
    ]


def test_one_click_hides_and_shows_and_keeps_the_filters(desk: Client) -> None:
    item = an_item()
    address = f"{LIST}?visibility__exact=visible"
    answer = desk.post(address, {"one_click": f"hide:{item.pk}"})
    assert (answer.status_code, answer["Location"]) == (302, address)
    item.refresh_from_db()
    assert item.visibility == Visibility.HIDDEN
    desk.post(LIST, {"one_click": f"show:{item.pk}"})
    item.refresh_from_db()
    assert item.visibility == Visibility.VISIBLE


@pytest.mark.parametrize(
    "nonsense", ["", "hide", "hide:", "hide:x", "burn:1", "hide:²"]
)
def test_a_click_that_makes_no_sense_does_nothing(desk: Client, nonsense: str) -> None:
    an_item()
    before = JournalEntry.objects.count()
    assert desk.post(LIST, {"one_click": nonsense}, follow=True).status_code == 200
    assert JournalEntry.objects.count() == before


def found(desk: Client, query: str) -> set[int]:
    page = text_of(desk.get(f"{LIST}?{query}"))
    return {int(key) for key in re.findall(r'_selected_action" value="(\d+)"', page)}


def test_filters_and_search(desk: Client) -> None:
    film = an_item("film-1", kind=Kind.VIDEO, tags=["fête"], caption="At the harbour")
    photo = an_item("photo-1")
    other = MediaItem.objects.get(pk=store([a_record("m")], provider="mastodon").new[0])
    moderation.hide([photo.pk], actor="ada")

    assert found(desk, "tag=F%C3%AAte") == {film.pk}
    assert found(desk, "tag=%F0%9F%8E%89") == set()
    assert found(desk, "kind__exact=video") == {film.pk}
    assert found(desk, "provider=mastodon") == {other.pk}
    assert found(desk, f"provider={PROVIDER}") == {film.pk, photo.pk}
    assert found(desk, "visibility__exact=hidden") == {photo.pk}
    assert found(desk, "q=harbour") == {film.pk}
    assert found(desk, "q=photo-1") == {photo.pk}
    assert found(desk, "q=ana.costa") == {film.pk, photo.pk, other.pk}
    assert found(desk, "q=nobody") == set()
    settle(film, "failed")
    rows = Download.objects.filter(asset__item=film)
    rows.update(state=DownloadState.FAILED)
    assert found(desk, "pictures=kept") == set()
    assert found(desk, "pictures=waiting") == {photo.pk, other.pk}
    assert found(desk, "pictures=missing") == {film.pk}
    assert found(desk, "pictures=failed") == {film.pk}
    assert found(desk, "pictures=gone") == set()
    assert found(desk, "pictures=nonsense") == {film.pk, photo.pk, other.pk}
    assert desk.get(f"{LIST}?q=%00").status_code == 200


def test_the_list_never_counts_all_rows_and_costs_the_same_for_more(
    desk: Client,
) -> None:
    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as seen:
            assert desk.get(LIST).status_code == 200
        return [query["sql"] for query in seen.captured_queries]

    some_items(2)
    desk.get(LIST)
    few = statements()
    some_items(20)
    many = statements()
    assert len(many) == len(few)
    counts = [sql for sql in many if "COUNT(" in sql and "mediaitem" in sql]
    assert counts
    assert all("LIMIT 10000" in sql for sql in counts)


def test_the_paginator_stops_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media_archive.admin_reading.COUNTED", 3)
    some_items(2)
    rows = MediaItem.objects.order_by("-id")
    assert BoundedPaginator(rows, 2).count == 2
    some_items(5)
    assert BoundedPaginator(rows, 2).count == 3


def test_the_admin_bears_our_name(desk: Client) -> None:
    page = text_of(desk.get("/admin/"))
    assert "Photowall" in page
    assert "Django administration" not in page


@pytest.mark.parametrize(
    "query",
    [
        "caption__regex=(a",
        "caption__contains=x",
        "author__name__startswith=a",
        "archived_at__gte=2026-01-01",
        "kind__regex=(a",
    ],
)
def test_the_address_may_ask_only_what_the_filters_ask(
    desk: Client, query: str
) -> None:
    an_item()
    answer = desk.get(f"{LIST}?{query}")
    assert answer.status_code == 302
    assert answer["Location"] == f"{LIST}?e=1"
    for filtered in (
        "kind__exact=image",
        "visibility__exact=visible&pinned__exact=0",
        "tag=nofilter&provider=x",
        "dated_at__gte=2020-01-01+00:00Z&dated_at__lt=2030-01-01+00:00Z",
    ):
        assert desk.get(f"{LIST}?{filtered}").status_code == 200
