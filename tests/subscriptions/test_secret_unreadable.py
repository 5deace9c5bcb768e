"""A process that has another key cannot read, and suspends nothing by that."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from subscriptions import (
    backfill_run,
    backfilling,
    leases,
    lifecycle,
    requesting,
    upkeep,
)
from subscriptions.errors import AuthRefused
from subscriptions.models import (
    Backfill,
    BackfillState,
    CallCount,
    Feed,
    ProviderAccount,
    State,
    Subscription,
)
from tests.subscriptions.following import in_state, raising
from tests.subscriptions.past import a_past, go_on
from tests.subscriptions.reading import read
from tests.subscriptions.upstream import Upstream, a_subscription, an_account

pytestmark = pytest.mark.django_db

CODE = "secret_unreadable"


def lose(settings: Settings) -> None:
    """From now on this process has another key than the rows were stored with."""
    settings.PHOTOWALL_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]


def state_of(subscription: Subscription) -> str:
    return Subscription.objects.get(pk=subscription.pk).state


def nothing_was_blamed(upstream: Upstream) -> bool:
    account = ProviderAccount.objects.get()
    calls = CallCount.objects.exists() or upstream.calls
    return not calls and account.failures == 0 and account.breaker_until is None


def test_a_read_waits_and_suspends_nothing(
    upstream: Upstream, settings: Settings
) -> None:
    subscription = a_subscription()
    upstream.post()
    Feed.objects.update(dirty_seq=1)
    lose(settings)
    for times in (1, 2):
        Feed.objects.update(next_attempt_at=None, rest_until=None)
        read(subscription)
        feed = Feed.objects.get()
        assert (feed.last_error_code, feed.failures) == (CODE, times)
    assert "PHOTOWALL_ENCRYPTION_KEY" in feed.last_error
    assert feed.next_attempt_at is not None
    assert feed.next_attempt_at > timezone.now()
    assert state_of(subscription) == State.ACTIVE
    assert nothing_was_blamed(upstream)
    settings.PHOTOWALL_ENCRYPTION_KEYS = []
    Feed.objects.update(next_attempt_at=None, rest_until=None)
    read(subscription)
    feed.refresh_from_db()
    assert (feed.last_error_code, feed.failures) == ("", 0)


def test_a_credential_that_the_provider_refuses_still_suspends(
    upstream: Upstream,
) -> None:
    subscription = a_subscription()
    upstream.before_page = raising(AuthRefused("The access_token is invalid."))
    read(subscription)
    assert state_of(subscription) == State.SUSPENDED


def test_a_backfill_waits_and_is_never_given_up(
    upstream: Upstream, settings: Settings
) -> None:
    a_past(upstream, 40)
    backfill = backfilling.start(a_subscription())
    lose(settings)
    for _ in range(backfill_run.GIVE_UP + 1):
        backfill = go_on(backfill)
    assert backfill.state == BackfillState.RUNNING
    assert "cannot be decrypted" in backfill.last_error
    assert state_of(backfill.subscription) == State.ACTIVE
    assert nothing_was_blamed(upstream)
    settings.PHOTOWALL_ENCRYPTION_KEYS = []
    assert go_on(backfill).state == BackfillState.DONE


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_request_waits(
    upstream: Upstream, settings: Settings, confirmed: bool
) -> None:
    subscription = in_state(
        State.REQUESTED, confirmed_at=timezone.now() if confirmed else None
    )
    lose(settings)
    assert lifecycle.request(subscription.pk)
    assert state_of(subscription) == State.REQUESTED
    assert not requesting.requests_due().exists()
    subscription.refresh_from_db()
    assert "cannot be decrypted" in subscription.state_reason
    assert nothing_was_blamed(upstream)
    settings.PHOTOWALL_ENCRYPTION_KEYS = []
    Feed.objects.update(next_attempt_at=None)
    assert lifecycle.request(subscription.pk)
    assert state_of(subscription) == State.ACTIVE


@pytest.mark.parametrize("known", [True, False])
def test_an_end_waits(upstream: Upstream, settings: Settings, known: bool) -> None:
    subscription = in_state(State.ENDING, upstream_id="7" if known else "")
    lose(settings)
    assert not lifecycle.finish_ending(subscription.pk)
    assert state_of(subscription) == State.ENDING
    assert not lifecycle.endings_due().exists()
    assert nothing_was_blamed(upstream)


def test_upkeep_and_a_renewal_wait(upstream: Upstream, settings: Settings) -> None:
    soon = timezone.now() + timedelta(hours=1)
    subscription = in_state(
        State.ACTIVE, lease_until=soon, renew_at=timezone.now() - timedelta(minutes=1)
    )
    lose(settings)
    assert upkeep.look_after(subscription.account_id) == []
    assert "cannot be decrypted" in ProviderAccount.objects.get().upkeep_error
    assert not leases.renew(subscription.pk)
    subscription.refresh_from_db()
    assert (subscription.state, subscription.renew_failures) == (State.ACTIVE, 1)
    assert nothing_was_blamed(upstream)


def test_the_commands_say_first_what_they_lack(
    upstream: Upstream, settings: Settings
) -> None:
    subscription = a_subscription()
    lose(settings)
    for words in (["backfill", "nofilter"], ["subscribe", "other"]):
        with pytest.raises(CommandError, match=r"cannot be decrypted.*secrets\.json"):
            call_command(*words, stdout=io.StringIO())
    assert not Backfill.objects.exists()
    assert list(Subscription.objects.values_list("pk")) == [(subscription.pk,)]
    assert state_of(subscription) == State.ACTIVE
    call_command("backfill", "nofilter", "--background", stdout=io.StringIO())
    assert Backfill.objects.due().exists(), "the workers may have the key"


def test_people_are_told_what_to_do(
    upstream: Upstream, settings: Settings, ada: User
) -> None:
    subscription = a_subscription(account=an_account(name="Insta"))
    desk = Client()
    desk.force_login(ada)
    alert = "The secret of “Insta” cannot be decrypted here"
    assert alert not in desk.get("/admin/").content.decode()
    lose(settings)
    read(subscription)
    upkeep.look_after(subscription.account_id)
    front = desk.get("/admin/").content.decode()
    assert alert in front and "Set PHOTOWALL_ENCRYPTION_KEY" in front
    assert "does not tell what we follow" not in front, "that is the same trouble"
    at = f"/admin/subscriptions/subscription/{subscription.pk}/change/"
    page = desk.get(at).content.decode()
    assert "Needs you" in page and "cannot be decrypted here" in page


def test_a_secret_entered_anew_ends_the_waiting(
    upstream: Upstream, settings: Settings
) -> None:
    subscription = a_subscription()
    upstream.post()
    lose(settings)
    read(subscription)
    far = timezone.now() + timedelta(minutes=15)
    Feed.objects.update(next_attempt_at=far)
    account = ProviderAccount.objects.get()
    account.client_secret = "anew"
    account.save()
    assert lifecycle.wake_suspended(account, "ada") == []
    feed = Feed.objects.get()
    assert feed.next_attempt_at is not None
    assert feed.next_attempt_at < timezone.now() + timedelta(seconds=10)
