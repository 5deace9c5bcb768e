"""Whatever happens in whatever order: in the end the archive is what was listed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from media_archive import claims
from media_archive.errors import OutgoingTimeout
from media_archive.models import JournalEntry
from subscriptions import fetching, polling, providers
from subscriptions.errors import BadAnswer, RateLimited
from subscriptions.models import (
    CaughtBy,
    Feed,
    Gap,
    ProviderAccount,
    Subscription,
)
from subscriptions.page_store import store_page
from tests.servers import wants_sqlite
from tests.subscriptions.listings import Listing, ListingProvider
from tests.subscriptions.reading import Killed
from tests.subscriptions.upstream import KEY, a_subscription, an_account, caught

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]

EXAMPLES = 200 if wants_sqlite() else 20
"""SQLite is asked without a way to it, which is ten times as quick; the decisions are
the same on both."""

_names = itertools.count(1)
small = st.integers(1, 6)
EVENTS = {
    "post": small,
    "late": st.integers(1, 25),
    "notify": st.just(0),
    "poll": small,
    "read": small,
    "kill": small,
    "bad answer": small,
    "time-out": small,
    "rate limit": small,
    "posts while reading": st.tuples(small, small),
    "backfill": st.integers(1, 3),
}
STEPS = st.lists(
    st.one_of([st.tuples(st.just(name), said) for name, said in EVENTS.items()]),
    max_size=10,
)


@pytest.fixture(autouse=True)
def _moving_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{ListingProvider.__module__}.ListingProvider"
    monkeypatch.setitem(providers.REGISTRY, KEY, path)


class World:
    """One tag, the provider's listing of it, and a worker."""

    def __init__(self, options: Settings, account: ProviderAccount) -> None:
        self.options = options
        self.listing = ListingProvider.listing = Listing()
        self.subscription = a_subscription(
            f"tag{next(_names)}", account=account, first_read_at=None
        )
        self.pk = self.subscription.pk

    def happen(self, name: str, said: Any) -> None:
        listing = self.listing
        page = len(listing.asked)
        match name:
            case "post":
                listing.post(said)
            case "late":
                listing.post_late(said)
            case "notify":
                self.notify()
            case "poll":
                self.poll(pages=said)
            case "read":
                self.read(pages=said)
            case "kill":
                listing.before = {page + said: Killed()}
                self.read()
            case "bad answer":
                listing.before = {page + said: BadAnswer("<html>")}
                self.read()
            case "time-out":
                listing.before = {page + said: OutgoingTimeout("no answer")}
                self.read()
            case "rate limit":
                listing.before = {page + said: RateLimited("slow down")}
                self.read()
            case "posts while reading":
                listing.before = {page + said[0]: said[1]}
                self.read()
            case "backfill":
                self.backfill(said)
        listing.before = {}

    def notify(self) -> None:
        Feed.objects.filter(pk=self.pk).update(
            dirty_seq=F("dirty_seq") + 1, heard_seq=F("dirty_seq") + 1
        )

    def poll(self, pages: int = 1000) -> bool:
        past = datetime.now(UTC) - timedelta(seconds=1)
        Feed.objects.filter(pk=self.pk).update(next_poll_at=past)
        polling.mark_due()
        return self.read(pages)

    def read(self, pages: int = 1000) -> bool:
        """One run, as if all waiting were over; whether there was anything to do."""
        self.options.PHOTOWALL_PAGES_PER_RUN = pages
        ProviderAccount.objects.update(paused_until=None, breaker_until=None)
        Feed.objects.filter(pk=self.pk).update(
            next_attempt_at=None, rest_until=None, yields_until=None, claim_until=None
        )
        Gap.objects.filter(feed_id=self.pk).update(next_attempt_at=None)
        epoch = claims.claim(Feed.objects.due(), self.pk, fetching.HOLD)
        if epoch is None:
            return False
        try:
            fetching.fetch_new(self.pk, epoch)
        except Killed:
            return True
        return True

    def backfill(self, pages: int) -> None:
        """A walk back from the top that somebody asked for, and stopped."""
        older = None
        for _ in range(pages):
            page = self.listing.page(None, older)
            store_page(self.subscription, page, CaughtBy.BACKFILL, lambda kept: None)
            older = page.older
            if older is None:
                return

    def settle(self) -> None:
        """A last poll, and whatever it leaves."""
        self.poll()
        for _ in range(50):
            if not self.read():
                return
        raise AssertionError("The reading does not come to rest.")


@pytest.mark.timeout(300)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    print_blob=True,
    # A failure is printed as it was found: shrinking would read for minutes.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_in_the_end_the_archive_is_what_was_listed(
    steps: Sequence[tuple[str, Any]], db_settings: tuple[Settings, ProviderAccount]
) -> None:
    world = World(*db_settings)
    for name, said in steps:
        world.happen(name, said)
    world.settle()
    assert_all_is_there(world)


def assert_all_is_there(world: World) -> None:
    listing = world.listing
    assert caught(world.subscription) == listing.ids()
    entries = JournalEntry.objects.filter(
        kind="archived", item__matches__subscription=world.subscription
    )
    assert entries.count() == len(listing.ids()), "each once"
    feed = Feed.objects.get(pk=world.pk)
    assert feed.done_seq == feed.dirty_seq
    assert not Gap.objects.unread().filter(feed=feed).exists()
    if listing.listed:
        assert feed.cursor == feed.head == str(listing.listed[-1].place)


@pytest.fixture
def db_settings(settings: Settings) -> tuple[Settings, ProviderAccount]:
    return settings, an_account()


def test_the_property_notices_a_loss(
    db_settings: tuple[Settings, ProviderAccount],
) -> None:
    """The positive control: a head that moves past what was not read."""
    world = World(*db_settings)
    world.listing.post(12)
    world.happen("kill", 2)
    Gap.objects.filter(feed_id=world.pk).delete()
    world.options.PHOTOWALL_OVERLAP_ITEMS = 1
    world.settle()
    with pytest.raises(AssertionError):
        assert_all_is_there(world)
    assert Subscription.objects.filter(pk=world.pk).exists()
