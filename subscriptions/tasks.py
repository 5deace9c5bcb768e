"""Doors: ids in, one call of a service. Each may run twice, at once, late or never."""

from __future__ import annotations

import logging
from typing import Any, Protocol, cast

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from media_archive import claims
from media_archive.tasks import keep_pictures
from subscriptions import (
    backfill_run,
    breaker,
    budget,
    fetching,
    gaps,
    keep_for,
    leases,
    lifecycle,
    polling,
    refreshing,
    trimming,
)
from subscriptions.models import Backfill, Feed
from subscriptions.upkeep import accounts_due, look_after, run_out

logger = logging.getLogger(__name__)

SWEPT_AT_ONCE = 500
"""Rows of one kind that one sweep rings for."""


class Rung(Protocol):
    """A task as doors see it."""

    def __call__(self, *args: Any) -> None:
        """Run it here and now."""

    def delay_on_commit(self, *args: Any) -> None:
        """Ring after the commit; never raises."""

    def ring(self, *args: Any) -> bool:
        """Ring now, from where no transaction is; never raises."""

    def apply_async(self, args: tuple[Any, ...], **options: Any) -> Any:
        """Ring now. Raises ``OperationalError`` when the broker is away."""


def rung(task: object) -> Rung:
    """``task``, with the methods that our Celery app gives it and its types miss."""
    return cast("Rung", task)


@rung
@shared_task
def request_subscription(subscription_pk: int) -> None:
    """Ask the provider, then read what the tag has already."""
    if lifecycle.request(subscription_pk):
        fetch_subscription.delay_on_commit(subscription_pk)


@rung
@shared_task
def end_subscription(subscription_pk: int) -> None:
    """Tell the provider that a subscription ends."""
    lifecycle.finish_ending(subscription_pk)


@rung
@shared_task
def fetch_subscription(feed_pk: int) -> None:
    """Read what is new, if it is due and nobody does so; come back for the rest."""
    epoch = claims.claim(Feed.objects.due(), feed_pk, fetching.HOLD)
    if epoch is not None and fetching.fetch_new(feed_pk, epoch):
        fetch_subscription.delay_on_commit(feed_pk)
    elif epoch is None and (wait := fetching.take_bell(feed_pk)) is not None:
        _ring_later(feed_pk, wait)


def _ring_later(feed_pk: int, wait: float) -> None:
    """Ring for a feed in ``wait`` seconds (two at most, so that it is not queued
    longer than a broker may be trusted); like every bell it may be lost."""
    if not settings.PHOTOWALL_RING_TASKS:
        return
    try:
        fetch_subscription.apply_async((feed_pk,), countdown=wait, retry=False)
    except OperationalError as error:
        logger.warning("Could not ring for feed %s: %s", feed_pk, type(error).__name__)


@rung
@shared_task
def read_backfill(backfill_pk: int) -> None:
    """Read a tag's past, if it is due and nobody does so; come back for the rest."""
    epoch = claims.claim(Backfill.objects.due(), backfill_pk, backfill_run.HOLD)
    if epoch is not None and backfill_run.read_on(backfill_pk, epoch):
        read_backfill.delay_on_commit(backfill_pk)


@rung
@shared_task
def poll_due() -> None:
    """Mark the tags due that were not read for a while, and ring for them."""
    for pk in polling.mark_due():
        fetch_subscription.delay_on_commit(pk)


@rung
@shared_task
def reconcile() -> None:
    """Ring for all due work whose bell was lost; give up what is stuck; trim."""
    breaker.ready_probes()
    lifecycle.give_up_stuck()
    rows = lifecycle.requests_due().values_list("pk", flat=True)[:SWEPT_AT_ONCE]
    for pk in rows:
        request_subscription.delay_on_commit(pk)
    for pk in lifecycle.endings_due().values_list("pk", flat=True)[:SWEPT_AT_ONCE]:
        end_subscription.delay_on_commit(pk)
    due = Feed.objects.due().urgent_first()
    for pk in due.values_list("pk", flat=True)[:SWEPT_AT_ONCE]:
        fetch_subscription.delay_on_commit(pk)
    for pk in Backfill.objects.due().values_list("pk", flat=True)[:SWEPT_AT_ONCE]:
        read_backfill.delay_on_commit(pk)
    trimming.trim()
    budget.trim(timezone.now())
    gaps.trim()


@rung
@shared_task
def refresh_addresses() -> None:
    """Read posts again whose pictures need new addresses; have those fetched."""
    if refreshing.refresh_due():
        keep_pictures.delay_on_commit()


@rung
@shared_task
def upkeep() -> None:
    """Ring for accounts to ask what they have of us, and for leases to renew."""
    for pk in accounts_due().values_list("pk", flat=True)[:SWEPT_AT_ONCE]:
        look_after_account.delay_on_commit(pk)
    for pk in leases.renewals_due().values_list("pk", flat=True)[:SWEPT_AT_ONCE]:
        renew_lease.delay_on_commit(pk)
    for pk in run_out():
        request_subscription.delay_on_commit(pk)


@rung
@shared_task
def look_after_account(account_pk: int) -> None:
    """Ask one account's provider what it has of us; ask again for what it lost."""
    for pk in look_after(account_pk):
        request_subscription.delay_on_commit(pk)


@rung
@shared_task
def renew_lease(subscription_pk: int) -> None:
    """Renew one lease in time."""
    leases.renew(subscription_pk)


@rung
@shared_task
def erase_expired() -> None:
    """Erase what no subscription wishes to keep any longer; come back for the rest."""
    if keep_for.erase_expired():
        erase_expired.delay_on_commit()
