"""Many rows in one statement, and a page of posts in a few."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext

from media_archive import item_rows, journal, set_wise
from media_archive.models import (
    Author,
    JournalEntry,
    MediaAsset,
    MediaItem,
    MediaTag,
    Tag,
)
from media_archive.records import IncomingAuthor, IncomingMedia
from tests.builders import NOON, a_record, an_asset, store

pytestmark = [pytest.mark.django_db, pytest.mark.also_on_sqlite]
KEY = ("provider", "native_id")
NAMES = ("provider", "native_id", "username", "name")


def statements(records: list[IncomingMedia]) -> int:
    """How many statements storing ``records`` takes."""
    with CaptureQueriesContext(connection) as seen:
        store(records, listed_under="fox")
    return sum(
        query["sql"].lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))
        for query in seen.captured_queries
    )


def test_no_rows_are_no_statement() -> None:
    with CaptureQueriesContext(connection) as seen:
        assert set_wise.insert(Tag, ("name",), []) == []
        set_wise.update(Tag, ("id", "name"), [])
    assert len(seen) == 0


def test_what_is_there_is_ignored_and_not_returned() -> None:
    Tag.objects.create(name="fox")
    returned = set_wise.insert(
        Tag,
        ("name",),
        [("fox",), ("owl",)],
        set_wise.Ignore(),
        returning=("name", "id"),
    )
    assert returned == [("owl", Tag.objects.get(name="owl").pk)]


def test_nothing_known_is_taken_away() -> None:
    both = set_wise.Update(KEY, ("username", "name"), keep_known=True)
    set_wise.insert(Author, NAMES, [("p", "1", "ana", None)], both)
    set_wise.insert(Author, NAMES, [("p", "1", None, "Ana")], both)
    author = Author.objects.get()
    assert (author.username, author.name, author.avatar_url) == ("ana", "Ana", None)
    plain = set_wise.Update(KEY, ("username",))
    set_wise.insert(Author, NAMES, [("p", "1", None, None)], plain)
    assert Author.objects.get().username is None


def test_every_kind_of_column_comes_back_as_it_went() -> None:
    item = MediaItem.objects.get(pk=store([a_record()]).new[0])
    row = (7, "hidden", item.pk, 3, NOON, "ada", {"é\n": [1, None, "🎉"]})
    names = ("seq", "kind", "item_id", "revision", "at", "actor", "detail")
    set_wise.insert(JournalEntry, names, [row])
    assert JournalEntry.objects.values_list(*names).get(seq=7) == row
    columns = ("id", "latitude", "likes", "posted_at", "pinned", "caption")
    said = (item.pk, 0.1 + 0.2, 2**63 - 1, NOON, True, "a 'b' %s \\ \U0001f98a")
    set_wise.update(MediaItem, columns, [said])
    assert MediaItem.objects.values_list(*columns).get() == said
    set_wise.update(MediaItem, ("id", "likes"), [(item.pk, None)])
    assert MediaItem.objects.get().likes is None


@pytest.mark.parametrize("name", ["x" * 101, "a\x00b", "\ud800"])
def test_what_the_database_cannot_hold_is_refused_and_never_cut(name: str) -> None:
    if connection.vendor == "sqlite" and name != "\ud800":
        # SQLite knows no lengths and keeps NUL.
        set_wise.insert(Tag, ("name",), [(name,)])
        assert Tag.objects.get().name == name
        return
    with pytest.raises((DataError, ValueError)):
        set_wise.insert(Tag, ("name",), [(name,)])


def test_more_rows_than_a_statement_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_wise, "LONGEST_LIST", 7)
    rows = [("p", str(n), f"name{n}", None) for n in range(20)]
    returned = set_wise.insert(Author, NAMES, rows, returning=("native_id", "id"))
    assert [native_id for native_id, _ in returned] == [row[1] for row in rows]
    set_wise.update(Author, ("id", "name"), [(pk, f"N{n}") for n, pk in returned])
    assert {a.name for a in Author.objects.all()} == {f"N{n}" for n in range(20)}


def test_a_full_page_is_a_few_statements_and_a_known_one_is_one() -> None:
    page = [
        a_record(
            tags=[f"tag{(n * 7 + k) % 900}" for k in range(30)],
            assets=[an_asset() for _ in range(10)],
            author=IncomingAuthor(str(n)),
        )
        for n in range(100)
    ]
    # Two of them: which were erased, and the downloads of what is new.
    assert statements(page) <= 14
    assert MediaTag.objects.count() == 100 * 31
    assert MediaAsset.objects.count() == 100 * 10
    head = journal.head()
    assert head == 100
    assert statements(page) == 1
    assert journal.head() == head


def test_what_another_worker_stored_since_the_look_is_not_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    same, other = a_record("same"), a_record("other")
    same_pk, other_pk = store([other, same]).new
    monkeypatch.setattr(item_rows, "see", lambda *_: dict[str, Any]())
    fresh = a_record("fresh")
    result = store([same, a_record("other", caption="newer"), fresh])
    assert result.unchanged == [same_pk]
    assert result.changed == [other_pk]
    assert [MediaItem.objects.get(native_id="fresh").pk] == result.new
    assert MediaItem.objects.get(pk=other_pk).caption == "newer"
    kinds = [entry.kind for entry in journal.read(2, 9)]
    assert sorted(kinds) == ["archived", "changed"]
