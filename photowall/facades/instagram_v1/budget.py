"""5,000 requests a sliding hour for each client, told in every answer.

Counted in Redis; while Redis is away, in this process. Requests that name no client
of ours are counted by the address they come from.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from django.conf import settings
from limits import RateLimitItemPerHour
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

logger = logging.getLogger(__name__)

HOURLY = RateLimitItemPerHour(5_000, namespace="PHOTOWALL")
WAIT = 0.3
"""Seconds an answer may be late because Redis is."""
PAUSE = 10.0
"""Seconds of counting here before Redis is asked again."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What is left after this request. ``within`` is False if it was one too many."""

    within: bool
    remaining: int

    @property
    def headers(self) -> dict[str, str]:
        """As every answer carries them."""
        return {
            "X-Ratelimit-Limit": str(HOURLY.amount),
            "X-Ratelimit-Remaining": str(self.remaining),
        }


@dataclass
class Budget:
    """The counters. ``url`` is Redis's, or ``memory://`` to count here only."""

    url: str
    here: SlidingWindowCounterRateLimiter = field(
        default_factory=lambda: SlidingWindowCounterRateLimiter(MemoryStorage())
    )
    shared: SlidingWindowCounterRateLimiter | None = None
    away_until: float = 0.0

    def spend(self, who: str) -> Spent:
        """Count one request of ``who``."""
        if self.url.startswith("memory:") or time.monotonic() < self.away_until:
            return _spend(self.here, who)
        try:
            if self.shared is None:
                storage = storage_from_string(
                    self.url,
                    wrap_exceptions=True,
                    socket_timeout=WAIT,
                    socket_connect_timeout=WAIT,
                )
                self.shared = SlidingWindowCounterRateLimiter(storage)
            return _spend(self.shared, who)
        except StorageError as error:
            self.away_until = time.monotonic() + PAUSE
            logger.warning("Counting requests here: %s", type(error).__name__)
            return _spend(self.here, who)


def spend(who: str) -> Spent:
    """Count one request of ``who`` in this installation's counters."""
    # Where no worker listens there need be no Redis either: one process, one count.
    url = settings.REDIS_URL if settings.PHOTOWALL_RING_TASKS else "memory://"
    if url not in _budgets:
        _budgets[url] = Budget(url)
    return _budgets[url].spend(who)


def forget() -> None:
    """Start counting anew in this process."""
    _budgets.clear()


_budgets: dict[str, Budget] = {}


def _spend(limiter: SlidingWindowCounterRateLimiter, who: str) -> Spent:
    within = limiter.hit(HOURLY, who)
    return Spent(within, max(limiter.get_window_stats(HOURLY, who).remaining, 0))
