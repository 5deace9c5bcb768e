"""Two tags that share posts: who only matches one does not wait for who changes it.

PostgreSQL checks at the commit that a match's post is there, and locks it for that. By
then the journal's counter is held: who has to wait there holds everybody up, and if it
is for one who waits for the counter, they wait in a circle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.db import connections

from media_archive import ingest, journal, moderation
from media_archive.journal import Recording
from media_archive.models import JournalEntry, JournalKind
from media_archive.records import IncomingMedia
from subscriptions import page_store, remapping
from subscriptions.models import CaughtBy, Match
from subscriptions.page_store import Kept
from subscriptions.providers.base import Page
from tests.builders import a_record, store
from tests.subscriptions.upstream import KEY, a_subscription

pytestmark = pytest.mark.django_db(transaction=True)

Work = Callable[[Recording, IncomingMedia, int], object]


def _change(recording: Recording, post: IncomingMedia, _: int) -> None:
    ingest.store(recording, KEY, [replace(post, likes=99)])


def _hide(recording: Recording, _: IncomingMedia, pk: int) -> None:
    hidden = moderation._write(recording, [pk], JournalKind.HIDDEN, "ada", "")
    assert hidden == 1


def _remap(recording: Recording, _: IncomingMedia, pk: int) -> None:
    remapping._write(KEY, [pk], recording)


@contextmanager
def under_way(work: Work, post: IncomingMedia, pk: int) -> Iterator[None]:
    """``work`` is done in another thread, and not committed before the block ends."""
    begun, may_end = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with journal.recording() as recording:
                work(recording, post, pk)
                begun.set()
                assert may_end.wait(30)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert begun.wait(10)
        yield
    finally:
        may_end.set()
        thread.join(30)
        assert not thread.is_alive()


@pytest.mark.parametrize("work", [_change, _hide, _remap])
def test_a_page_with_a_post_that_is_being_changed_is_stored_at_once(work: Work) -> None:
    subscription = a_subscription()
    post = a_record("shared")
    pk = store([post], "nofilter", provider=KEY).new[0]
    matched: list[Kept] = []

    def page() -> None:
        media = (a_record("another"), post)
        matched.append(
            page_store.store_page(
                subscription, Page(media), CaughtBy.NEWS, lambda _: None
            )
        )
        connections.close_all()

    with under_way(work, post, pk):
        reader = threading.Thread(target=page)
        reader.start()
        reader.join(5)
        assert not reader.is_alive(), "it waits for the other transaction"
        assert Match.objects.filter(item_id=pk).exists()
    assert len(matched[0].fresh) == 2
    assert list(JournalEntry.objects.values_list("seq", flat=True))[:2] == [1, 2]
