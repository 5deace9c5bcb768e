"""Reading a listing whose posts were erased: as if they were still here."""

from __future__ import annotations

import pytest

from media_archive import ingest, retention
from media_archive.models import MediaItem
from subscriptions.models import CaughtBy, Feed, Gap, Match, Subscription
from subscriptions.page_store import store_page
from subscriptions.providers.base import Page
from tests.builders import a_record, store
from tests.subscriptions.reading import feed_of, make_due, read
from tests.subscriptions.upstream import KEY, Upstream, a_subscription, caught

pytestmark = [pytest.mark.django_db, pytest.mark.also_on_sqlite]


def erase_all() -> int:
    ids = list(MediaItem.objects.values_list("pk", flat=True))
    return retention.purge(ids, actor="ada", reason="")


def read_to_the_end(subscription: Subscription) -> None:
    for _ in range(20):
        Feed.objects.update(next_attempt_at=None, rest_until=None)
        if not Feed.objects.due().exists():
            return
        read(subscription)
    raise AssertionError("It does not end.")


@pytest.mark.parametrize("erased", [False, True])
def test_reading_ends_where_it_would_have(upstream: Upstream, erased: bool) -> None:
    """A provider that cannot list "since": all depends on meeting what was known."""
    upstream.page_size = 5
    upstream.post(100)
    subscription = a_subscription()
    read_to_the_end(subscription)
    assert upstream.count("page") == 20
    if erased:
        assert erase_all() == 100
    upstream.post(1)
    make_due(subscription, cursor=None, head=None)
    read_to_the_end(subscription)

    assert upstream.count("page") == 20 + 3, "the news, and two pages that are known"
    assert upstream.posts[0].native_id in caught(subscription)
    assert feed_of(subscription).last_error == ""
    assert Gap.objects.filter(unread__gt=0).count() == 0
    assert MediaItem.objects.count() == (1 if erased else 101)


def test_an_erased_post_is_neither_new_nor_lost() -> None:
    subscription = a_subscription()
    gone, other = a_record("gone"), a_record("other")
    retention.purge(store([gone], provider=KEY).new, actor="", reason="")
    page = Page((other, gone))

    first = store_page(subscription, page, CaughtBy.NEWS, lambda _: None)
    assert (len(first.ids), len(first.fresh), first.met) == (1, 1, 2)
    assert (first.entombed, first.unmet, first.lost, first.unread) == (1, 1, 0, 0)
    # The second time it is one that we know, with the number of the first time.
    again = store_page(subscription, page, CaughtBy.NEWS, lambda _: None)
    assert (again.fresh, again.unmet, again.entombed, again.met) == ([], 0, 1, 2)
    assert {known.match for known in again.known} == {
        *Match.objects.values_list("pk", flat=True)
    }
    assert again.leads_on is False


def test_the_match_outlives_the_item() -> None:
    subscription = a_subscription()
    page = Page((a_record("gone"),))
    store_page(subscription, page, CaughtBy.BACKFILL, lambda _: None)
    before = Match.objects.get()
    assert erase_all() == 1
    after = Match.objects.get()
    assert (after.pk, after.caught_by, after.item) == (before.pk, "backfill", None)
    assert "gone" not in after.tombstone and len(after.tombstone) == 64
    known = store_page(subscription, page, CaughtBy.NEWS, lambda _: None).known
    assert [(k.match, k.caught_by) for k in known] == [(before.pk, "backfill")]


def test_a_post_that_the_database_refuses_costs_no_tombstone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscription = a_subscription()
    gone, bad, good = a_record("gone"), a_record("bad"), a_record("good")
    retention.purge(store([gone], provider=KEY).new, actor="", reason="")

    real = ingest.store

    def picky(
        recording: object, provider: str, media: object, **more: object
    ) -> object:
        if any(record.native_id == "bad" for record in media):  # type: ignore[attr-defined]
            raise ValueError("no")
        return real(recording, provider, media, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("subscriptions.page_store.ingest.store", picky)
    page = Page((gone, bad, good))
    kept = store_page(subscription, page, CaughtBy.NEWS, lambda _: None)
    assert (len(kept.fresh), kept.entombed, kept.lost) == (1, 1, 1)
