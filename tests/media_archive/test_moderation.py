"""Hide, show, pin: what a person decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from media_archive import journal, moderation
from media_archive.models import JournalEntry, MediaItem, MediaTag, Visibility
from tests.builders import a_record, an_item, some_items, store

pytestmark = [pytest.mark.django_db, pytest.mark.also_on_sqlite]


def test_what_was_removed_at_its_source_is_not_shown_again() -> None:
    removed, hidden = some_items(2)
    MediaItem.objects.filter(pk=removed.pk).update(visibility=Visibility.REMOVED)
    moderation.hide([hidden.pk], actor="ada")

    assert moderation.show([removed.pk, hidden.pk], actor="ada") == 1
    removed.refresh_from_db()
    hidden.refresh_from_db()
    assert removed.visibility == Visibility.REMOVED
    assert hidden.visibility == Visibility.VISIBLE


@pytest.mark.parametrize(
    "decide", [moderation.hide, moderation.show, moderation.pin, moderation.unpin]
)
def test_nobody_and_unknown_items_change_nothing(decide: Callable[..., int]) -> None:
    assert decide([], actor="ada") == 0
    assert decide([2**62], actor="ada") == 0
    assert journal.head() == 0


def test_a_decision_twice_is_one_entry() -> None:
    item = an_item()
    assert moderation.hide([item.pk], actor="ada", reason="too loud") == 1
    assert moderation.hide([item.pk], actor="ada") == 0
    [entry] = JournalEntry.objects.filter(kind="hidden")
    assert (entry.actor, entry.detail) == ("ada", {"reason": "too loud"})
    assert entry.revision == 2


def test_there_and_back_again_leaves_four_entries() -> None:
    item = an_item()
    for decide in (
        moderation.pin,
        moderation.unpin,
        moderation.pin,
        moderation.hide,
        moderation.show,
    ):
        assert decide([item.pk], actor="ada") == 1
    item.refresh_from_db()
    assert (item.visibility, item.pinned, item.revision) == ("visible", True, 6)
    entries = journal.read(0, 100)
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert [entry.revision for entry in entries] == [1, 2, 3, 4, 5, 6]


def test_shown_again_joins_its_listings_anew_and_keeps_its_place() -> None:
    first, second = some_items(2)
    before = MediaTag.objects.get(item=first)
    moderation.hide([first.pk], actor="ada")
    assert MediaTag.objects.get(item=first).seq == before.seq
    moderation.show([first.pk], actor="ada")
    after = MediaTag.objects.get(item=first)
    assert after.seq == journal.head()
    assert after.dated_at == before.dated_at
    assert MediaTag.objects.get(item=second).seq < after.seq


def test_many_are_shown_again_with_as_few_statements_as_one() -> None:
    """While they are listed anew, nobody else can write the journal."""

    def statements(items: list[MediaItem]) -> int:
        ids = [item.pk for item in items]
        moderation.hide(ids, actor="ada")
        with CaptureQueriesContext(connection) as caught:
            assert moderation.show(ids, actor="ada") == len(ids)
        return len(caught)

    assert statements(some_items(1)) == statements(some_items(20))
    seqs = MediaTag.objects.order_by("item").values_list("seq", flat=True)
    assert list(seqs)[-20:] == list(range(journal.head() - 19, journal.head() + 1))


def test_what_a_provider_says_later_does_not_undo_a_decision() -> None:
    item = an_item("p")
    moderation.hide([item.pk], actor="ada")
    assert store([a_record("p", caption="Again!")]).changed == [item.pk]
    item.refresh_from_db()
    assert (item.caption, item.visibility) == ("Again!", Visibility.HIDDEN)
