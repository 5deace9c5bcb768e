"""Calls in any hour, by the count of a provider in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.db.models import F
from django.utils import timezone
from pytest_django.fixtures import Settings

from media_archive import claims
from subscriptions import fetching
from subscriptions.models import CallCount, Feed, ProviderAccount
from tests.subscriptions.following import all_at_once
from tests.subscriptions.upstream import a_subscription, an_account

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT = 60
TAGS = 20
WORKERS = 8


class Counting:
    """The provider's process."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"

    def ask(self, path: str) -> dict[str, int]:
        with urllib.request.urlopen(f"http://{self.host}{path}", timeout=10) as answer:
            said: dict[str, int] = json.load(answer)
        return said


@pytest.fixture
def provider(instagram: None, settings: Settings) -> Iterator[Counting]:
    command = [sys.executable, "-m", "tests.subscriptions.counting_upstream"]
    process = subprocess.Popen(
        [*command, str(LIMIT)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    counting = Counting(int(process.stdout.readline()))
    settings.PHOTOWALL_PRIVATE_HOSTS = [counting.host]
    yield counting
    process.terminate()
    process.communicate(timeout=10)


def pass_time(provider: Counting, minutes: int) -> None:
    """An hour's part, for the provider and for us."""
    provider.ask(f"/skip?seconds={minutes * 60}")
    ago = timedelta(minutes=minutes)
    for row in CallCount.objects.order_by("minute"):
        CallCount.objects.filter(pk=row.pk).update(minute=F("minute") - ago)
    ProviderAccount.objects.update(paused_until=None, spent_until=None)


def read_whatever_is_due() -> None:
    """What a worker does: each tag in turn, and again, until none is due."""
    for _ in range(5):
        for pk in Feed.objects.due().order_by("?").values_list("pk", flat=True):
            epoch = claims.claim(Feed.objects.due(), pk, fetching.HOLD)
            if epoch is not None:
                fetching.fetch_new(pk, epoch)


def speak_of_all() -> None:
    """The provider notifies us of every tag."""
    Feed.objects.update(
        dirty_seq=F("dirty_seq") + 1,
        heard_seq=F("dirty_seq") + 1,
        next_attempt_at=None,
        rest_until=None,
        yields_until=None,
    )


def test_no_hour_of_the_provider_holds_more_than_it_allows(provider: Counting) -> None:
    account = an_account(base_url=f"http://{provider.host}/v1")
    for number in range(TAGS):
        a_subscription(f"tag{number}", account=account, last_fetched_at=timezone.now())
    shared = redis.Redis.from_url(django_settings.REDIS_URL)
    for _ in range(5):
        speak_of_all()
        assert all_at_once(WORKERS, read_whatever_is_due) == [None] * WORKERS
        shared.flushdb()  # It holds nothing that the budget needs.
    said = provider.ask("/counts")
    kept = LIMIT // 10
    assert said == {"fullest_hour": LIMIT - kept, "all": LIMIT - kept, "refused": 0}
    for minutes in (20, 20, 23, 10):
        pass_time(provider, minutes)
        speak_of_all()
        all_at_once(WORKERS, read_whatever_is_due)
    said = provider.ask("/counts")
    assert said["fullest_hour"] <= LIMIT
    assert said["refused"] == 0
    assert said["all"] > LIMIT, "it went on when it might"
