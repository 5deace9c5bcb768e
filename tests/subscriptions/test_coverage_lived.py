"""What the ledger says after a day of real reading, pausing, refusing and gaps.

No clock is turned: after each step all times in the rows are moved into the past.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db.models import DateTimeField, F
from django.utils import timezone

from subscriptions import lifecycle, transitions
from subscriptions.coverage import coverage
from subscriptions.errors import AuthRefused, BadAnswer, RateLimited
from subscriptions.models import CallCount, CoverageSpan, Gap, State, Subscription
from tests.subscriptions.following import raising
from tests.subscriptions.reading import make_due, read
from tests.subscriptions.upstream import Upstream, an_account, caught

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("upstream", "rung"),
]


def pass_time(minutes: float) -> None:
    """As if so much time went by."""
    for model in apps.get_app_config("subscriptions").get_models():
        times = [f.name for f in model._meta.fields if isinstance(f, DateTimeField)]
        if times and model is not CallCount:
            past = {name: F(name) - timedelta(minutes=minutes) for name in times}
            model._default_manager.update(**past)


@pytest.fixture
def concert(upstream: Upstream) -> Subscription:
    """Followed and confirmed an hour ago, and read to its end just now."""
    made = lifecycle.create(an_account(), "concert", "ada")
    transitions.move(made.pk, State.VERIFYING)
    transitions.move(made.pk, State.ACTIVE)
    pass_time(60)
    upstream.post(3, posted_at=timezone.now() - timedelta(minutes=70))
    read_all(made)
    return made


def read_all(subscription: Subscription) -> None:
    make_due(subscription, rest_until=None)
    while read(subscription):
        pass


def told(minutes: int) -> list[tuple[int, str, str]]:
    """(minutes, quality, reason) of the last so many minutes."""
    now = timezone.now()
    found = coverage("concert", now - timedelta(minutes=minutes), now, now=now)
    return [(s.minutes, s.quality.value, s.reason) for s in found.stretches]


def shares(minutes: int) -> dict[tuple[str, str], int]:
    """The same without order. A minute in which something turns may go either way."""
    counts: dict[tuple[str, str], int] = {}
    for count, *said in told(minutes):
        counts[said[0], said[1]] = counts.get((said[0], said[1]), 0) + count
    return counts


def rows() -> int:
    return CoverageSpan.objects.count()


def test_read_again_and_again_is_one_row_without_a_hole(
    concert: Subscription, upstream: Upstream
) -> None:
    assert shares(90)["complete", ""] in {68, 69, 70}
    for _ in range(3):
        pass_time(10)
        upstream.post(2)
        read_all(concert)
    assert {quality for _, quality, _ in told(95)} <= {"complete", "partial"}
    assert shares(95)["complete", ""] >= 94
    assert rows() == 1
    assert len(caught(concert)) == 9


def test_a_pause_is_blind_and_complete_when_it_was_caught_up(
    concert: Subscription, upstream: Upstream
) -> None:
    lifecycle.pause(concert.pk, "ada")
    upstream.post(4)
    pass_time(10)
    during = shares(20)
    assert during["blind", "paused"] in {9, 10}
    assert during["complete", ""] in {9, 10}
    lifecycle.resume(concert.pk, "ada")
    assert shares(20)["blind", "paused"] in {9, 10}
    read_all(concert)
    after = shares(20)
    assert after["complete", "caught_up"] in {9, 10, 11}
    assert not any(quality == "blind" for quality, _ in after)
    assert len(caught(concert)) == 7
    assert rows() == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RateLimited("Slow down.", retry_after=300), "rate_limited"),
        (AuthRefused("Who are you?"), "credential_refused"),
        (BadAnswer("<html>"), "provider_down"),
    ],
)
def test_what_the_provider_does_to_us_is_told_until_it_is_over(
    concert: Subscription, upstream: Upstream, error: Exception, reason: str
) -> None:
    upstream.before_page = raising(error)
    for _ in range(5 if reason == "provider_down" else 1):
        make_due(concert)
        read(concert)
    pass_time(12)
    assert shares(12)["blind", reason] in {11, 12}
    upstream.before_page = lambda number: None
    upstream.post(2)
    if reason == "credential_refused":
        lifecycle.resume(concert.pk, "ada")
    read_all(concert)
    assert {quality for quality, _ in shares(11)} <= {"complete", "partial"}
    assert shares(11)["complete", "caught_up"] >= 10
    pass_time(5)
    read_all(concert)
    assert told(4)[0][1:] == ("complete", "")


def test_an_open_gap_is_partial_and_closed_it_fills_its_hole(
    concert: Subscription, upstream: Upstream, settings: Any
) -> None:
    settings.PHOTOWALL_PAGES_PER_RUN = 1
    pass_time(20)
    upstream.post(100)
    make_due(concert)
    read(concert)
    assert Gap.objects.filter(closed_at__isnull=True).exists()
    assert shares(20)["partial", "gap_open"] in {19, 20, 21}
    pass_time(5)
    upstream.post(1)
    make_due(concert)
    read(concert)
    assert shares(26)["partial", "gap_open"] >= 19
    settings.PHOTOWALL_PAGES_PER_RUN = 50
    read_all(concert)
    assert not Gap.objects.filter(closed_at__isnull=True).exists()
    assert {quality for quality, _ in shares(25)} <= {"complete", "partial"}
    assert shares(25)["complete", ""] >= 24
    assert len(caught(concert)) == 104
    assert rows() == 1


def test_while_we_are_down_minutes_are_blind_until_they_are_read(
    concert: Subscription, upstream: Upstream, settings: Any
) -> None:
    settings.PHOTOWALL_POLL_SECONDS = settings.PHOTOWALL_POLL_LONGEST = 300
    upstream.post(3)
    pass_time(30)
    down = shares(30)
    assert down["blind", "not_read"] in {23, 24}
    assert down["partial", "not_read_yet"] in {5, 6, 7}
    read_all(concert)
    assert shares(29)["complete", ""] >= 28


def test_a_post_that_cannot_be_read_makes_its_stretch_partial(
    concert: Subscription, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_time(10)
    upstream.post(2)
    upstream.change_page = lambda page: type(page)(
        media=page.media[:-1], newest=page.newest, older=page.older, skipped=1
    )
    read_all(concert)
    assert shares(10)["partial", "unread_posts"] >= 9
    upstream.change_page = lambda page: page
    pass_time(10)
    read_all(concert)
    assert shares(9)["complete", ""] >= 8


def test_ended_it_is_not_followed_any_more(concert: Subscription) -> None:
    lifecycle.end(concert.pk, "ada")
    pass_time(15)
    assert shares(15)["blind", "not_followed"] in {14, 15}
    assert shares(30)["complete", ""] in {14, 15}
