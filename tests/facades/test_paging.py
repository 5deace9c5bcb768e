"""The cursors of a tag's listing: nothing lost, nothing doubled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.test import Client

from media_archive import moderation
from photowall.facades.models import ApiClient
from subscriptions.providers.instagram_v1.wire.pages import parse_page
from tests.builders import a_record, an_item, some_items, store

Ask = Callable[..., Any]
RECENT = "/v1/tags/fox/media/recent"


def ids(answer: Any) -> list[str]:
    return [said["id"].partition("_")[0] for said in answer["data"]]


def test_300_items_are_walked_while_new_ones_arrive(ask: Ask) -> None:
    """Backwards by ``max_tag_id``, then forward by the first ``min_tag_id``."""
    old = {item.native_id for item in some_items(300, tags=["fox"])}
    late: set[str] = set()
    answer = ask(RECENT, count=33)
    forward = answer["pagination"]["min_tag_id"]
    walked = ids(answer)
    while "next_max_tag_id" in answer["pagination"]:
        late.add(an_item(tags=["fox"]).native_id)
        older = answer["pagination"]["next_max_tag_id"]
        answer = ask(RECENT, count=33, max_tag_id=older)
        walked += ids(answer)
    assert len(walked) == 300
    assert set(walked) == old
    answer = ask(RECENT, count=33, min_tag_id=forward)
    assert sorted(ids(answer)) == sorted(late)
    assert len(late) == 9


def test_newer_than_a_cursor_is_walked_back_to_that_cursor_only(ask: Ask) -> None:
    some_items(5, tags=["fox"])
    mark = ask(RECENT)["pagination"]["min_tag_id"]
    new = [item.native_id for item in some_items(5, tags=["fox"])]
    answer = ask(RECENT, count=2, min_tag_id=mark)
    seen, pages = ids(answer), 1
    while following := answer["pagination"].get("next_url"):
        answer = ask(RECENT, **dict(parse_qsl(urlsplit(following).query)))
        seen += ids(answer)
        pages += 1
    assert seen == new[::-1]
    assert pages == 3


def test_the_pagination_is_the_recorded_one(ask: Ask) -> None:
    some_items(3, tags=["fox"])
    answer = ask(RECENT, count=2)
    said = answer["pagination"]
    assert list(said) == [
        "next_max_tag_id",
        "deprecation_warning",
        "next_max_id",
        "next_min_id",
        "min_tag_id",
        "next_url",
    ]
    assert said["next_max_tag_id"] == said["next_max_id"]
    assert said["min_tag_id"] == said["next_min_id"]
    assert all(isinstance(value, str) for value in said.values())
    last = ask(RECENT, count=2, max_tag_id=said["next_max_tag_id"])
    assert list(last["pagination"]) == [
        "deprecation_warning",
        "next_min_id",
        "min_tag_id",
    ]
    page = parse_page(answer)
    assert (page.newest, page.older) == (said["min_tag_id"], said["next_max_tag_id"])


def test_a_full_last_page_says_that_it_is_the_last(ask: Ask) -> None:
    some_items(4, tags=["fox"])
    first = ask(RECENT, count=2)["pagination"]
    last = ask(RECENT, count=2, max_tag_id=first["next_max_tag_id"])
    assert len(last["data"]) == 2
    assert "next_url" not in last["pagination"]


def test_nothing_new_keeps_the_callers_cursor(ask: Ask) -> None:
    some_items(2, tags=["fox"])
    mark = ask(RECENT)["pagination"]["min_tag_id"]
    answer = ask(RECENT, min_tag_id=mark)
    assert answer["data"] == []
    assert answer["pagination"]["min_tag_id"] == mark
    assert "next_max_tag_id" not in answer["pagination"]


def test_the_deprecated_names_mean_the_same(ask: Ask) -> None:
    some_items(4, tags=["fox"])
    said = ask(RECENT, count=2)["pagination"]
    old = ask(RECENT, count=2, max_id=said["next_max_id"])["data"]
    assert old == ask(RECENT, count=2, max_tag_id=said["next_max_tag_id"])["data"]
    assert len(old) == 2
    newer = ask(RECENT, min_id=said["next_min_id"])
    assert newer["data"] == []
    # Given and empty is not given.
    assert len(ask(RECENT, min_tag_id="", max_tag_id="")["data"]) == 4


@pytest.mark.parametrize("huge", [str(2**63), "9" * 19, "9" * 400])
def test_a_cursor_beyond_all_numbers_is_beyond_the_newest(ask: Ask, huge: str) -> None:
    some_items(2, tags=["fox"])
    assert ask(RECENT, min_tag_id=huge)["data"] == []
    assert len(ask(RECENT, max_tag_id=huge)["data"]) == 2


def test_hidden_items_are_left_out_and_shown_ones_listed_anew(ask: Ask) -> None:
    items = some_items(3, tags=["fox"])
    mark = ask(RECENT)["pagination"]["min_tag_id"]
    moderation.hide([items[1].pk], actor="ada")
    assert ids(ask(RECENT)) == [items[2].native_id, items[0].native_id]
    moderation.show([items[1].pk], actor="ada")
    assert ids(ask(RECENT)) == [items[n].native_id for n in (1, 2, 0)]
    assert ids(ask(RECENT, min_tag_id=mark)) == [items[1].native_id]


def test_a_post_tagged_later_comes_first_without_the_tag_in_it(ask: Ask) -> None:
    old = a_record(tags=["snow"])
    store([old])
    some_items(2, tags=["fox"])
    mark = ask(RECENT)["pagination"]["min_tag_id"]
    store([old], listed_under="fox")
    answer = ask(RECENT, min_tag_id=mark)
    assert ids(answer) == [old.native_id]
    assert answer["data"][0]["tags"] == ["snow"]


def test_the_next_address_is_on_the_host_that_was_asked(
    client: Client, program: ApiClient
) -> None:
    """With everything the caller sent, the secret and unknown names included."""
    some_items(3, tags=["fêtes"])
    answer = client.get(
        "/v1/tags/f%C3%AAtes/media/recent.json?client_id=CLIENT-ID&client_secret=s"
        "&count=1&name=a%20b&_=17&max_tag_id=99999",
        headers={"host": "localhost:8123"},
    )
    following = answer.json()["pagination"]["next_url"]
    parts = urlsplit(following)
    assert (parts.scheme, parts.netloc) == ("http", "localhost:8123")
    assert parts.path == "/v1/tags/f%C3%AAtes/media/recent.json"
    query = parse_qsl(parts.query)
    assert [name for name, _ in query] == [
        "client_id",
        "client_secret",
        "count",
        "name",
        "_",
        "max_tag_id",
    ]
    assert dict(query)["name"] == "a b"
    walked = ids(answer.json())
    while following:
        answer = client.get(following.removeprefix("http://localhost:8123"))
        walked += ids(answer.json())
        following = answer.json()["pagination"].get("next_url")
    assert len(walked) == len(set(walked)) == 3


def test_what_is_hidden_while_a_page_is_read_leaves_no_hole_in_it(ask: Ask) -> None:
    """A page that says that there is more is never empty."""
    items = some_items(4, tags=["fox"])
    asked: list[str] = []

    def hide_after_the_listing(execute: Any, sql: str, *rest: Any) -> Any:
        if 'FROM "media_archive_media' in sql:
            asked.append(sql)
            if len(asked) == 2:
                moderation.hide([item.pk for item in items], actor="ada")
        return execute(sql, *rest)

    with connection.execute_wrapper(hide_after_the_listing):
        answer = ask(RECENT, count=2)
    assert ids(answer) == [items[3].native_id, items[2].native_id]
    assert "next_max_tag_id" in answer["pagination"]
    assert ids(ask(RECENT, count=2)) == []
