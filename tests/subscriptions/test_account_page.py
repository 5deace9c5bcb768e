"""The page of a provider account: what was called, what is waited for, and Try now."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from subscriptions import accounts, budget, calls, health
from subscriptions.errors import RateLimited, SecretUnreadable
from subscriptions.models import Feed, ProviderAccount, Purpose, Subscription
from tests.subscriptions.upstream import SECRET, a_subscription, an_account

pytestmark = pytest.mark.django_db

LIST = "/admin/subscriptions/provideraccount/"


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def page_of(account: ProviderAccount) -> str:
    return f"{LIST}{account.pk}/change/"


def paused() -> ProviderAccount:
    account = an_account()
    accounts.pause(account.pk, RateLimited("slow", retry_after=900))
    account.refresh_from_db()
    return account


def test_try_now_asks_first_and_does_nothing_by_itself(desk: Client) -> None:
    account = paused()
    answer = desk.post(page_of(account), {"try_now": "yes"})
    assert "Try now?" in answer.content.decode()
    account.refresh_from_db()
    assert accounts.is_paused(account)


def test_who_may_only_look_cannot_try(client: Client, vera: User) -> None:
    vera.is_staff = True
    vera.save()
    vera.user_permissions.add(
        Permission.objects.get(codename="view_provideraccount"),
    )
    client.force_login(vera)
    account = paused()
    said = {"try_now": "yes", "sure": "yes"}
    assert client.post(page_of(account), said).status_code == 403
    account.refresh_from_db()
    assert accounts.is_paused(account)


def test_try_now_ends_the_wait(desk: Client) -> None:
    account = paused()
    ProviderAccount.objects.filter(pk=account.pk).update(
        breaker_until=timezone.now() + timedelta(seconds=60), failures=7
    )
    later = timezone.now() + timedelta(minutes=10)
    feed = a_subscription(
        account=account, next_attempt_at=later, last_error_code="timeout"
    )
    said = {"try_now": "yes", "sure": "yes"}
    assert desk.post(page_of(account), said).status_code == 302
    account.refresh_from_db()
    assert not accounts.is_waiting(account)
    assert account.failures == 0
    moved = Feed.objects.get(pk=feed.pk).next_attempt_at
    assert moved is not None
    assert moved < later
    answer = desk.post(page_of(account), said, follow=True)
    assert "Nothing is waited for" in answer.content.decode()


def test_the_page_shows_calls_by_purpose(desk: Client) -> None:
    account = an_account()
    ProviderAccount.objects.filter(pk=account.pk).update(hourly_limit=200)
    for purpose, number in ((Purpose.NOTIFIED, 31), (Purpose.POLL, 7)):
        budget.count(account.pk, purpose, timezone.now(), number)
    budget.count(account.pk, budget.OTHERS, timezone.now(), 12)
    page = desk.get(page_of(account)).content.decode()
    assert "50 of 200 calls an hour are used, 150 are left" in page
    assert '<rect class="spending-done" width="155"' in page
    assert "Others, says the provider" in page
    assert "style=" not in page.partition("spending")[2].partition("</table>")[0]
    assert "150 of 200" in desk.get(LIST).content.decode()


def test_every_number_of_the_page_is_written_alike(desk: Client) -> None:
    account = an_account()
    ProviderAccount.objects.filter(pk=account.pk).update(
        hourly_limit=7_000, quota_remaining=3_210, quota_seen_at=timezone.now()
    )
    budget.count(account.pk, Purpose.POLL, timezone.now(), 1_234)
    page = desk.get(page_of(account)).content.decode()
    assert "1,234 of 7,000 calls an hour are used, 5,766 are left" in page
    assert '<td class="spending-number">1,234</td>' in page
    assert 'aria-label="1,234 calls; may call' in page
    assert "5,766 of 7,000 (the provider said 3,210" in page


def test_the_page_says_what_is_waited_for(desk: Client) -> None:
    account = paused()
    for page in (page_of(account), LIST):
        assert "Left alone until" in desk.get(page).content.decode()
    ProviderAccount.objects.filter(pk=account.pk).update(
        paused_until=None, breaker_until=timezone.now(), failures=9
    )
    page = desk.get(page_of(account)).content.decode()
    assert "down after 9 failures in a row" in page
    assert 'name="try_now"' in page


def test_nothing_to_wait_for_has_no_button(desk: Client) -> None:
    page = desk.get(page_of(an_account())).content.decode()
    assert "Calls are made" in page
    assert 'name="try_now"' not in page


def test_the_light_tells_a_provider_that_is_down_and_a_spent_budget() -> None:
    made = a_subscription(last_error_code="budget_spent")
    assert health.light_of(made).word == "Quiet"
    soon = timezone.now() + timedelta(minutes=20)
    ProviderAccount.objects.filter(pk=made.account_id).update(spent_until=soon)
    made = Subscription.objects.get(pk=made.pk)
    assert health.light_of(made).word == f"Budget used up until {soon:%H:%M} UTC"
    made.account.breaker_until = soon
    word = health.light_of(made).word
    assert word == f"Provider is down, next try {soon:%H:%M} UTC"


def test_a_new_limit_wakes_what_waited_for_the_budget(desk: Client) -> None:
    account = an_account()
    later = timezone.now() + timedelta(minutes=40)
    made = a_subscription(
        account=account,
        next_attempt_at=later,
        yields_until=later,
        last_error_code="budget_spent",
    )
    said = {
        "name": account.name,
        "provider": account.provider,
        "base_url": account.base_url,
        "client_id": account.client_id,
        "hourly_limit": "9000",
    }
    assert desk.post(page_of(account), said).status_code == 302
    account.refresh_from_db()
    assert account.hourly_limit == 9000
    feed = Feed.objects.get(pk=made.pk)
    assert (feed.next_attempt_at, feed.yields_until) == (None, None)


def test_a_secret_that_cannot_be_decrypted_fails_no_page_and_is_not_sent(
    desk: Client, settings: Settings
) -> None:
    made = a_subscription()
    key = Fernet.generate_key().decode()
    settings.PHOTOWALL_ENCRYPTION_KEYS = [key]
    account = ProviderAccount.objects.get()
    assert account.client_secret not in ("", SECRET)
    with (
        pytest.raises(SecretUnreadable, match="cannot be decrypted"),
        calls.calling(account, Purpose.PEOPLE),
    ):
        raise AssertionError("it was called")
    for path in (
        LIST,
        page_of(account),
        "/admin/subscriptions/subscription/",
        f"/admin/subscriptions/subscription/{made.pk}/change/",
    ):
        assert desk.get(path).status_code == 200
    assert "cannot be decrypted" in desk.get(page_of(account)).content.decode()
    account.save()
    settings.PHOTOWALL_ENCRYPTION_KEYS = []
    assert ProviderAccount.objects.get().client_secret == SECRET, "the old key opens it"
    settings.PHOTOWALL_ENCRYPTION_KEYS = [key]
    said = {
        "name": account.name,
        "provider": account.provider,
        "base_url": account.base_url,
        "client_id": account.client_id,
        "client_secret": "anew",
    }
    assert desk.post(page_of(account), said).status_code == 302
    assert ProviderAccount.objects.get().client_secret == "anew"
