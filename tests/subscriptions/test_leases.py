"""A provider that forgets who does not renew: renewed in time, or told and mended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from media_archive.errors import OutgoingTimeout
from subscriptions import leases, lifecycle, providers, tasks, upkeep
from subscriptions.errors import AuthRefused, RateLimited
from subscriptions.models import Feed, ProviderAccount, State, Subscription
from subscriptions.providers.base import Credentials, UpstreamSubscription
from tests.subscriptions.following import all_at_once, raising
from tests.subscriptions.upstream import (
    KEY,
    PretendProvider,
    Upstream,
    a_subscription,
    an_account,
)

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


class LeasingProvider(PretendProvider):
    """The pretend provider, with leases of ten hours; or it tells none at all."""

    leases = True
    length: timedelta | None = 10 * HOUR

    def subscribe(self, credentials: Credentials, **asked: Any) -> UpstreamSubscription:
        made = super().subscribe(credentials, **asked)
        until = datetime.now(UTC) + self.length if self.length else None
        return UpstreamSubscription(
            made.native_id, made.object, made.object_id, made.callback_url, until
        )


@pytest.fixture
def leasing(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    """The provider's side, with leases."""
    monkeypatch.setattr(LeasingProvider, "length", 10 * HOUR)
    path = f"{LeasingProvider.__module__}.LeasingProvider"
    monkeypatch.setitem(providers.REGISTRY, KEY, path)
    return upstream


def leased(left: timedelta, renew_in: timedelta = -MINUTE) -> Subscription:
    now = datetime.now(UTC)
    subscription = a_subscription()
    Subscription.objects.update(
        lease_until=now + left, renew_at=now + renew_in, state_since=now - 5 * HOUR
    )
    subscription.refresh_from_db()
    return subscription


def fresh(subscription: Subscription) -> Subscription:
    subscription.refresh_from_db()
    return subscription


def challenge(subscription: Subscription, **said: str) -> int:
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": "abc",
        "hub.verify_token": subscription.verify_token,
    } | {f"hub.{name}": value for name, value in said.items()}
    path = f"/callbacks/{subscription.callback_id}/"
    return Client().get(path, query).status_code


@pytest.mark.parametrize(
    ("length", "least", "most"),
    [
        (10 * HOUR, 3.3, 3.7),
        (30 * MINUTE, 1 / 6, 0.19),
        (10 * MINUTE, 1 / 12, 0.1),
    ],
)
def test_a_third_is_left_or_ten_minutes_or_half(
    length: timedelta, least: float, most: float
) -> None:
    until = datetime.now(UTC) + length
    left = (until - leases.renew_time(until)) / HOUR
    assert least * 0.99 <= left <= most


def test_the_lease_is_kept_when_followed(leasing: Upstream) -> None:
    made = lifecycle.create(an_account(), "nofilter", "ada")
    lifecycle.request(made.pk)
    assert fresh(made).state == State.ACTIVE
    assert made.lease_until is not None and made.renew_at is not None
    assert datetime.now(UTC) + 6 * HOUR < made.renew_at < made.lease_until
    assert not leases.renewals_due().exists()


def test_a_lease_is_renewed_while_it_stays_active(leasing: Upstream) -> None:
    subscription = leased(3 * HOUR)
    assert challenge(subscription) == 404, "nobody asked for it"
    asked: list[int] = []
    leasing.on_subscribe = lambda url, token: asked.append(challenge(subscription))
    leasing.native_id = "99"
    assert list(leases.renewals_due()) == [subscription]
    assert leases.renew(subscription.pk)
    assert asked == [200]
    assert fresh(subscription).state == State.ACTIVE
    assert subscription.upstream_id == "99"
    assert subscription.lease_until is not None
    assert subscription.lease_until > datetime.now(UTC) + 9 * HOUR
    assert not subscription.events.exists(), "no state has changed"
    assert not leases.renew(subscription.pk), "it is renewed"
    assert leasing.count("subscribe") == 1


def test_what_has_no_lease_is_never_renewed(leasing: Upstream) -> None:
    subscription = a_subscription()
    assert not leases.renewals_due().exists()
    assert not leases.renew(subscription.pk)
    assert upkeep.run_out() == []
    assert leasing.calls == []


@pytest.mark.parametrize("state", [s for s in State if s != State.ACTIVE])
def test_only_what_is_active_is_renewed(leasing: Upstream, state: State) -> None:
    subscription = leased(HOUR)
    Subscription.objects.update(state=state)
    assert not leases.renew(subscription.pk)
    assert leasing.calls == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.also_on_sqlite
def test_of_many_workers_one_renews(leasing: Upstream) -> None:
    subscription = leased(HOUR)
    results = all_at_once(4, lambda: leases.renew(subscription.pk))
    assert results.count(True) == 1
    assert leasing.count("subscribe") == 1


@pytest.mark.parametrize(
    ("error", "least"),
    [
        (OutgoingTimeout("nothing came"), 0),
        (RateLimited("slow down", retry_after=90), 89),
    ],
)
def test_a_renewal_that_fails_is_tried_again(
    leasing: Upstream, error: Exception, least: int
) -> None:
    subscription = leased(HOUR)
    leasing.on_subscribe = raising(error)
    assert not leases.renew(subscription.pk)
    assert fresh(subscription).renew_failures == 1
    assert subscription.renew_at is not None
    wait = (subscription.renew_at - datetime.now(UTC)).total_seconds()
    assert least <= wait <= 900
    assert not leases.renewals_due().exists()
    Subscription.objects.update(renew_at=datetime.now(UTC) - MINUTE)
    ProviderAccount.objects.update(paused_until=None)
    leasing.on_subscribe = lambda url, token: None
    assert leases.renew(subscription.pk)
    assert fresh(subscription).renew_failures == 0


def test_a_refused_credential_suspends(leasing: Upstream) -> None:
    subscription = leased(HOUR)
    leasing.on_subscribe = raising(AuthRefused("revoked"))
    assert not leases.renew(subscription.pk)
    assert fresh(subscription).state == State.SUSPENDED
    assert "Mend the account" in subscription.state_reason


def test_an_end_meanwhile_outranks_the_renewal(leasing: Upstream) -> None:
    subscription = leased(HOUR)
    leasing.on_subscribe = lambda url, token: lifecycle.end(subscription.pk, "ada")
    assert not leases.renew(subscription.pk)
    assert fresh(subscription).state == State.ENDING
    assert subscription.renew_failures == 0


def test_a_lease_that_ran_out_is_asked_for_anew(
    leasing: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    subscription = leased(HOUR)
    assert upkeep.run_out() == []
    Subscription.objects.update(lease_until=datetime.now(UTC) - MINUTE)
    assert upkeep.run_out() == [subscription.pk]
    assert upkeep.run_out() == []
    assert "ran out" in caplog.text
    assert fresh(subscription).state == State.REQUESTED
    assert (subscription.lease_until, subscription.renew_at) == (None, None)
    assert "lease ran out" in subscription.state_reason
    assert lifecycle.request(subscription.pk)
    assert fresh(subscription).state == State.ACTIVE
    assert subscription.lease_until is not None
    assert Feed.objects.due().exists()


def test_the_lease_is_told_by_the_challenge(
    leasing: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LeasingProvider, "length", None)
    made = lifecycle.create(an_account(), "nofilter", "ada")
    asked: list[int] = []
    leasing.on_subscribe = lambda url, token: asked.append(
        challenge(made, lease_seconds="864000")
    )
    lifecycle.request(made.pk)
    assert asked == [200]
    assert fresh(made).state == State.ACTIVE
    assert made.lease_until is not None and made.renew_at is not None
    days = (made.lease_until - datetime.now(UTC)).total_seconds() / 86_400
    assert 9.9 < days <= 10


@pytest.mark.parametrize(
    "text", ["", "0", "-5", "abc", "1e9", "²", "9" * 30, "3.5", "0x10"]
)
def test_an_odd_lease_is_none(leasing: Upstream, text: str) -> None:
    subscription = leased(HOUR)
    Subscription.objects.update(challenge_asked_at=datetime.now(UTC))
    before = fresh(subscription).lease_until
    assert challenge(subscription, lease_seconds=text) == 200
    assert fresh(subscription).lease_until == before
    assert challenge(subscription, lease_seconds="7200") == 200
    assert fresh(subscription).lease_until != before


def test_who_has_no_leases_is_told_none(upstream: Upstream) -> None:
    subscription = a_subscription()
    Subscription.objects.update(challenge_asked_at=datetime.now(UTC))
    assert challenge(subscription, lease_seconds="7200") == 200
    assert fresh(subscription).lease_until is None


def test_a_lease_in_the_list_is_taken_over(leasing: Upstream) -> None:
    subscription = leased(HOUR)
    until = datetime.now(UTC) + 30 * HOUR
    leasing.known = [
        UpstreamSubscription(
            "18234411",
            "tag",
            "nofilter",
            lifecycle.callback_url(subscription),
            until,
        )
    ]
    upkeep.look_after(subscription.account_id)
    assert fresh(subscription).lease_until == until
    assert not leases.renewals_due().exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.also_on_sqlite
def test_the_sweep_rings_for_renewals(leasing: Upstream, rung: list[Any]) -> None:
    subscription = leased(HOUR)
    ProviderAccount.objects.update(upkeep_at=datetime.now(UTC) + HOUR)
    tasks.upkeep()
    assert rung == [("renew_lease", subscription.pk)]
    tasks.renew_lease(subscription.pk)
    assert leasing.count("subscribe") == 1
    rung.clear()
    Subscription.objects.update(lease_until=datetime.now(UTC) - MINUTE)
    tasks.upkeep()
    assert rung == [("request_subscription", subscription.pk)]
