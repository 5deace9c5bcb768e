"""A long gap is read to its end, however often the upstream refuses in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from subscriptions import gap_progress, stumbles
from subscriptions.errors import BadAnswer, RateLimited
from subscriptions.models import Feed, Gap, ProviderAccount, Subscription
from subscriptions.providers.base import Page
from tests.subscriptions.reading import Killed, feed_of, make_due, read
from tests.subscriptions.upstream import Upstream, a_subscription, caught

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]


def read_to_the_end(subscription: Subscription, runs: int = 40) -> None:
    """Runs until nothing is due, as if all waiting were over at once."""
    for _ in range(runs):
        ProviderAccount.objects.update(paused_until=None)
        Feed.objects.update(next_attempt_at=None, rest_until=None)
        Gap.objects.update(next_attempt_at=None)
        if not Feed.objects.due().exists():
            return
        read(subscription)
    raise AssertionError(f"It is not read to its end in {runs} runs.")


def all_of(upstream: Upstream) -> set[str]:
    return {post.native_id for post in upstream.posts}


def test_a_bad_answer_now_and_then_does_not_begin_it_anew(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.page_size = 5
    upstream.post(200)

    def refuse(number: int) -> None:
        if number % 8 == 0:
            raise BadAnswer("<html>Sorry")

    upstream.before_page = refuse
    read_to_the_end(subscription)
    assert caught(subscription) == all_of(upstream)
    assert upstream.count("page") == 40 + 40 // 7, "no page is read twice"
    assert feed_of(subscription).cursor == "200"


def test_rate_limits_after_bad_answers_do_not_begin_it_anew(
    upstream: Upstream,
) -> None:
    subscription = a_subscription()
    upstream.page_size = 5
    upstream.post(300)
    window = 20

    def refuse(number: int) -> None:
        if number <= stumbles.STUBBORN:
            raise BadAnswer("<html>Sorry")
        if (number - stumbles.STUBBORN) % (window + 1) == 0:
            raise RateLimited("too many", retry_after=60)

    upstream.before_page = refuse
    read_to_the_end(subscription)
    assert caught(subscription) == all_of(upstream)
    assert upstream.count("page") == 3 + 60 + 2


def test_bad_answers_within_a_gap_and_then_rate_limits(
    upstream: Upstream, settings: Settings
) -> None:
    """After three in a row it is begun anew, once, and not with each rate limit."""
    settings.PHOTOWALL_PAGES_PER_RUN = 1000
    subscription = a_subscription()
    upstream.page_size = 5
    upstream.post(200)
    starts: list[int] = []

    def refuse(number: int) -> None:
        if upstream.pages()[-1]["older"] is None:
            starts.append(number)
        if number in {6, 7, 8}:
            raise BadAnswer("<html>Sorry")
        if number > 8 and number % 20 == 0:
            raise RateLimited("too many", retry_after=60)

    upstream.before_page = refuse
    read_to_the_end(subscription)
    assert caught(subscription) == all_of(upstream)
    assert starts == [1, 9]


def test_a_good_page_ends_the_failures(upstream: Upstream) -> None:
    subscription = a_subscription(failures=2)
    upstream.post(100)

    def die(number: int) -> None:
        if number == 2:
            raise Killed

    upstream.before_page = die
    with pytest.raises(Killed):
        read(subscription)
    assert feed_of(subscription).failures == 0


@pytest.mark.parametrize(
    ("age", "least", "most"),
    [
        (timedelta(0), 0, 25),
        (timedelta(minutes=20), 299, 310),
        (timedelta(days=2), 899, 910),
    ],
)
def test_what_is_begun_anew_waits_the_longer_the_older_the_gap_is(
    upstream: Upstream, age: timedelta, least: int, most: int
) -> None:
    subscription = a_subscription(done_seq=1)
    now = datetime.now(UTC)
    gap = Gap.objects.create(
        feed_id=subscription.pk,
        newest="9",
        older="5",
        pages=3,
        opened_at=now - age,
        failures=stumbles.STUBBORN - 1,
    )

    def refuse(_: int) -> None:
        raise BadAnswer("<html>Sorry")

    upstream.before_page = refuse
    assert not read(subscription)
    gap.refresh_from_db()
    assert (gap.older, gap.pages, gap.failures) == (None, 0, stumbles.STUBBORN)
    at = gap.next_attempt_at
    assert at is not None
    assert timedelta(seconds=least) <= at - now
    assert at - datetime.now(UTC) <= timedelta(seconds=most)
    assert feed_of(subscription).last_error_code == "bad_answer"


def empty_pages(upstream: Upstream, numbers: set[int]) -> None:
    """Let these answers be empty and lead on to where they would have begun."""

    def change(page: Page) -> Page:
        if upstream.count("page") not in numbers:
            return page
        # Another text of the same place: a page must not lead to itself.
        place = upstream.pages()[-1]["older"] or len(upstream.posts) + 1
        return replace(page, media=[], newest=None, older=f"0{place}")

    upstream.change_page = change


def test_an_empty_page_that_leads_on_is_not_the_end(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.page_size = 5
    upstream.post(20)
    empty_pages(upstream, {2, 4})
    assert not read(subscription)
    assert caught(subscription) == all_of(upstream)
    assert feed_of(subscription).cursor == "20"
    assert upstream.count("page") == 4 + 2


def test_an_empty_first_page_moves_no_cursor_past_what_follows(
    upstream: Upstream,
) -> None:
    subscription = a_subscription()
    upstream.page_size = 5
    upstream.post(20)
    empty_pages(upstream, {1})
    read(subscription)
    assert caught(subscription) == all_of(upstream)
    make_due(subscription)
    upstream.post()
    read(subscription)
    assert caught(subscription) == all_of(upstream)


def test_empty_pages_that_lead_on_for_ever_end_and_are_told(
    upstream: Upstream,
) -> None:
    subscription = a_subscription(cursor="7")
    numbers = iter(range(10**6, 0, -1))

    def change(_: Page) -> Page:
        return Page(media=[], newest=None, older=str(next(numbers)))

    upstream.change_page = change
    assert not read(subscription)
    gap = Gap.objects.get()
    assert upstream.count("page") == gap_progress.EMPTY_PAGES
    assert gap.closed_at is not None
    feed = feed_of(subscription)
    assert (feed.cursor, feed.last_error_code) == ("7", "no_progress")


def test_nothing_new_is_one_empty_page_that_leads_nowhere(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.post(3)
    read(subscription)
    make_due(subscription)
    said: list[Any] = []

    def note(page: Page) -> Page:
        said.append((list(page.media), page.older))
        return page

    upstream.change_page = note
    assert not read(subscription)
    assert said == [([], None)]
    feed = feed_of(subscription)
    assert (feed.cursor, feed.done_seq) == ("3", feed.dirty_seq)
