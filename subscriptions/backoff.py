"""How long to wait: exponential with a cap and full jitter."""

from __future__ import annotations

from random import SystemRandom

LONGEST = 15 * 60.0
LONGEST_ASKED = 60 * 60.0
_random = SystemRandom()


def after_failure(failures: int) -> float:
    """Seconds until the next attempt after ``failures`` (≥ 1) in a row."""
    return _jittered(5.0, failures)


def after_rate_limit(pauses: int, retry_after: float | None) -> float:
    """Seconds to leave a provider alone: as long as it asked for, an hour at most;
    if it did not say, longer with each of ``pauses`` (≥ 1) in a row."""
    if retry_after is not None:
        return min(max(retry_after, 1.0), LONGEST_ASKED)
    return _jittered(30.0, pauses)


def _jittered(first: float, times: int) -> float:
    longest = min(first * 2 ** min(times - 1, 16), LONGEST)
    return max(1.0, _random.uniform(0.0, longest))
