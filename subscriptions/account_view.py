"""What people see of an account's budget: numbers and bars, computed from the rows."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from subscriptions import budget
from subscriptions.models import ProviderAccount, Purpose


@dataclass(frozen=True, slots=True)
class Bar:
    """Calls of one purpose: ``part`` and ``may`` (its share) of 1000 parts of the
    limit."""

    label: str
    calls: int
    share: int
    part: int
    may: int


@dataclass(frozen=True, slots=True)
class Spending:
    """The window's calls of one account."""

    bars: list[Bar]
    total: int
    limit: int

    @property
    def left(self) -> int:
        """Calls that people may still make now."""
        return max(0, self.limit - self.total)


def spending_of(account: ProviderAccount) -> Spending:
    """The calls that count now, by purpose; without the account's lock, so a call of
    this moment may be missing."""
    since = budget.minute_of(timezone.now()) - budget.WINDOW
    calls: dict[str, int] = {}
    rows = account.call_counts.filter(minute__gte=since)
    for purpose, number in rows.values_list("purpose", "calls"):
        calls[purpose] = calls.get(purpose, 0) + number
    limit = budget.limit_of(account)
    bars = [
        Bar(
            str(purpose.label),
            calls.get(purpose, 0),
            ceiling := budget.ceiling_of(account, purpose),
            _parts(calls.get(purpose, 0), limit),
            _parts(ceiling, limit),
        )
        for purpose in Purpose
    ]
    if others := calls.get(budget.OTHERS, 0):
        part = _parts(others, limit)
        bars.append(Bar("Others, says the provider", others, limit, part, 1000))
    return Spending(bars, sum(calls.values()), limit)


def _parts(calls: int, limit: int) -> int:
    return min(1000, 1000 * calls // limit) if limit else 0
