"""Ending a subscription: the provider is told until it agrees."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from media_archive import claims
from media_archive.errors import PhotowallError
from subscriptions import backoff, calls
from subscriptions.callbacks import callback_url
from subscriptions.errors import TransitionRefused
from subscriptions.models import Feed, Purpose, State, Subscription, passed
from subscriptions.providers import get_provider
from subscriptions.reasons import reason_of
from subscriptions.transitions import move, try_move

HOLD = 45
"""Seconds one attempt to end a subscription may take."""


def end(subscription_pk: int, actor: str) -> None:
    """Stop following; the archive keeps everything. The provider is told by
    ``finish_ending``. Raises ``TransitionRefused``."""
    with transaction.atomic():
        move(subscription_pk, State.ENDING, actor=actor, reason="Ended by a person.")
        Feed.objects.filter(pk=subscription_pk).update(failures=0, next_attempt_at=None)


def end_here(subscription_pk: int, actor: str) -> None:
    """Stop telling a provider that does not agree: over for us. What it sends on is
    refused, and upkeep takes the rest away there when the account can call again.

    Only after an attempt has failed. Raises ``TransitionRefused``.
    """
    if not Feed.objects.filter(pk=subscription_pk, failures__gt=0).exists():
        raise TransitionRefused("The provider has not been told yet. Wait a moment.")
    move(
        subscription_pk,
        State.ENDED,
        actor=actor,
        reason="Ended here by a person; the provider had not agreed.",
        sources=[State.ENDING],
    )
    Feed.objects.filter(pk=subscription_pk).update(
        next_attempt_at=None, claim_until=None, claim_epoch=F("claim_epoch") + 1
    )


def endings_due() -> QuerySet[Feed]:
    """Feeds whose subscription the provider has to be told to end, now."""
    ending = Subscription.objects.filter(state=State.ENDING).filter(
        passed("account__paused_until")
    )
    return Feed.objects.filter(passed("next_attempt_at"), subscription__in=ending)


def finish_ending(subscription_pk: int) -> bool:
    """Tell the provider that a subscription ends; whether it has ended.

    On an error it stays ``ending`` with the reason, and the sweep tries again.
    """
    epoch = claims.claim(endings_due(), subscription_pk, HOLD)
    if epoch is None:
        return False
    rows = Subscription.objects.select_related("account")
    subscription = rows.get(pk=subscription_pk)
    reason = "The provider has ended it."
    # A person waits for the first attempt; the others stand back as upkeep does.
    again = Feed.objects.filter(pk=subscription_pk, failures__gt=0).exists()
    try:
        _unsubscribe(subscription, Purpose.UPKEEP if again else Purpose.PEOPLE)
    except PhotowallError as error:
        if error.retryable or subscription.upstream_id:
            _postpone(subscription_pk, epoch, error)
            return False
        # It never confirmed anything and does not let us ask: there is nothing
        # to end, and a notification that came after all would be refused.
        reason = f"Never confirmed by the provider. {reason_of(error)}"
    ended = try_move(subscription_pk, State.ENDED, reason=reason)
    claims.release(Feed.objects.all(), subscription_pk, epoch, next_attempt_at=None)
    return ended


def _unsubscribe(subscription: Subscription, purpose: Purpose) -> None:
    provider = get_provider(subscription.provider)
    account = subscription.account
    if subscription.upstream_id:
        native_ids = [subscription.upstream_id]
    else:
        # Its answer may have been lost: what calls our address is ours.
        ours = callback_url(subscription)
        with calls.calling(account, purpose) as credentials:
            listed = provider.subscriptions(credentials)
        native_ids = [each.native_id for each in listed if each.callback_url == ours]
    for native_id in native_ids:
        with calls.calling(account, purpose) as credentials:
            provider.unsubscribe(credentials, native_id=native_id)


def _postpone(subscription_pk: int, epoch: int, error: PhotowallError) -> None:
    feed = Feed.objects.get(pk=subscription_pk)
    wait = timedelta(seconds=backoff.after_failure(feed.failures + 1))
    if claims.release(
        Feed.objects.all(),
        subscription_pk,
        epoch,
        failures=feed.failures + 1,
        next_attempt_at=Now() + wait,
        last_error_code=error.code,
    ):
        Subscription.objects.filter(pk=subscription_pk, state=State.ENDING).update(
            state_reason=f"We try again. {reason_of(error)}"[:300]
        )
