"""Real workers, real HTTP: killed in the middle, at once, and without a database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import pytest
from django.db import OperationalError, connection, connections
from pytest_django.fixtures import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from media_archive import claims
from media_archive.models import JournalEntry, MediaItem
from subscriptions import fetching, lifecycle
from subscriptions.models import Feed, Gap, Match, Subscription
from tests.subscriptions.following import all_at_once
from tests.subscriptions.reading import feed_of, read
from tests.subscriptions.upstream import Upstream, a_subscription, an_account, caught

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
POSTS = 60
PAGE = 10


@dataclass
class Site:
    """A provider's listing of 60 posts over HTTP, ten a page. It may hold a page
    back until it is let go."""

    url: str = ""
    asked: list[int] = field(default_factory=list)
    hold_at: int | None = None
    held: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: Request) -> Response:
        below = int(request.args.get("max_tag_id", POSTS + 1))
        above = int(request.args.get("min_tag_id", 0))
        self.asked.append(below)
        if self.hold_at == len(self.asked):
            self.held.set()
            self.let_go.wait(20)
        numbers = [n for n in range(below - 1, 0, -1) if n > above]
        shown = numbers[:PAGE]
        pagination = {"min_tag_id": str(shown[0])} if shown else {}
        if len(numbers) > len(shown):
            pagination["next_max_tag_id"] = str(shown[-1])
        return Response(
            Site.document(
                [{"id": f"{n}_7", "type": "image"} for n in shown], pagination
            ),
            content_type="application/json",
        )

    @staticmethod
    def document(data: list[dict[str, str]], pagination: dict[str, str]) -> bytes:
        said = {"meta": {"code": 200}, "data": data, "pagination": pagination}
        return json.dumps(said).encode()


@pytest.fixture
def site(instagram: None, settings: Settings) -> Iterator[Site]:
    made = Site()
    # Threads, so that a page held back keeps no other worker waiting.
    with HTTPServer(port=0, threaded=True) as server:
        made.url = server.url_for("/v1")
        settings.PHOTOWALL_PRIVATE_HOSTS = [urlsplit(made.url).netloc]
        server.expect_request("/v1/tags/nofilter/media/recent").respond_with_handler(
            made.answer
        )
        yield made
        made.let_go.set()


def database_url() -> str:
    """The test database, for another process."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path="/" + quote(name)))


def start_worker(site: Site, subscription: Subscription) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "PHOTOWALL_PRIVATE_HOSTS": urlsplit(site.url).netloc,
        "PHOTOWALL_RING_TASKS": "0",
    }
    command = [sys.executable, "-m", "tests.subscriptions.reading_worker"]
    return subprocess.Popen([*command, str(subscription.pk)], cwd=ROOT, env=environment)


def at_the_site(site: Site) -> Subscription:
    return a_subscription(account=an_account(base_url=site.url))


def free_again(subscription: Subscription) -> None:
    """The dead worker's claim has run out."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    Feed.objects.filter(pk=subscription.pk, claim_until__isnull=False).update(
        claim_until=past
    )
    Feed.objects.filter(pk=subscription.pk).update(rest_until=None)


def assert_all_once(subscription: Subscription) -> None:
    assert len(caught(subscription)) == MediaItem.objects.count() == POSTS
    archived = JournalEntry.objects.filter(kind="archived")
    assert archived.count() == POSTS
    feed = feed_of(subscription)
    assert (feed.cursor, feed.head) == (str(POSTS), str(POSTS))
    assert not Gap.objects.unread().exists()


@pytest.mark.also_on_sqlite
def test_a_worker_killed_in_mid_page_is_followed_at_the_last_stored_one(
    site: Site,
) -> None:
    subscription = at_the_site(site)
    site.hold_at = 3
    worker = start_worker(site, subscription)
    assert site.held.wait(60), "the worker asks for its third page"
    worker.send_signal(signal.SIGKILL)
    assert worker.wait(10) == -signal.SIGKILL
    site.let_go.set()
    assert len(caught(subscription)) == 2 * PAGE
    gap = Gap.objects.unread().get()
    assert (gap.pages, gap.older) == (2, "41")
    assert not Feed.objects.due().exists(), "its claim still holds"
    free_again(subscription)
    assert not read(subscription)
    assert site.asked == [61, 51, 41, 41, 31, 21, 11], "from the last stored page on"
    assert_all_once(subscription)


@pytest.mark.also_on_sqlite
def test_two_workers_on_one_tag_read_it_once(site: Site) -> None:
    subscription = at_the_site(site)
    workers = [start_worker(site, subscription) for _ in range(2)]
    assert sorted(worker.wait(60) for worker in workers) == [0, 3]
    assert site.asked == [61, 51, 41, 31, 21, 11]
    assert_all_once(subscription)


@pytest.mark.also_on_sqlite
def test_a_worker_that_was_away_too_long_writes_nothing(site: Site) -> None:
    """Taken over in mid-page: both hold the same page, one of them stores it."""
    subscription = at_the_site(site)
    site.hold_at = 3
    slow = start_worker(site, subscription)
    assert site.held.wait(60)
    free_again(subscription)
    assert not read(subscription), "within the time that a call may take"
    assert_all_once(subscription)
    before = feed_of(subscription)
    site.let_go.set()
    assert slow.wait(60) == 0
    assert_all_once(subscription)
    after = feed_of(subscription)
    assert (after.claim_epoch, after.claim_until) == (before.claim_epoch, None)


@pytest.mark.also_on_sqlite
def test_paused_in_mid_page_writes_nothing_and_goes_on_when_resumed(
    site: Site,
) -> None:
    subscription = at_the_site(site)
    site.hold_at = 2
    worker = start_worker(site, subscription)
    assert site.held.wait(60)
    lifecycle.pause(subscription.pk, "ada")
    site.let_go.set()
    assert worker.wait(60) == 0
    assert len(caught(subscription)) == PAGE, "what was stored before, and no more"
    lifecycle.resume(subscription.pk, "ada")
    free_again(subscription)
    assert not read(subscription)
    assert_all_once(subscription)


@pytest.mark.also_on_sqlite
def test_threads_on_one_tag_never_double(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.post(90)
    upstream.page_size = 10

    def work() -> int:
        epoch = claims.claim(Feed.objects.due(), subscription.pk, fetching.HOLD)
        if epoch is None:
            return 0
        fetching.fetch_new(subscription.pk, epoch)
        return 1

    assert sum(int(str(one)) for one in all_at_once(4, work)) == 1
    assert upstream.count("page") == 9
    assert Match.objects.count() == MediaItem.objects.count() == 90


def test_the_database_lost_in_mid_page_loses_nothing(upstream: Upstream) -> None:
    subscription = a_subscription()
    upstream.post(90)

    def lose(number: int) -> None:
        if number == 2:
            terminate_ours()

    upstream.before_page = lose
    with pytest.raises(OperationalError):
        read(subscription)
    feed = feed_of(subscription)
    assert (feed.last_error_code, feed.failures, feed.claim_until) == (
        "unavailable",
        0,
        None,
    )
    assert len(caught(subscription)) == 33, "the page before it"
    upstream.before_page = lambda _: None
    Feed.objects.update(next_attempt_at=None)
    assert not read(subscription)
    assert len(caught(subscription)) == MediaItem.objects.count() == 90


def terminate_ours() -> None:
    """End this thread's connection from the server's side."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]

    def end() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        connections.close_all()

    other = threading.Thread(target=end)
    other.start()
    other.join()
