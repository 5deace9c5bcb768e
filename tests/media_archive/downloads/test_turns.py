"""Who is next is found in a short walk, however many wait for a later time."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from media_archive.downloads import runner
from media_archive.models import Download
from subscriptions import refreshing

pytestmark = pytest.mark.django_db
MANY = 20_000


def fill(state: str) -> None:
    """``MANY`` downloads of portraits, due in half a day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO media_archive_author (id, provider, native_id, username) "
            "SELECT n, 'p', n::text, 'u' FROM generate_series(1, %s) AS n",
            [MANY],
        )
        cursor.execute(
            "INSERT INTO media_archive_download (id, role, author_id, state, "
            "state_since, reason, detail, attempts, lost_claims, claim_epoch, "
            "fetched_key, next_attempt_at) SELECT n, 'avatar', n, %s, now(), '', '', "
            "5, 0, 0, '', now() + interval '12 hours' FROM generate_series(1, %s) n",
            [state, MANY],
        )
        cursor.execute("ANALYZE media_archive_download")


def walked(asked: CaptureQueriesContext) -> int:
    """The most rows that one of these statements touched, found or thrown away."""
    most = 0
    for query in asked.captured_queries:
        if not query["sql"].startswith("SELECT"):
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
            [plan] = cursor.fetchone()
        said = plan if isinstance(plan, str) else json.dumps(plan)
        for name in ("Actual Rows", "Rows Removed by Filter"):
            found = re.findall(rf'"{name}": (\d+)', said)
            most = max([most, *map(int, found)])
    return most


@pytest.mark.parametrize("oldest", [False, True])
@pytest.mark.parametrize("waiting", ["none", "some", "all", "all for long"])
def test_a_claim_walks_over_nobody(oldest: bool, waiting: str) -> None:
    fill("retry_wait")
    some: dict[str, Any] = {"none": {"pk": 0}, "some": {"pk__gt": MANY - 3}}
    rows = Download.objects.filter(**some.get(waiting, {}))
    if waiting == "all for long":
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE media_archive_download "
                "SET next_attempt_at = now() - id * interval '1 second'"
            )
    else:
        rows.update(next_attempt_at=None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE media_archive_download")
    with CaptureQueriesContext(connection) as asked:
        row, _ = runner._claim_next(oldest=oldest)
    assert (row is None) == (waiting == "none")
    assert walked(asked) <= 2 * runner.SHORTLIST


def test_who_has_waited_longest_is_among_the_next() -> None:
    fill("retry_wait")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE media_archive_download SET next_attempt_at = "
            "CASE WHEN id <= 10 THEN NULL WHEN id <= 15 THEN now() - interval '1 hour' "
            "WHEN id <= 20 THEN now() END WHERE id <= 20"
        )
    rows = Download.objects.open()
    assert rows.first_due(3) == [15, 14, 13]
    assert rows.first_due(3, oldest=True) == [1, 2, 3]
    Download.objects.filter(pk__lte=10).delete()
    assert rows.first_due(6) == [20, 15, 14, 13, 12, 11]


def test_posts_to_be_read_again_are_found_so_too() -> None:
    fill("refresh")
    waiting = Download.objects.filter(state="refresh")
    with CaptureQueriesContext(connection) as asked:
        assert refreshing.refresh_due() == 0
        assert waiting.first_due(refreshing.AT_MOST) == []
    assert len(asked) == 4
    assert walked(asked) == 0
    waiting.update(next_attempt_at=None)
    with CaptureQueriesContext(connection) as asked:
        assert len(waiting.first_due(refreshing.AT_MOST)) == refreshing.AT_MOST
    assert walked(asked) <= refreshing.AT_MOST
