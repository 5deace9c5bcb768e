"""A listing that leads nowhere is noticed, told at the tag, and costs no new post."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from subscriptions import gap_progress, stumbles
from subscriptions.models import Feed, Gap, Subscription
from subscriptions.providers.base import Page
from tests.subscriptions.reading import feed_of, make_due, read
from tests.subscriptions.upstream import Upstream, a_subscription, caught

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.also_on_sqlite]


def all_of(upstream: Upstream) -> set[str]:
    return {post.native_id for post in upstream.posts}


def lead_to(upstream: Upstream, places: dict[str | None, str]) -> None:
    """From these places (``None`` = the top) the listing leads to those."""

    def change(page: Page) -> Page:
        asked = upstream.pages()[-1]["older"]
        assert asked is None or isinstance(asked, str)
        return replace(page, older=places.get(asked, page.older))

    upstream.change_page = change


def told(subscription: Subscription) -> str:
    feed = feed_of(subscription)
    assert feed.last_error
    return feed.last_error_code


def test_a_page_that_leads_to_itself_is_an_error_and_its_posts_are_kept(
    upstream: Upstream,
) -> None:
    subscription = a_subscription()
    upstream.page_size = 2
    upstream.post(6)
    lead_to(upstream, {"5": "5"})
    assert not read(subscription)
    assert upstream.count("page") == 2
    assert told(subscription) == "no_progress"
    assert len(caught(subscription)) == 4, "the posts of that page are kept"
    gap = Gap.objects.get(closed_at__isnull=True)
    assert (gap.older, gap.failures) == ("5", 1)
    assert not Feed.objects.due().exists(), "the gap waits"
    upstream.change_page = lambda page: page
    Gap.objects.update(next_attempt_at=None)
    assert not read(subscription)
    assert caught(subscription) == all_of(upstream)
    assert feed_of(subscription).last_error == ""


@pytest.mark.parametrize("length", [2, 3, 4, 7])
def test_a_circle_of_any_length_is_noticed(upstream: Upstream, length: int) -> None:
    subscription = a_subscription()
    upstream.page_size = 1
    upstream.post(30)
    start = 25
    places: dict[str | None, str] = {
        str(start - step): str(start - step - 1) for step in range(length)
    }
    places[str(start - length + 1)] = str(start)
    lead_to(upstream, places)
    assert not read(subscription)
    assert told(subscription) == "no_progress"
    # Noticed after the next power of two, and one round.
    assert upstream.count("page") <= 2 * (5 + length) + length
    gap = Gap.objects.get(closed_at__isnull=True)
    assert gap.failures == 1


def test_a_circle_is_noticed_across_runs(
    upstream: Upstream, settings: Settings
) -> None:
    settings.PHOTOWALL_PAGES_PER_RUN = 2
    subscription = a_subscription()
    upstream.page_size = 1
    upstream.post(9)
    lead_to(upstream, {"4": "8"})
    for _ in range(20):
        if not read(subscription):
            break
    assert told(subscription) == "no_progress"
    assert upstream.count("page") <= 2 * (1 + 5) + 5


def test_the_same_posts_again_under_another_place_are_an_error(
    upstream: Upstream,
) -> None:
    subscription = a_subscription()
    places = itertools.count(100)
    posts = upstream.post(3)

    def change(_: Page) -> Page:
        return Page(media=posts, newest="3", older=f"-{next(places)}")

    upstream.change_page = change
    assert not read(subscription)
    assert upstream.count("page") == 2
    assert told(subscription) == "no_progress"
    assert caught(subscription) == all_of(upstream)


def test_new_posts_come_while_a_gap_leads_nowhere(upstream: Upstream) -> None:
    """What is behind the circle waits, at growing distances; the top does not."""
    subscription = a_subscription()
    upstream.page_size = 2
    upstream.post(6)
    lead_to(upstream, {"5": "5"})
    for _ in range(2 * stumbles.STUBBORN):
        Gap.objects.update(next_attempt_at=None)
        read(subscription)
    old = Gap.objects.get(closed_at__isnull=True)
    assert old.failures >= 1
    Gap.objects.update(next_attempt_at=datetime.now(UTC) + timedelta(hours=1))
    new = upstream.post()
    make_due(subscription)
    assert not read(subscription)
    assert new[0].native_id in caught(subscription)
    feed = feed_of(subscription)
    assert (feed.head, feed.cursor) == ("7", None), "something lies below the head"
    assert feed.last_error_code == "no_progress", "what is wrong is still to be seen"


def test_two_pages_without_news_and_a_known_post_end_a_reading(
    upstream: Upstream,
) -> None:
    """Of a provider that does not heed ``since``: the listing is endless to us."""
    subscription = a_subscription()
    upstream.post(300)
    upstream.change_page = lambda page: replace(page, newest=None)
    read(subscription)
    make_due(subscription)
    upstream.calls.clear()
    assert not read(subscription)
    assert upstream.count("page") == 2
    assert not Gap.objects.filter(closed_at__isnull=True).exists()


def test_an_endless_listing_is_read_fifty_pages_at_a_time(
    upstream: Upstream, settings: Settings
) -> None:
    settings.PHOTOWALL_FIRST_READ_PAGES = 10**6
    subscription = a_subscription()
    places = itertools.count(1)

    def change(_: Page) -> Page:
        new = upstream.post()
        return Page(media=new, newest=None, older=f"-{next(places)}")

    upstream.change_page = change
    assert read(subscription), "there is more"
    assert upstream.count("page") == settings.PHOTOWALL_PAGES_PER_RUN == 50
    gap = Gap.objects.get(closed_at__isnull=True)
    assert (gap.pages, gap.older) == (50, "-50")


def test_an_endless_listing_of_known_posts_ends(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first reading knows nothing below it, so only the number of pages tells."""
    monkeypatch.setattr(gap_progress, "IDLE_PAGES", 12)
    subscription = a_subscription()
    posts, places = upstream.post(2), itertools.count(1)

    def change(_: Page) -> Page:
        number = next(places)
        return Page(media=[posts[number % 2]], newest=None, older=f"-{number}")

    upstream.change_page = change
    assert not read(subscription)
    assert upstream.count("page") == 2 + 12
    assert told(subscription) == "no_progress"
    assert not Gap.objects.filter(closed_at__isnull=True).exists()


def test_as_many_new_posts_as_fill_a_page_are_no_circle(upstream: Upstream) -> None:
    """What is read once more begins with the same page, and that leads on."""
    upstream.page_size = 2
    upstream.post(2)
    subscription = a_subscription()
    read(subscription)
    upstream.post(2)
    Feed.objects.update(next_poll_at=datetime.now(UTC) - timedelta(seconds=1))
    make_due(subscription)
    calls = upstream.count("page")
    assert not read(subscription)
    asked = [said["since"] for said in upstream.pages()[calls:]]
    assert asked[:2] == ["2", None], "first what is new, then the top once more"
    assert caught(subscription) == all_of(upstream)
    feed = feed_of(subscription)
    assert (feed.last_error, feed.failures) == ("", 0)
