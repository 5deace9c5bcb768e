"""The hour's budget is counted in Redis, and here while Redis is away."""

from __future__ import annotations

import os
import time

import pytest

from photowall.facades.instagram_v1.budget import Budget


def test_two_processes_share_one_count() -> None:
    url = os.environ["REDIS_URL"]
    one, other = Budget(url), Budget(url)
    who = f"client:{time.time_ns()}"
    assert one.spend(who).remaining == 4999
    assert other.spend(who).remaining == 4998
    assert one.spend(f"{who}-another").remaining == 4999


def test_without_redis_it_is_counted_here_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = Budget("redis://127.0.0.1:1/0")
    begun = time.monotonic()
    assert [away.spend("client:1").remaining for _ in range(50)][-1] == 4950
    assert time.monotonic() - begun < 1
    # One warning for the pause, not one for each request.
    assert len(caplog.records) == 1
    assert away.spend("client:1").headers == {
        "X-Ratelimit-Limit": "5000",
        "X-Ratelimit-Remaining": "4949",
    }
