"""A tag's past: read once, in pages, paused, killed, resumed, to its target."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from media_archive import claims
from media_archive.live.frames import frame_of
from media_archive.models import JournalEntry, JournalKind, MediaItem
from subscriptions import backfill_run, backfilling
from subscriptions.backfill_outlook import outlook
from subscriptions.errors import (
    BackfillRefused,
)
from subscriptions.models import (
    Backfill,
    BackfillState,
    CallCount,
    CoverageSpan,
    Feed,
    Match,
    Purpose,
    State,
    Subscription,
)
from subscriptions.tasks import read_backfill, reconcile
from tests.builders import keep_pictures
from tests.subscriptions.following import all_at_once, in_state
from tests.subscriptions.past import NOW, a_past, go_on
from tests.subscriptions.reading import read
from tests.subscriptions.upstream import Upstream, a_subscription, caught

pytestmark = pytest.mark.django_db


class TestStarting:
    @pytest.mark.parametrize(
        "state", [s for s in State if s not in {State.ACTIVE, State.DRAFT}]
    )
    def test_only_an_active_tag_has_a_past_to_read(self, state: State) -> None:
        with pytest.raises(BackfillRefused, match="active subscription"):
            backfilling.start(in_state(state))

    @pytest.mark.parametrize(
        "target",
        [
            {"until_date": NOW + timedelta(days=1)},
            {"until_items": 0},
            {"until_items": -5},
            {"until_items": 10**9},
        ],
    )
    def test_a_target_must_make_sense(self, target: dict[str, Any]) -> None:
        with pytest.raises(BackfillRefused, match="Choose"):
            backfilling.start(a_subscription(), **target)

    def test_one_at_a_time(self) -> None:
        subscription = a_subscription()
        first = backfilling.start(subscription)
        with pytest.raises(BackfillRefused, match="already"):
            backfilling.start(subscription)
        backfilling.cancel(first.pk, "ada")
        assert backfilling.start(subscription).state == BackfillState.RUNNING


class TestReading:
    def test_to_the_end_of_the_listing(self, upstream: Upstream) -> None:
        a_past(upstream, 100)
        subscription = a_subscription()
        backfill = go_on(backfilling.start(subscription))
        assert backfill.state == BackfillState.DONE
        assert "nothing older" in backfill.state_reason
        assert (backfill.items, backfill.new_items, backfill.pages) == (100, 100, 4)
        assert caught(subscription) == {post.native_id for post in upstream.posts}
        assert MediaItem.objects.count() == 100

    @pytest.mark.also_on_sqlite
    def test_to_a_date(self, upstream: Upstream) -> None:
        a_past(upstream, 200)
        wanted = NOW - timedelta(hours=50)
        backfill = go_on(backfilling.start(a_subscription(), until_date=wanted))
        assert backfill.state == BackfillState.DONE
        assert backfill.reached_at is not None and backfill.reached_at < wanted
        assert backfill.items == 4 * 33
        times = MediaItem.objects.values_list("posted_at", flat=True)
        assert sum(at >= wanted for at in times if at) == 50

    def test_to_a_number_of_posts(self, upstream: Upstream) -> None:
        a_past(upstream, 200)
        backfill = go_on(backfilling.start(a_subscription(), until_items=40))
        assert (backfill.state, backfill.items) == (BackfillState.DONE, 66)

    def test_an_old_post_tagged_today_is_no_end(self, upstream: Upstream) -> None:
        a_past(upstream, 60)
        upstream.post(posted_at=NOW - timedelta(days=4000))
        wanted = NOW - timedelta(hours=45)
        backfill = go_on(backfilling.start(a_subscription(), until_date=wanted))
        assert backfill.items == 61
        assert backfill.reached_at is not None
        assert backfill.reached_at > NOW - timedelta(hours=61)

    def test_what_is_known_is_not_stored_again(self, upstream: Upstream) -> None:
        a_past(upstream, 40)
        subscription = a_subscription()
        read(subscription)
        before = JournalEntry.objects.count()
        backfill = go_on(backfilling.start(subscription))
        assert (backfill.items, backfill.new_items) == (40, 0)
        assert JournalEntry.objects.count() == before
        assert Match.objects.count() == 40

    def test_the_budget_of_backfills_is_spent(self, upstream: Upstream) -> None:
        a_past(upstream, 40)
        go_on(backfilling.start(a_subscription()))
        counted = CallCount.objects.filter(purpose=Purpose.BACKFILL)
        assert sum(counted.values_list("calls", flat=True)) == 2

    def test_the_past_is_no_news_on_the_wall(self, upstream: Upstream) -> None:
        a_past(upstream, 1)
        subscription = a_subscription()
        go_on(backfilling.start(subscription))
        upstream.post()
        Feed.objects.filter(pk=subscription.pk).update(dirty_seq=9)
        read(subscription)
        old, new = JournalEntry.objects.filter(kind=JournalKind.ARCHIVED).order_by(
            "seq"
        )
        keep_pictures([old.item_id, new.item_id])
        frames = [
            frame_of(entry, MediaItem.objects.whole().get(pk=entry.item_id))
            for entry in (old, new)
        ]
        assert ['"past":true' in (frame.text if frame else "") for frame in frames] == [
            True,
            False,
        ]

    def test_it_vouches_for_the_time_it_has_read(self, upstream: Upstream) -> None:
        a_past(upstream, 100)
        subscription = a_subscription()
        backfill = go_on(backfilling.start(subscription))
        spans = CoverageSpan.objects.filter(subscription=subscription)
        assert min(span.begins_at for span in spans) == backfill.reached_at
        assert {(span.quality, span.reason) for span in spans} == {
            ("partial", "backfilled")
        }

    def test_reading_the_news_goes_on_beside_it(self, upstream: Upstream) -> None:
        """What a backfill caught is no sign for the reader that it met what it knew."""
        a_past(upstream, 300)
        subscription = a_subscription()
        go_on(backfilling.start(subscription, until_items=99))
        while read(subscription):
            pass
        assert caught(subscription) >= {p.native_id for p in upstream.posts[:99]}


@pytest.mark.also_on_sqlite
@pytest.mark.django_db(transaction=True)
def test_two_workers_never_double(upstream: Upstream) -> None:
    a_past(upstream, 150)
    backfill = backfilling.start(a_subscription())

    def work() -> None:
        epoch = claims.claim(Backfill.objects.due(), backfill.pk, backfill_run.HOLD)
        if epoch is not None:
            backfill_run.read_on(backfill.pk, epoch)

    all_at_once(4, work)
    backfill.refresh_from_db()
    assert (backfill.state, backfill.items, backfill.pages) == ("done", 150, 5)
    archived = JournalEntry.objects.filter(kind=JournalKind.ARCHIVED)
    assert archived.count() == archived.values("item_id").distinct().count() == 150


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_are_not_both_right() -> None:
    backfill = backfilling.start(a_subscription())
    outcomes = all_at_once(4, lambda: backfilling.pause(backfill.pk, "ada"))
    assert sorted(map(str, outcomes)).count("None") == 1
    assert outcomes.count(BackfillRefused) == 3


@pytest.mark.django_db(transaction=True)
def test_the_sweep_rings_for_what_is_due(rung: list[tuple[str, Any]]) -> None:
    resting = backfilling.start(a_subscription("rests"))
    backfilling.pause(resting.pk, "ada")
    due = backfilling.start(
        Subscription.objects.create(
            account=resting.subscription.account,
            provider=resting.subscription.provider,
            tag="due",
            state=State.ACTIVE,
        )
    )
    reconcile()
    assert [pk for name, pk in rung if name == "read_backfill"] == [due.pk]


def test_the_task_reads_and_comes_back_for_the_rest(
    upstream: Upstream, rung: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        backfill_run.read_on,
        "__kwdefaults__",
        {"on_page": lambda _: None, "run_seconds": 0.0},
    )
    a_past(upstream, 70)
    backfill = backfilling.start(a_subscription())
    for pages in (1, 2, 3):
        read_backfill(backfill.pk)
        backfill.refresh_from_db()
        assert backfill.pages == pages
    assert backfill.state == BackfillState.DONE
    read_backfill(backfill.pk)
    assert upstream.count("page") == 3


def test_the_outlook_tells_share_and_time() -> None:
    backfill = backfilling.start(
        a_subscription(), until_date=NOW - timedelta(days=10), until_items=1000
    )
    assert outlook(backfill).share == 0
    backfill.items = 100
    backfill.reached_at = backfill.created_at - timedelta(days=5)
    backfill.last_page_at = backfill.created_at + timedelta(minutes=5)
    ahead = outlook(backfill)
    assert ahead.share == pytest.approx(0.5, abs=0.01)
    assert ahead.left is not None
    assert ahead.left.total_seconds() == pytest.approx(300, abs=3)
    backfill.until_date = backfill.until_items = None
    assert outlook(backfill).share is None
