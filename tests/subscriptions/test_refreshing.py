"""Posts are read again for pictures whose addresses have expired."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from media_archive.errors import OutgoingTimeout
from media_archive.models import (
    Author,
    Download,
    DownloadState,
    JournalEntry,
    JournalKind,
    MediaAsset,
    MediaItem,
)
from subscriptions import refreshing
from subscriptions.models import (
    CallCount,
    Match,
    ProviderAccount,
    State,
    Subscription,
)
from subscriptions.providers.instagram_v1.provider import InstagramV1
from tests.subscriptions.expired import (
    HOUR,
    calls_counted,
    caught,
    downloads,
    hours_pass,
    signed,
)
from tests.subscriptions.upstream import Upstream, a_subscription, an_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription() -> Subscription:
    return a_subscription()


@pytest.mark.also_on_sqlite
def test_a_new_address_is_handed_on_and_nobody_is_told(
    upstream: Upstream, subscription: Subscription
) -> None:
    record = caught(subscription)
    upstream.posts = [signed(record, "new")]
    entries = JournalEntry.objects.count()

    assert refreshing.refresh_due() == 1

    (row,) = downloads()
    assert (row.state, row.next_attempt_at, row.claim_until) == ("pending", None, None)
    assert "oh=new" in MediaAsset.objects.get().sources[0]["url"]
    assert JournalEntry.objects.count() == entries
    assert MediaItem.objects.get().revision == 1
    assert upstream.calls == [("item", {"native_id": record.native_id})]
    assert calls_counted() == 1


def test_an_album_is_read_once_for_all_its_pictures(
    upstream: Upstream, subscription: Subscription
) -> None:
    record = caught(subscription, pictures=3)
    upstream.posts = [signed(record, "new", 3)]
    refreshing.refresh_due()
    assert [row.state for row in downloads()] == ["pending"] * 3
    assert upstream.count("item") == 1


@pytest.mark.also_on_sqlite
def test_a_post_is_read_again_once_an_hour(
    upstream: Upstream, subscription: Subscription
) -> None:
    record = caught(subscription)
    upstream.posts = [signed(record, "new")]
    refreshing.refresh_due()
    Download.objects.filter(role="picture").update(state=DownloadState.REFRESH)

    for _ in range(3):
        assert refreshing.refresh_due() == 0
    (row,) = downloads()
    assert row.state == "refresh"
    assert row.next_attempt_at is not None
    assert HOUR - (row.next_attempt_at - timezone.now()) < timedelta(minutes=1)

    hours_pass()
    upstream.posts = [signed(record, "newer")]
    assert refreshing.refresh_due() == 1
    assert downloads()[0].state == "pending"
    assert upstream.count("item") == 2


def test_a_picture_that_fails_later_waits_for_its_post_s_hour(
    upstream: Upstream, subscription: Subscription
) -> None:
    record = caught(subscription, pictures=2)
    _, second = downloads()
    Download.objects.filter(pk=second.pk).update(state=DownloadState.READY)
    upstream.posts = [signed(record, "new", 2)]
    refreshing.refresh_due()
    Download.objects.filter(pk=second.pk).update(state=DownloadState.REFRESH)
    refreshing.refresh_due()
    assert upstream.count("item") == 1
    assert [row.state for row in downloads()] == ["pending", "refresh"]


def test_the_same_address_again_is_tried_by_the_schedule_and_given_up(
    upstream: Upstream, subscription: Subscription
) -> None:
    record = caught(subscription)
    upstream.posts = [signed(record, "old")]
    refreshing.refresh_due()
    (row,) = downloads()
    assert (row.state, row.reason) == ("pending", "expired")
    assert row.detail == "The provider names no other address."
    assert row.next_attempt_at is not None

    hours_pass()
    Download.objects.filter(pk=row.pk).update(state=DownloadState.REFRESH, attempts=6)
    refreshing.refresh_due()
    (row,) = downloads()
    assert (row.state, row.reason) == ("failed", "expired")
    assert MediaAsset.objects.get().state == "failed"


@pytest.mark.also_on_sqlite
def test_a_post_that_is_gone_takes_its_pictures_along_and_no_portrait(
    upstream: Upstream, subscription: Subscription
) -> None:
    caught(subscription, pictures=2)
    Download.objects.update(state=DownloadState.REFRESH)
    refreshing.refresh_due()
    assert [row.state for row in downloads()] == ["gone", "gone"]
    assert {row.reason for row in downloads()} == {"item_gone"}
    assert downloads()[0].detail == "invalid media id"
    told = JournalEntry.objects.filter(kind=JournalKind.PICTURED)
    assert [entry.detail["state"] for entry in told] == ["gone", "gone"]
    assert Download.objects.get(role="avatar").state != "gone"
    assert upstream.count("item") == 1


def test_a_portrait_has_its_address_from_the_newest_post(
    upstream: Upstream, subscription: Subscription
) -> None:
    caught(subscription)
    newest = caught(subscription)
    Download.objects.update(state=DownloadState.READY)
    Download.objects.filter(role="avatar").update(state=DownloadState.REFRESH)
    upstream.posts = [signed(newest, "new")]
    refreshing.refresh_due()
    assert upstream.calls == [("item", {"native_id": newest.native_id})]
    assert Download.objects.get(role="avatar").state == "pending"
    assert "oh=new" in (Author.objects.get().avatar_url or "")


def test_an_edit_on_the_way_is_told(
    upstream: Upstream, subscription: Subscription
) -> None:
    record = caught(subscription)
    upstream.posts = [signed(replace(record, caption="Edited."), "new")]
    refreshing.refresh_due()
    item = MediaItem.objects.get()
    assert (item.caption, item.revision) == ("Edited.", 2)
    assert downloads()[0].state == "pending"


# Who may read


def test_what_nobody_caught_is_tried_by_the_schedule(upstream: Upstream) -> None:
    caught(None)
    assert refreshing.refresh_due() == 0
    (row,) = downloads()
    assert row.state == "pending"
    assert row.detail == "No active account can read its post again."
    assert upstream.calls == []


@pytest.mark.parametrize("state", [State.PAUSED, State.SUSPENDED, State.ENDED])
def test_an_account_that_follows_nothing_is_not_used(
    upstream: Upstream, state: State
) -> None:
    record = caught(a_subscription(state=state))
    upstream.posts = [signed(record, "new")]
    assert refreshing.refresh_due() == 0
    assert upstream.calls == []
    assert downloads()[0].state == "pending"


def test_a_tag_that_was_left_is_read_with_an_account_that_follows_another(
    upstream: Upstream,
) -> None:
    account = an_account()
    record = caught(a_subscription("left", State.ENDED, account))
    a_subscription("followed", account=account)
    upstream.posts = [signed(record, "new")]
    assert refreshing.refresh_due() == 1
    assert downloads()[0].state == "pending"


def test_a_provider_that_reads_no_items_is_not_asked(
    upstream: Upstream, subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught(subscription)
    monkeypatch.setattr(InstagramV1, "reads_items", False)
    assert refreshing.refresh_due() == 0
    assert upstream.calls == []
    assert downloads()[0].state == "pending"


@pytest.mark.parametrize(
    "trouble",
    [
        {"paused_until": Now() + timedelta(seconds=500)},
        {"breaker_until": Now() + timedelta(seconds=500)},
        {"hourly_limit": 0},
    ],
    ids=["paused", "breaker", "budget"],
)
def test_who_may_not_call_now_waits_and_the_hour_does_not_begin(
    upstream: Upstream, subscription: Subscription, trouble: dict[str, Any]
) -> None:
    record = caught(subscription)
    upstream.posts = [signed(record, "new")]
    accounts = ProviderAccount.objects.filter(pk=subscription.account_id)
    accounts.update(**trouble)

    assert refreshing.refresh_due() == 0
    (row,) = downloads()
    assert (row.state, row.refreshed_at, row.claim_until) == ("refresh", None, None)
    assert row.next_attempt_at is not None
    assert row.next_attempt_at > timezone.now()
    assert upstream.calls == []

    accounts.update(paused_until=None, breaker_until=None, hourly_limit=None)
    Download.objects.update(next_attempt_at=None)
    assert refreshing.refresh_due() == 1
    assert downloads()[0].state == "pending"


def test_half_of_the_budget_is_left_to_the_tags(
    upstream: Upstream, subscription: Subscription
) -> None:
    accounts = ProviderAccount.objects.filter(pk=subscription.account_id)
    accounts.update(hourly_limit=4)
    records = [caught(subscription) for _ in range(5)]
    upstream.posts = [signed(record, "new") for record in records]
    assert refreshing.refresh_due() == 2
    assert upstream.count("item") == 2


def test_another_account_is_asked_when_the_first_may_not_call(
    upstream: Upstream, subscription: Subscription
) -> None:
    record = caught(subscription)
    upstream.posts = [signed(record, "new")]
    ProviderAccount.objects.update(paused_until=Now() + HOUR)
    other = a_subscription("other", account=an_account(name="Other"))
    Match.objects.create(subscription=other, item=MediaItem.objects.get())
    assert refreshing.refresh_due() == 1
    assert CallCount.objects.get().account_id == other.account_id


def test_a_provider_in_trouble_is_asked_again_after_an_hour(
    upstream: Upstream, subscription: Subscription
) -> None:
    record = caught(subscription)

    def silent(_: int) -> None:
        raise OutgoingTimeout("api.example:443 did not answer in time.")

    upstream.before_page = silent
    assert refreshing.refresh_due() == 1
    (row,) = downloads()
    assert (row.state, row.attempts) == ("refresh", 1)
    assert row.detail == "api.example:443 did not answer in time."
    assert ProviderAccount.objects.get().failures == 1
    assert refreshing.refresh_due() == 0

    upstream.before_page = lambda _: None
    upstream.posts = [signed(record, "new")]
    hours_pass()
    refreshing.refresh_due()
    assert downloads()[0].state == "pending"
