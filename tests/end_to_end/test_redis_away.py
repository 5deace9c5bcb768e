"""Redis holds nothing: what is heard without it is kept, and arrives later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.running import running
from tests.server_process import free_port
from tests.server_redis import start_own


@pytest.mark.timeout(300)
def test_with_redis_stopped_everything_arrives_after_it_is_back(
    tmp_path: Path, page: Page, new_postgres_database: Callable[[], str]
) -> None:
    port = free_port()
    redis = start_own(port)
    database = new_postgres_database()
    environment = {
        "PHOTOWALL_SANDBOX_EVERY": "3600",
        "DATABASE_URL": database,
        "REDIS_URL": redis.url,
    }
    try:
        with running(tmp_path, environment, f"--port={free_port()}") as instance:
            tag = instance.demo["wall"].rstrip("/").rsplit("/", 1)[-1]
            before = instance.publish(tag)[0]["native_id"]
            instance.until(lambda: before in instance.media(tag), 30)
            page.goto(instance.demo["wall"])
            expect(page.locator("body")).to_have_attribute("data-state", "live")

            heard = _heard(database)
            redis.close()
            posted = {post["native_id"] for post in instance.publish(tag, 5)}
            # The sandbox's delivery is a receipt of ours: answered without Redis.
            instance.until(lambda: _heard(database) > heard, 30)
            assert not posted & instance.media(tag).keys()

            redis = start_own(port)
            instance.until(lambda: posted <= instance.media(tag).keys(), 90)
            newest = max(
                instance.media(tag).values(), key=lambda item: item["posted_at"]
            )
            expect(
                page.locator(f'[data-post-id="{newest["id"]}"]').first
            ).to_be_attached(timeout=60_000)
    finally:
        redis.close()


def _heard(database: str) -> int:
    """How many notifications are stored, asked of the database itself."""
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT sum(seen) FROM subscriptions_receipt")
        return int((row.fetchone() or [0])[0] or 0)
