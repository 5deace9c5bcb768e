"""A worker's short hold on a row."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from media_archive import claims
from media_archive.errors import ClaimLost
from subscriptions.models import Feed, ProviderAccount, Subscription

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]


@pytest.fixture
def feed() -> Feed:
    account = ProviderAccount.objects.create(
        name="a", provider="instagram_v1", base_url="http://127.0.0.1:1"
    )
    subscription = Subscription.objects.create(
        account=account, provider="instagram_v1", tag="nofilter"
    )
    return Feed.objects.get_or_create(subscription=subscription)[0]


def run_out(feed: Feed) -> None:
    Feed.objects.filter(pk=feed.pk).update(
        claim_until=timezone.now() - timedelta(seconds=1)
    )


@transaction.atomic
def count_and_write(feed: Feed, epoch: int) -> None:
    """Work of a worker in one transaction, the last of it under its claim."""
    Feed.objects.filter(pk=feed.pk).update(failures=7)
    claims.write(Feed.objects.all(), feed.pk, epoch, cursor="late")


def test_what_is_held_cannot_be_claimed_until_it_runs_out(feed: Feed) -> None:
    assert claims.claim(Feed.objects.all(), feed.pk, 60) == 1
    assert claims.claim(Feed.objects.all(), feed.pk, 60) is None
    run_out(feed)
    assert claims.claim(Feed.objects.all(), feed.pk, 60) == 2


def test_a_row_that_is_not_among_the_rows_is_not_claimed(feed: Feed) -> None:
    assert claims.claim(Feed.objects.none(), feed.pk, 60) is None
    assert claims.claim(Feed.objects.filter(failures=9), feed.pk, 60) is None
    assert claims.claim(Feed.objects.all(), 0, 60) is None
    assert claims.claim(Feed.objects.filter(failures=0), feed.pk, 60) == 1


def test_who_was_away_too_long_changes_nothing(feed: Feed) -> None:
    late = claims.claim(Feed.objects.all(), feed.pk, 60)
    assert late is not None
    run_out(feed)
    quick = claims.claim(Feed.objects.all(), feed.pk, 60)
    assert quick is not None

    with pytest.raises(ClaimLost):
        count_and_write(feed, late)
    with pytest.raises(ClaimLost):
        claims.renew(Feed.objects.all(), feed.pk, late, 60)
    assert not claims.release(Feed.objects.all(), feed.pk, late, cursor="late")
    feed.refresh_from_db()
    assert (feed.cursor, feed.failures) == (None, 0)

    claims.write(Feed.objects.all(), feed.pk, quick, cursor="quick")
    claims.renew(Feed.objects.all(), feed.pk, quick, 60)
    assert claims.release(Feed.objects.all(), feed.pk, quick, failures=0)
    feed.refresh_from_db()
    assert (feed.cursor, feed.claim_until) == ("quick", None)


def test_what_is_given_back_is_free_at_once(feed: Feed) -> None:
    epoch = claims.claim(Feed.objects.all(), feed.pk, 60)
    assert epoch is not None
    claims.release(Feed.objects.all(), feed.pk, epoch)
    assert claims.claim(Feed.objects.all(), feed.pk, 60) == epoch + 1


def test_renewing_holds_on(feed: Feed) -> None:
    epoch = claims.claim(Feed.objects.all(), feed.pk, 1)
    assert epoch is not None
    claims.renew(Feed.objects.all(), feed.pk, epoch, 600)
    feed.refresh_from_db()
    assert feed.claim_until is not None
    assert feed.claim_until > timezone.now() + timedelta(seconds=500)


def test_of_many_at_once_exactly_one_gets_it(feed: Feed) -> None:
    def attempt(_: int) -> int | None:
        try:
            return claims.claim(Feed.objects.all(), feed.pk, 60)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(attempt, range(24)))
    assert [epoch for epoch in results if epoch is not None] == [1]


class After:
    """Somebody who comes in between: right after the ``number``-th statement."""

    def __init__(self, number: int, act: Callable[[], None]) -> None:
        self.left = number
        self.act = act

    def __call__(self, execute: Any, *said: Any) -> Any:
        result = execute(*said)
        self.left -= 1
        if self.left == 0:
            self.act()
        return result


@pytest.mark.parametrize("number", [1, 2])
def test_a_claim_taken_away_at_once_is_no_claim_on_the_next(
    feed: Feed, number: int
) -> None:
    """The feed is paused, resumed and claimed by another worker while we claim it."""
    theirs: list[int | None] = []

    def overtake() -> None:
        Feed.objects.filter(pk=feed.pk).update(
            claim_until=None, claim_epoch=F("claim_epoch") + 1
        )
        theirs.append(claims.claim(Feed.objects.all(), feed.pk, 60))

    with connection.execute_wrapper(After(number, overtake)):
        ours = claims.claim(Feed.objects.all(), feed.pk, 60)
    [epoch] = theirs
    assert epoch is not None
    if ours is not None:
        assert ours != epoch
        with pytest.raises(ClaimLost):
            claims.write(Feed.objects.all(), feed.pk, ours, cursor="late")
    claims.write(Feed.objects.all(), feed.pk, epoch, cursor="theirs")


def test_who_is_paused_while_claiming_writes_nothing(feed: Feed) -> None:
    """The feed is paused while we claim it: nobody else has it, and we neither."""

    def pause() -> None:
        Feed.objects.filter(pk=feed.pk).update(
            claim_until=None, claim_epoch=F("claim_epoch") + 1
        )

    with connection.execute_wrapper(After(2, pause)):
        ours = claims.claim(Feed.objects.all(), feed.pk, 60)
    assert ours == 1
    with pytest.raises(ClaimLost):
        claims.write(Feed.objects.all(), feed.pk, ours, cursor="late")
    claims.write(Feed.objects.all(), feed.pk, 2, cursor="fence")


def test_rows_with_a_join_are_refused(feed: Feed) -> None:
    joined = Feed.objects.filter(subscription__account__name="a")
    with pytest.raises(ValueError, match="without joins"):
        claims.claim(joined, feed.pk, 60)
    inside = Subscription.objects.filter(account__name="a").values("pk")
    assert claims.claim(Feed.objects.filter(pk__in=inside), feed.pk, 60)
