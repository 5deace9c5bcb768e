"""A tag's past: read once, in pages, paused, killed, resumed, to its target."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from media_archive import claims
from media_archive.live.frames import frame_of
from media_archive.models import JournalEntry, JournalKind, MediaItem
from subscriptions import backfill_run, backfilling, lifecycle
from subscriptions.backfill_outlook import outlook
from subscriptions.errors import (
    AuthRefused,
    BackfillRefused,
    BadAnswer,
    RateLimited,
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
from tests.subscriptions.following import all_at_once, in_state
from tests.subscriptions.reading import Killed, read
from tests.subscriptions.upstream import Upstream, a_subscription, caught

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


def a_past(
    upstream: Upstream, count: int, step: timedelta = timedelta(hours=1)
) -> None:
    """``count`` posts, one every ``step``, the newest a step ago."""
    for number in range(count, 0, -1):
        upstream.post(posted_at=NOW - number * step)


def go_on(backfill: Backfill, **more: Any) -> Backfill:
    """One worker's run, as if the waiting were over."""
    Backfill.objects.filter(pk=backfill.pk).update(next_attempt_at=None)
    epoch = claims.claim(Backfill.objects.due(), backfill.pk, backfill_run.HOLD)
    assert epoch is not None, "it is not due"
    backfill_run.read_on(backfill.pk, epoch, **more)
    backfill.refresh_from_db()
    return backfill


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


class TestStops:
    @pytest.mark.also_on_sqlite
    def test_a_killed_worker_is_followed_at_the_last_page(
        self, upstream: Upstream
    ) -> None:
        a_past(upstream, 200)
        subscription = a_subscription()
        backfill = backfilling.start(subscription)

        def kill(number: int) -> None:
            if number == 4:
                raise Killed

        upstream.before_page = kill
        with pytest.raises(Killed):
            go_on(backfill)
        backfill.refresh_from_db()
        assert backfill.pages == 3
        assert claims.claim(Backfill.objects.due(), backfill.pk, 45) is None
        upstream.before_page = lambda number: None
        Backfill.objects.update(claim_until=timezone.now() - timedelta(seconds=1))
        go_on(backfill)
        assert (backfill.state, backfill.items) == (BackfillState.DONE, 200)
        olders = [said["older"] for said in upstream.pages()]
        assert olders[3] == olders[4], "the page that was lost, and no other, again"
        assert len(set(olders)) == len(olders) - 1

    def test_a_pause_in_mid_page_writes_nothing(self, upstream: Upstream) -> None:
        a_past(upstream, 200)
        backfill = backfilling.start(a_subscription())

        def pause(number: int) -> None:
            if number == 3:
                backfilling.pause(backfill.pk, "ada")

        upstream.before_page = pause
        go_on(backfill)
        assert (backfill.state, backfill.pages) == (BackfillState.PAUSED, 2)
        assert MediaItem.objects.count() == 66
        assert claims.claim(Backfill.objects.due(), backfill.pk, 45) is None
        backfilling.resume(backfill.pk, "ada")
        assert go_on(backfill).items == 200

    def test_a_rate_limit_is_waited_out(self, upstream: Upstream) -> None:
        a_past(upstream, 40)
        backfill = backfilling.start(a_subscription())
        limited = True

        def limit(_: int) -> None:
            if limited:
                raise RateLimited("slowly", retry_after=120)

        upstream.before_page = limit
        go_on(backfill)
        assert (backfill.state, backfill.failures) == (BackfillState.RUNNING, 0)
        assert backfill.next_attempt_at is not None
        assert backfill.next_attempt_at > timezone.now() + timedelta(seconds=100)

    def test_bad_answers_are_tried_again_and_then_a_person_decides(
        self, upstream: Upstream
    ) -> None:
        a_past(upstream, 40)
        subscription = a_subscription()
        backfill = backfilling.start(subscription)

        def fail(_: int) -> None:
            raise BadAnswer("<html>")

        upstream.before_page = fail
        for _ in range(backfill_run.GIVE_UP):
            subscription.account.__class__.objects.update(breaker_until=None)
            go_on(backfill)
        assert backfill.state == BackfillState.FAILED
        assert backfill.state_reason
        upstream.before_page = lambda number: None
        subscription.account.__class__.objects.update(breaker_until=None)
        backfilling.resume(backfill.pk, "ada")
        assert go_on(backfill).items == 40

    def test_a_refused_credential_suspends_and_a_new_one_goes_on(
        self, upstream: Upstream
    ) -> None:
        a_past(upstream, 200)
        subscription = a_subscription()
        backfill = backfilling.start(subscription)

        def refuse(number: int) -> None:
            if number == 3:
                raise AuthRefused("The access_token is invalid.")

        upstream.before_page = refuse
        go_on(backfill)
        subscription.refresh_from_db()
        assert subscription.state == State.SUSPENDED
        assert (backfill.state, backfill.pages) == (BackfillState.RUNNING, 2)
        assert claims.claim(Backfill.objects.due(), backfill.pk, 45) is None
        lifecycle.resume(subscription.pk, "ada")
        assert go_on(backfill).items == 200

    @pytest.mark.parametrize("length", [1, 2, 3, 5])
    def test_a_listing_in_a_circle_is_an_error(
        self, upstream: Upstream, length: int
    ) -> None:
        """Also over many runs, each with one page."""
        a_past(upstream, 300)
        backfill = backfilling.start(a_subscription())
        places: list[str | None] = []

        def turn(page: Any) -> Any:
            if len(places) < length:
                places.append(page.older)
            elif page.older not in places:
                return type(page)(media=page.media, older=places[0])
            return page

        upstream.change_page = turn
        for _ in range(8 * length):
            if backfill.state != BackfillState.RUNNING or backfill.failures:
                break
            go_on(backfill, run_seconds=0.0)
        assert "The listing leads" in backfill.last_error
        assert (backfill.state == BackfillState.FAILED) == (length > 1)
        upstream.change_page = lambda page: page
        if length > 1:
            backfilling.resume(backfill.pk, "ada")
        assert go_on(backfill).state == BackfillState.DONE

    def test_one_page_of_old_posts_is_not_the_date(self, upstream: Upstream) -> None:
        a_past(upstream, 80)
        upstream.post(33, posted_at=NOW - timedelta(days=4000))
        wanted = NOW - timedelta(hours=30)
        backfill = go_on(backfilling.start(a_subscription(), until_date=wanted))
        assert backfill.items > 33 + 30
        times = MediaItem.objects.values_list("posted_at", flat=True)
        assert sum(at >= wanted for at in times if at) == 30

    @pytest.mark.django_db(transaction=True)
    def test_a_database_that_fails_is_no_failure_of_the_backfill(
        self, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_past(upstream, 40)
        backfill = backfilling.start(a_subscription())

        def fail(*_: Any, **__: Any) -> None:
            raise OperationalError("database is locked")

        with monkeypatch.context() as broken:
            broken.setattr("subscriptions.page_store.ingest.store", fail)
            with pytest.raises(OperationalError):
                go_on(backfill)
        backfill.refresh_from_db()
        assert (backfill.state, backfill.failures) == (BackfillState.RUNNING, 0)
        assert go_on(backfill).items == 40


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
