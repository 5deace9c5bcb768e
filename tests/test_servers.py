"""The suite runs on what the product is meant for, and cannot drift off it."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from django.db import connection

from tests.server_process import CannotStart
from tests.server_redis import find_redis, start_own
from tests.servers import wants_sqlite


@pytest.mark.django_db
def test_rows_are_kept_in_the_database_this_run_is_for() -> None:
    assert connection.vendor == ("sqlite" if wants_sqlite() else "postgresql")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_the_broker_speaks_the_redis_protocol() -> None:
    with contextlib.closing(redis.Redis.from_url(os.environ["REDIS_URL"])) as client:
        assert client.ping() is True


def test_a_database_of_ones_own_is_empty_and_real(
    new_postgres_database: Callable[[], str],
) -> None:
    one, two = new_postgres_database(), new_postgres_database()
    assert one != two
    with psycopg.connect(one) as own:
        tables = own.execute(
            "SELECT count(*) FROM information_schema.tables"
            " WHERE table_schema = 'public'"
        ).fetchone()
    assert tables == (0,)


def test_a_given_server_that_is_absent_is_not_replaced_by_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEST_REDIS_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(CannotStart, match="refused"):
        find_redis()


def test_a_guest_takes_an_empty_database_and_clears_only_that_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEST_REDIS_URL", os.environ["REDIS_URL"])
    with contextlib.closing(redis.Redis.from_url(os.environ["REDIS_URL"])) as ours:
        ours.set("kept", "yes")
        first, second = find_redis(), find_redis()
        assert len({first.url, second.url, os.environ["REDIS_URL"]}) == 3
        with contextlib.closing(redis.Redis.from_url(first.url)) as guest:
            guest.set("left behind", "yes")
            first.close()
            assert guest.dbsize() == 0
        with contextlib.closing(redis.Redis.from_url(second.url)) as other:
            assert other.dbsize() == 1
        second.close()
        assert ours.getdel("kept") == b"yes"


def test_a_server_of_our_own_is_gone_when_given_back() -> None:
    own = start_own()
    port = urlsplit(own.url).port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=2):
        own.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port or 0), timeout=2)
