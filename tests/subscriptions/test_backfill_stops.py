"""What stops a backfill, and how it goes on: kills, pauses, errors, endings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from media_archive import claims
from media_archive.models import MediaItem
from subscriptions import backfill_run, backfilling, lifecycle
from subscriptions.errors import (
    AuthRefused,
    BadAnswer,
    RateLimited,
)
from subscriptions.models import (
    Backfill,
    BackfillState,
    State,
)
from tests.subscriptions.past import NOW, a_past, go_on
from tests.subscriptions.reading import Killed
from tests.subscriptions.upstream import Upstream, a_subscription

pytestmark = pytest.mark.django_db


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
