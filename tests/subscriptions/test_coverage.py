"""Coverage of a tag out of the rows: lives, accounts, gaps, the present."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from media_archive.errors import InvalidTag
from subscriptions import ledger
from subscriptions.coverage import LONGEST, Coverage, CoverageRefused, coverage
from subscriptions.models import (
    CoverageSpan,
    Feed,
    Gap,
    GapKind,
    Hindrance,
    ProviderAccount,
    Quality,
    State,
    Subscription,
    SubscriptionEvent,
)
from tests.subscriptions.upstream import a_subscription, an_account

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def followed(
    tag: str = "nofilter",
    since: float = -600,
    state: State = State.ACTIVE,
    account: ProviderAccount | None = None,
    **changes: Any,
) -> Subscription:
    made = a_subscription(tag, state, account)
    Subscription.objects.filter(pk=made.pk).update(
        created_at=at(since), state_since=at(since), **changes
    )
    made.refresh_from_db()
    return made


def read(subscription: Subscription, begin: float, end: float, **said: Any) -> None:
    ledger.covered(subscription.pk, at(begin), at(end), read_at=at(end), **said)


def hindered(reason: str, begin: float, end: float | None, **key: Any) -> None:
    ended_at = None if end is None else at(end)
    Hindrance.objects.create(
        reason=reason, began_at=at(begin), ended_at=ended_at, **key
    )


def happened(subscription: Subscription, after: State, minute: float) -> None:
    SubscriptionEvent.objects.create(
        subscription=subscription, before="", after=after, at=at(minute)
    )


def ask(
    since: float = 0, until: float = 60, now: float = 600, tag: str = "nofilter"
) -> Coverage:
    return coverage(tag, at(since), at(until), now=at(now))


def told(found: Coverage) -> list[tuple[int, str, str]]:
    """(minutes, quality, reason) of each stretch."""
    return [(s.minutes, s.quality.value, s.reason) for s in found.stretches]


@pytest.mark.parametrize(
    ("since", "until", "field", "words"),
    [
        (10, 10, "until", "ends .* before it begins"),
        (10, 5, "until", "ends .* before it begins"),
        (600, 700, "since", "future"),
        (-1e6, 600, "since", "longer than 366 days"),
    ],
)
def test_periods_that_cannot_be_answered(
    since: float, until: float, field: str, words: str
) -> None:
    followed()
    assert told(ask(599.99, 700)) == [(1, "partial", "not_read_yet")]
    with pytest.raises(CoverageRefused, match=words) as refused:
        ask(since, until)
    assert refused.value.field == field
    assert "UTC" in refused.value.message or field == "since"


def test_an_end_in_the_future_is_named_where_no_beginning_was_said() -> None:
    followed()
    with pytest.raises(CoverageRefused, match="24 hours before") as refused:
        coverage("nofilter", until=at(24 * 60 + 601), now=at(600))
    assert refused.value.field == "until"
    found = coverage("nofilter", until=at(24 * 60 + 590), now=at(600))
    assert (found.since, found.until) == (at(590), at(600))


def test_bad_tags_and_naive_times() -> None:
    with pytest.raises(InvalidTag):
        coverage("##")
    naive = datetime(2026, 11, 20)  # noqa: DTZ001  on purpose
    for since, until in ((naive, None), (None, naive)):
        with pytest.raises(CoverageRefused, match="offset"):
            coverage("nofilter", since, until)


def test_a_tag_that_was_never_followed() -> None:
    found = ask(tag="#Nowhere")
    assert (found.tag, found.followed, found.providers) == ("nowhere", False, [])
    assert told(found) == [(60, "blind", "not_followed")]
    assert found.minutes == {"complete": 0, "partial": 0, "blind": 60}
    assert found.share_complete == 0.0
    alone = coverage("nowhere", at(0), at(60), "instagram_v1", now=at(600))
    assert (alone.followed, told(alone)) == (False, told(found))


def test_the_period_is_whole_minutes_of_the_past() -> None:
    followed()
    found = ask(0.5, 60.5)
    assert (found.since, found.until) == (at(0), at(61))
    found = ask(0, 9000, now=7.9)
    assert found.until == at(7)
    found = coverage("nofilter", now=at(0.2))
    assert (found.since, found.until) == (at(-24 * 60), at(0))
    longest = coverage("nofilter", at(0) - LONGEST, at(0), now=at(0))
    assert sum(longest.minutes.values()) == 366 * 24 * 60


@pytest.mark.also_on_sqlite
def test_each_quality_and_reason() -> None:
    one = followed(since=0.5)
    read(one, 0.5, 20)
    read(one, 40, 50.5)
    hindered("rate_limited", 25, 30, account=one.account)
    hindered("paused", 29, 35.5, subscription=one)
    hindered("provider_down", 10, 12, account=one.account)
    Gap.objects.create(feed_id=one.pk, covers_from=at(55), opened_at=at(57), older="7")
    assert told(ask(-5, 60)) == [
        (5, "blind", "not_followed"),
        (1, "partial", "not_read"),
        (9, "complete", ""),
        (2, "complete", "caught_up"),
        (8, "complete", ""),
        (5, "blind", "not_read"),
        (4, "blind", "rate_limited"),
        (7, "blind", "paused"),
        (4, "blind", "not_read"),
        (10, "complete", ""),
        (1, "partial", "not_read"),
        (4, "blind", "not_read"),
        (2, "partial", "gap_open"),
        (3, "blind", "not_read"),
    ]
    found = ask(-5, 60)
    assert found.minutes == {"complete": 29, "partial": 4, "blind": 32}
    assert found.share_complete == pytest.approx(29 / 65)
    caught_up = next(s for s in found.stretches if s.reason == "caught_up")
    assert caught_up.detail == (
        "The provider did not answer as it should. Read afterwards."
    )


def test_a_gap_costs_nothing_where_it_is_closed_or_known() -> None:
    one = followed()
    read(one, 0, 60)
    for changes in (
        {"closed_at": at(40)},
        {"kind": GapKind.OVERLAP},
        {"covers_from": at(10)},
    ):
        usual = {"covers_from": at(-90), "opened_at": at(50)}
        Gap.objects.create(feed_id=one.pk, **(usual | changes))
    assert told(ask()) == [(60, "complete", "")]
    assert told(ask(-30, 0)) == [(30, "blind", "not_read")]
    Gap.objects.create(feed_id=one.pk, covers_from=None, opened_at=at(-10))
    assert told(ask(-30, 0)) == [
        (20, "partial", "gap_open"),
        (10, "blind", "not_read"),
    ]


def test_what_is_young_need_not_have_been_read(settings: Any) -> None:
    settings.PHOTOWALL_POLL_SECONDS = 300
    one = followed()
    read(one, 0, 52)
    assert told(ask(now=60)) == [
        (52, "complete", ""),
        (2, "blind", "not_read"),
        (6, "partial", "not_read_yet"),
    ]
    Feed.objects.filter(pk=one.pk).update(
        last_fetched_at=at(52), next_poll_at=at(52 + 20)
    )
    assert told(ask(now=60)) == [(52, "complete", ""), (8, "partial", "not_read_yet")]
    hindered("rate_limited", 57, None, account=one.account)
    assert told(ask(now=60))[-2:] == [
        (5, "partial", "not_read_yet"),
        (3, "blind", "rate_limited"),
    ]
    Subscription.objects.update(state=State.PAUSED)
    assert told(ask(now=60))[1] == (5, "blind", "not_read")


def test_while_we_were_down_nothing_is_known_until_it_is_read() -> None:
    """No row says that workers were away: only that nobody has read."""
    one = followed()
    read(one, -60, 0)
    assert told(ask(now=200, until=180)) == [(180, "blind", "not_read")]
    read(one, 0, 200)
    assert told(ask(now=200, until=200)) == [
        (110, "complete", "read_within_6h"),
        (90, "complete", ""),
    ]


def test_an_account_hinders_only_while_the_tag_is_followed_with_it() -> None:
    one = followed(since=30)
    other = an_account(name="Another")
    hindered("rate_limited", 0, 60, account=one.account)
    hindered("credential_refused", 0, 60, account=other)
    assert told(ask()) == [
        (30, "blind", "not_followed"),
        (30, "blind", "rate_limited"),
    ]


@pytest.mark.also_on_sqlite
def test_ended_and_followed_anew_is_one_story() -> None:
    old = followed(since=0, state=State.ENDED)
    Subscription.objects.filter(pk=old.pk).update(state_since=at(25))
    happened(old, State.ENDING, 20)
    happened(old, State.ENDED, 25)
    read(old, 0, 20)
    new = followed(since=40, account=old.account)
    read(new, 38, 50)
    assert told(ask(-2, 60, now=56)) == [
        (2, "blind", "not_followed"),
        (20, "complete", ""),
        (18, "blind", "not_followed"),
        (12, "complete", ""),
        (6, "partial", "not_read_yet"),
    ]


@pytest.mark.parametrize("state", [State.REQUESTED, State.FAILED, State.VERIFYING])
def test_what_the_provider_never_confirmed(state: State) -> None:
    followed(since=10, state=state)
    assert told(ask()) == [
        (10, "blind", "not_followed"),
        (50, "blind", "not_connected"),
    ]


def test_before_the_provider_confirmed_it() -> None:
    one = followed(since=10)
    happened(one, State.ACTIVE, 15)
    happened(one, State.ACTIVE, 40)
    read(one, 12, 60)
    assert told(ask()) == [
        (10, "blind", "not_followed"),
        (2, "blind", "not_connected"),
        (3, "complete", "caught_up"),
        (45, "complete", ""),
    ]


def test_silence_is_a_note_and_lost_posts_are_not() -> None:
    one = followed()
    read(one, 0, 60)
    hindered("silent", 10, 20, subscription=one)
    hindered("unread_posts", 30, 40, subscription=one)
    found = ask(0, 50)
    assert told(found) == [
        (10, "complete", ""),
        (10, "complete", "silent"),
        (10, "complete", ""),
        (10, "partial", "unread_posts"),
        (10, "complete", ""),
    ]
    assert "notifications were lost" in found.stretches[1].detail


def test_several_providers_each_and_together() -> None:
    one = followed()
    other = Subscription.objects.create(
        account=one.account,
        provider="elsewhere",
        tag="nofilter",
        state=State.PAUSED,
        created_at=at(20),
    )
    read(one, 0, 50)
    hindered("paused", 30, None, subscription=other)
    Subscription.objects.filter(pk=other.pk).update(created_at=at(20))
    found = ask()
    assert told(found) == [
        (20, "complete", ""),
        (10, "blind", "not_read"),
        (30, "blind", "paused"),
    ]
    assert [each.provider for each in found.providers] == ["elsewhere", "instagram_v1"]
    alone = coverage("nofilter", at(0), at(60), "instagram_v1", now=at(600))
    assert told(alone) == told(found.providers[1])
    assert alone.minutes["complete"] == 50


def test_many_rows_take_few_queries() -> None:
    one = followed(since=-9000)
    CoverageSpan.objects.bulk_create(
        CoverageSpan(
            subscription=one, begins_at=at(n), ends_at=at(n + 0.5), read_at=at(n)
        )
        for n in range(-800, 0)
    )
    Hindrance.objects.bulk_create(
        Hindrance(
            account=one.account,
            reason="rate_limited",
            began_at=at(n),
            ended_at=at(n + 0.9),
        )
        for n in range(-800, 0)
    )
    with CaptureQueriesContext(connection) as queries:
        found = ask(-1000, 10, now=10)
    assert len(queries) <= 5
    assert found.minutes["partial"] >= 800
    assert found.stretches[1].reason == "rate_limited"
    assert found.stretches[1].quality == Quality.PARTIAL
