"""The circuit breaker of an account: who may call a provider that is down.

After ``OPENS_AFTER`` failures in a row, over all workers, the breaker is open until
``breaker_until``. Who comes after that time and moves it on gets the one call of that
minute, the probe; a good answer closes the breaker and wakes what waited. People may
always try: their call is the probe.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Mod, Now

from media_archive.claims import unclaimed
from media_archive.errors import OutgoingError, PhotowallError, RefusedAddress
from subscriptions import accounts, ledger
from subscriptions.errors import (
    AuthRefused,
    BreakerOpen,
    BudgetSpent,
    ItemGone,
    ProviderError,
    RateLimited,
    SecretUnreadable,
    SubscriptionRefused,
)
from subscriptions.models import (
    Backfill,
    BackfillState,
    Feed,
    Gap,
    ProviderAccount,
    Purpose,
    State,
    Subscription,
)
from subscriptions.reasons import reason_of

logger = logging.getLogger(__name__)

OPENS_AFTER = 5
"""Failures in a row, of whatever tags."""

DOWN = "provider_down"
"""The ledger's word for the time it is open."""

WAITED = (
    "breaker_open",
    "bad_answer",
    "provider_error",
    "secret_unreadable",
    "timeout",
    "too_large",
    "unreachable",
)
"""Error codes of feeds that a provider's return makes due at once."""

WAVES = 10
WAVE = timedelta(milliseconds=500)
"""They come back in waves, not all in the same moment."""


def is_failure(error: PhotowallError) -> bool:
    """Whether the provider is to blame. One that refuses us is well."""
    if isinstance(error, RateLimited | RefusedAddress | SecretUnreadable):
        return False
    if is_refusal(error):
        return False
    return isinstance(error, ProviderError | OutgoingError)


def is_refusal(error: PhotowallError) -> bool:
    """Whether the provider understood us and said no: it is not down."""
    return isinstance(error, AuthRefused | SubscriptionRefused | ItemGone)


def refusal(
    account: ProviderAccount, purpose: Purpose, now: datetime
) -> BreakerOpen | None:
    """Why ``purpose`` may not call now; ``None`` = it may, perhaps as the probe."""
    until = account.breaker_until
    if until is None or until <= now or purpose == Purpose.PEOPLE:
        return None
    return BreakerOpen(
        f"It is asked next at {until:%H:%M:%S} UTC.",
        retry_after=max(1.0, (until - now).total_seconds()),
    )


def take_probe(account: ProviderAccount, now: datetime) -> None:
    """The call that is let go is the probe, if the breaker is open: move it on, so
    that nobody else goes within the minute. Under the account's lock."""
    if account.breaker_until is not None:
        ProviderAccount.objects.filter(pk=account.pk).update(
            breaker_until=now + _pause()
        )


def note_failure(account_pk: int, error: PhotowallError) -> None:
    """One more in a row; the last straw opens the breaker."""
    with transaction.atomic():
        account, now = accounts.lock(account_pk)
        failures, until = account.failures + 1, account.breaker_until
        opens = failures >= OPENS_AFTER and (until is None or until <= now)
        changes = {"breaker_until": now + _pause()} if opens else {}
        ProviderAccount.objects.filter(pk=account_pk).update(
            failures=failures, **changes
        )
        if opens:
            ledger.hindered(DOWN, account_pk=account_pk, detail=reason_of(error))
    if opens and until is None:
        logger.warning("The provider of %s is down: %s", account, error.code)


def close(account_pk: int) -> None:
    """The provider has answered: nothing in a row any more, and if the breaker was
    open, what waited for it is due at once."""
    with transaction.atomic():
        account, _ = accounts.lock(account_pk)
        ProviderAccount.objects.filter(pk=account_pk).update(
            failures=0, breaker_until=None
        )
        ledger.freed(DOWN, account_pk=account_pk)
        if account.breaker_until is not None:
            wake(account_pk)
    if account.breaker_until is not None:
        logger.warning("The provider of %s is back.", account)


def wake(account_pk: int) -> None:
    """Let the account's feeds, their gaps and backfills that waited for the provider
    try again now, in ``WAVES``; no own long wait of theirs holds. In a transaction."""
    ours = Subscription.objects.filter(account=account_pk)
    waiting = Feed.objects.filter(
        subscription__in=ours,
        last_error_code__in=WAITED,
        next_attempt_at__gt=Now(),
    )
    # Locked by ascending key, as notifications lock them: nobody waits in a circle.
    list(waiting.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    for number in range(WAVES):
        wave = waiting.annotate(wave=Mod("pk", WAVES)).filter(wave=number)
        # Who was due sooner stays so: the waves before are not asked again.
        wave.filter(next_attempt_at__gt=Now() + number * WAVE).update(
            next_attempt_at=Now() + number * WAVE
        )
    gaps = Gap.objects.unread().filter(
        feed__in=Feed.objects.filter(subscription__in=ours)
    )
    gaps.filter(next_attempt_at__gt=Now()).update(next_attempt_at=None)
    Backfill.objects.filter(
        subscription__in=ours, state=BackfillState.RUNNING, next_attempt_at__gt=Now()
    ).update(next_attempt_at=None)


def try_now(account_pk: int) -> None:
    """A person wants us to try: no pause and no breaker holds, and what waited for
    them is due."""
    with transaction.atomic():
        accounts.forget_waits(account_pk)
        ledger.freed(DOWN, account_pk=account_pk)
        wake(account_pk)


def wake_spent(account_pk: int) -> None:
    """The budget has changed: what waited for it looks again now."""
    Feed.objects.filter(
        subscription__in=Subscription.objects.filter(account=account_pk),
        last_error_code=BudgetSpent.code,
    ).update(next_attempt_at=None, yields_until=None)


def ready_probes() -> int:
    """Make a tag due for each account whose probe is due, so that somebody asks
    although all its tags wait for long; how many."""
    down = ProviderAccount.objects.filter(breaker_until__lte=Now())
    return sum(_ready_probe(pk) for pk in down.values_list("pk", flat=True)[:100])


def _ready_probe(account_pk: int) -> int:
    feed = _readable(account_pk).order_by(F("next_attempt_at").asc(nulls_first=True))
    pk = feed.values_list("pk", flat=True).first()
    if pk is None:
        return 0
    return Feed.objects.filter(pk=pk).update(
        dirty_seq=F("dirty_seq") + 1, next_attempt_at=None, yields_until=None
    )


def _readable(account_pk: int) -> QuerySet[Feed]:
    active = Subscription.objects.filter(account=account_pk, state=State.ACTIVE)
    return Feed.objects.filter(unclaimed(), subscription__in=active)


def _pause() -> timedelta:
    return timedelta(seconds=settings.PHOTOWALL_PROBE_SECONDS)
