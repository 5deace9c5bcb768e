"""The budget of calls: one bucket per account, kept in rows, exact over all workers.

A call is counted before it is made, in the minute it is let go. A purpose may call
while fewer calls than its share of the limit were counted in the last 61 minutes and
the one that runs: at least an hour and a minute, so that a call which was counted and
came to the provider up to a minute later still lies in one window with all that the
provider counts in any hour. What is counted is never taken back. Decision 0012.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from subscriptions import accounts, ledger
from subscriptions.errors import BudgetSpent
from subscriptions.models import CallCount, ProviderAccount, Purpose
from subscriptions.providers.base import Quota

SPENT = "budget_spent"
"""The ledger's word for the time in which not even notified tags may be read."""

MINUTE = timedelta(minutes=1)
WINDOW = timedelta(minutes=61)
"""Past minutes that count, besides the one that runs."""

SHARES: Mapping[Purpose, int] = {
    Purpose.PEOPLE: 100,
    Purpose.UPKEEP: 100,
    Purpose.NOTIFIED: 100,
    Purpose.POLL: 75,
    Purpose.BACKFILL: 50,
    Purpose.PICTURES: 50,
}
"""Up to which part of the limit, in per cent, a purpose may call. What is kept for
people and upkeep (``PHOTOWALL_CALLS_KEPT``) is taken from the others."""

KEPT_FOR = frozenset({Purpose.PEOPLE, Purpose.UPKEEP})

OTHERS = "others"
"""In place of a purpose: calls that the provider counted and we did not make. Another
program may use the same credential, or our rows were lost."""

LARGEST_LIMIT = 1_000_000
"""A larger one in a header is nonsense."""

OVERDUE = 2
"""A poll that has been due for longer than so many of its intervals is made as if the
tag had been spoken of."""

KEPT = timedelta(hours=25)
"""How long counts stay after they have ceased to count, for people."""

TRIMMED_AT_ONCE = 1000


@dataclass(frozen=True)
class Spent:
    """What was counted in the window that ends ``now``: calls by minute and purpose
    (``OTHERS`` among them)."""

    now: datetime
    counts: Mapping[tuple[datetime, str], int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def others(self) -> int:
        return sum(n for (_, of), n in self.counts.items() if of == OTHERS)

    @property
    def ours(self) -> int:
        return self.total - self.others

    def asked_this_minute(self) -> bool:
        """Whether we have called in the minute that runs."""
        minute = minute_of(self.now)
        return any(at == minute and of != OTHERS for at, of in self.counts)

    def free_at(self, ceiling: int) -> datetime:
        """When enough minutes have left the window for fewer than ``ceiling``."""
        left = self.total
        for (at, _), calls in sorted(self.counts.items()):
            left -= calls
            if left < ceiling:
                return at + WINDOW + MINUTE
        return self.now + WINDOW


def minute_of(now: datetime) -> datetime:
    """``now``, cut down to its minute."""
    return now.replace(second=0, microsecond=0)


def limit_of(account: ProviderAccount) -> int:
    """Calls an hour: what the provider says, or less if a person said so."""
    if account.quota_limit is None or account.quota_limit < 1:
        # It has not said anything that makes sense.
        if account.hourly_limit is not None:
            return account.hourly_limit
        return int(settings.PHOTOWALL_CALLS_PER_HOUR)
    if account.hourly_limit is None:
        return account.quota_limit
    return min(account.quota_limit, account.hourly_limit)


def ceiling_of(account: ProviderAccount, purpose: Purpose) -> int:
    """With fewer calls than this in the window ``purpose`` may call. One at least,
    if the account may call at all."""
    limit, share = limit_of(account), SHARES[purpose]
    if purpose not in KEPT_FOR:
        share = min(share, 100 - settings.PHOTOWALL_CALLS_KEPT)
    return min(limit, max(1, limit * share // 100))


def purpose_of_reading(
    *, heard: bool, next_poll_at: datetime | None, quiet_reads: int, now: datetime
) -> Purpose:
    """``NOTIFIED`` for a tag that was spoken of, or whose poll is ``OVERDUE`` (so
    that a quiet one never starves), else ``POLL``."""
    poll, longest = settings.PHOTOWALL_POLL_SECONDS, settings.PHOTOWALL_POLL_LONGEST
    interval = min(poll * 2 ** min(quiet_reads, 16), max(poll, longest))
    overdue = timedelta(seconds=OVERDUE * interval)
    if heard or (next_poll_at is not None and now - next_poll_at > overdue):
        return Purpose.NOTIFIED
    return Purpose.POLL


def spend(account_pk: int, purpose: Purpose, now: datetime | None = None) -> None:
    """Count one call for ``purpose``. ``now`` is the database's, unless given.

    Raises ``BudgetSpent`` when ``purpose`` may not call now; nothing is counted then.
    """
    with transaction.atomic():
        account, clock = accounts.lock(account_pk)
        refused = spend_locked(account, purpose, now or clock)
    if refused is not None:
        raise refused


def spend_locked(
    account: ProviderAccount, purpose: Purpose, now: datetime
) -> BudgetSpent | None:
    """``spend`` for who holds the account's lock: what it would raise."""
    spent = spent_by(account.pk, now)
    refused = refusal(account, purpose, spent)
    note(account, spent, refused is not None)
    if refused is None:
        count(account.pk, purpose, now)
    return refused


def spent_by(account_pk: int, now: datetime) -> Spent:
    """What counts now. Under the account's lock: minutes that lie ahead, because the
    clock was set back, become the one that runs and so leave the window in time."""
    rows = CallCount.objects.filter(
        account=account_pk, minute__gte=minute_of(now) - WINDOW
    )
    minute = minute_of(now)
    counts: dict[tuple[datetime, str], int] = {}
    ahead: list[tuple[int, str, int]] = []
    for pk, at, purpose, calls in rows.values_list("pk", "minute", "purpose", "calls"):
        if at > minute:
            ahead.append((pk, purpose, calls))
        key = (min(at, minute), purpose)
        counts[key] = counts.get(key, 0) + calls
    for pk, purpose, calls in ahead:
        count(account_pk, purpose, minute, calls)
        CallCount.objects.filter(pk=pk).delete()
    return Spent(now, counts)


def refusal(
    account: ProviderAccount, purpose: Purpose, spent: Spent
) -> BudgetSpent | None:
    """Why ``purpose`` may not call now; ``None`` = it may."""
    ceiling = ceiling_of(account, purpose)
    if spent.total < ceiling:
        return None
    free_at = spent.free_at(ceiling)
    if spent.ours < ceiling:
        # Only the provider's word stands against it, and that may have been wrong
        # or be out of date: one call a minute asks.
        if not spent.asked_this_minute():
            return None
        free_at = min(free_at, minute_of(spent.now) + MINUTE)
    return BudgetSpent(
        f"{spent.total:,} of {limit_of(account):,} calls are used; "
        f"{purpose.label.lower()} may call again at {free_at:%H:%M} UTC.",
        retry_after=max(1.0, (free_at - spent.now).total_seconds()),
    )


def count(account_pk: int, purpose: str, now: datetime, calls: int = 1) -> None:
    """Count calls in the minute of ``now``; under the account's lock."""
    key = {"account_id": account_pk, "minute": minute_of(now), "purpose": purpose}
    if not CallCount.objects.filter(**key).update(calls=F("calls") + calls):
        CallCount.objects.create(**key, calls=calls)


def note(account: ProviderAccount, spent: Spent, refused: bool) -> None:
    """Keep at the account since when and until when not even notified tags may be
    read: from the first ``refused`` call on, until they may. Under the lock."""
    short = refusal(account, Purpose.NOTIFIED, spent)
    until = None
    if short is not None and short.retry_after is not None:
        if not refused:
            return
        until = spent.now + timedelta(seconds=short.retry_after)
    if until == account.spent_until:
        return
    ProviderAccount.objects.filter(pk=account.pk).update(spent_until=until)
    if until is None:
        ledger.freed(SPENT, account_pk=account.pk)
    else:
        ledger.hindered(SPENT, account_pk=account.pk, detail=str(short))


def correct(account_pk: int, quota: Quota) -> None:
    """Believe what a good answer said of our budget, unless it makes no sense.

    Its limit is the limit. Of calls that it counted and we did not, others must have
    made them: they count for us too, until the provider says otherwise. What we have
    counted ourselves stays, whatever it says.
    """
    with transaction.atomic():
        account, now = accounts.lock(account_pk)
        limit = quota.limit if quota.limit is not None else account.quota_limit
        if limit is None or limit < 1:
            limit = settings.PHOTOWALL_CALLS_PER_HOUR
        left = quota.remaining
        if limit > LARGEST_LIMIT or (quota.limit is not None and quota.limit < 1):
            return
        if left is not None and not 0 <= left <= limit:
            return
        changes: dict[str, object] = {}
        if quota.limit is not None:
            changes["quota_limit"] = limit
        if left is not None:
            changes |= {"quota_remaining": left, "quota_seen_at": now}
            spent = spent_by(account_pk, now)
            _believe(account_pk, spent, max(0, limit - left - spent.ours))
        ProviderAccount.objects.filter(pk=account_pk).update(**changes)


def _believe(account_pk: int, spent: Spent, others: int) -> None:
    """Have ``others`` calls in the window that are not ours."""
    surplus = spent.others - others
    if surplus < 0:
        count(account_pk, OTHERS, spent.now, -surplus)
    for (at, purpose), calls in sorted(spent.counts.items()):
        if purpose == OTHERS and surplus > 0:
            row = CallCount.objects.filter(
                account=account_pk, minute=at, purpose=OTHERS
            )
            row.update(calls=calls - min(calls, surplus))
            surplus -= min(calls, surplus)


def trim(now: datetime) -> int:
    """Delete counts of the day before yesterday, so many at once; how many."""
    old = CallCount.objects.filter(minute__lt=now - WINDOW - KEPT).order_by("pk")
    doomed = list(old.values_list("pk", flat=True)[:TRIMMED_AT_ONCE])
    CallCount.objects.filter(pk__in=doomed).delete()
    return len(doomed)
