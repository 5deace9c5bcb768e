"""The life of a subscription: follow, pause, suspend, resume; and the way to the rest.

A row and its verify token are committed before the provider hears of them, because
its challenge arrives while our request is still open. No call to a provider happens
inside a transaction. States: ``docs/reference/subscription-states.md``.

Next doors: ``requesting`` (ask the provider), ``challenges`` (its question back),
``ending``, ``upkeep`` (does it still have it) and ``leases``.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction

from media_archive.models import Tag
from media_archive.tags import normalise_tag
from subscriptions import accounts, breaker
from subscriptions.callbacks import by_callback, callback_url
from subscriptions.challenges import answer_challenge
from subscriptions.ending import end, endings_due, finish_ending
from subscriptions.errors import AlreadyFollowed, TransitionRefused
from subscriptions.models import Feed, ProviderAccount, State, Subscription
from subscriptions.requesting import (
    ask_anew,
    fail,
    give_up_stuck,
    request,
    requests_due,
    retry,
    stop_asking,
)
from subscriptions.transitions import mark_due, move, try_move

__all__ = [
    "answer_challenge",
    "by_callback",
    "callback_url",
    "create",
    "end",
    "endings_due",
    "fail",
    "finish_ending",
    "give_up_stuck",
    "mark_due",
    "pause",
    "request",
    "requests_due",
    "resume",
    "retry",
    "standing",
    "stop_asking",
    "suspend",
    "wake_suspended",
]

MISSED = 2
"""Good answers in a row without a subscription after which the provider has lost it."""

FORGOTTEN = "The provider does not know it any more. It is asked for again."


def create(account: ProviderAccount, tag_text: str, actor: str) -> Subscription:
    """Follow a tag: the committed subscription, requested, with its feed.

    The provider is told by ``request``. Raises ``InvalidTag`` and
    ``AlreadyFollowed``, both with a sentence for people.
    """
    tag = normalise_tag(tag_text)
    if standing(account.provider, tag) is not None:
        raise AlreadyFollowed(f"#{tag} is followed already.")
    try:
        with transaction.atomic():
            Tag.objects.get_or_create(name=tag)
            made = Subscription.objects.create(
                account=account, provider=account.provider, tag=tag, created_by=actor
            )
            Feed.objects.create(subscription=made)
            move(made.pk, State.REQUESTED, actor=actor, reason="Followed by a person.")
    except IntegrityError as error:
        if standing(account.provider, tag) is None:
            raise
        # Two people at the same moment: the constraint let one of them through.
        raise AlreadyFollowed(f"#{tag} is followed already.") from error
    made.refresh_from_db()
    return made


def standing(provider: str, tag: str) -> Subscription | None:
    """The subscription for a tag that has not ended, if there is one."""
    return (
        Subscription.objects.filter(provider=provider, kind="tag", tag=tag)
        .exclude(state=State.ENDED)
        .first()
    )


def pause(subscription_pk: int, actor: str) -> None:
    """Read nothing until resumed; the provider goes on notifying. Raises
    ``TransitionRefused``."""
    move(subscription_pk, State.PAUSED, actor=actor, reason="Paused by a person.")


def resume(
    subscription_pk: int, actor: str, reason: str = "Resumed by a person."
) -> None:
    """Read again, also what came meanwhile: after a pause, or after a suspension
    when the credential is mended. Raises ``TransitionRefused``."""
    with transaction.atomic():
        move(
            subscription_pk,
            State.ACTIVE,
            actor=actor,
            reason=reason,
            sources=[State.PAUSED, State.SUSPENDED],
        )
        # Upkeep has asked meanwhile; what is lost is not waited for.
        ask_anew(subscription_pk, FORGOTTEN, only_if={"missed__gte": MISSED})


def wake_suspended(account: ProviderAccount, actor: str) -> list[int]:
    """A new credential: resume what was suspended for the old one; the keys.

    What is asked for, being ended or waiting to be read is tried at once too.
    """
    accounts.forget_waits(account.pk)
    ProviderAccount.objects.filter(pk=account.pk).update(upkeep_at=None)
    waiting = account.subscriptions.filter(state__in=[State.REQUESTED, State.ENDING])
    Feed.objects.filter(subscription__in=waiting).update(
        failures=0, next_attempt_at=None
    )
    with transaction.atomic():
        breaker.wake(account.pk)
    suspended = account.subscriptions.filter(state=State.SUSPENDED).order_by("pk")
    found = list(suspended.values_list("pk", flat=True))
    return [pk for pk in found if _try_resume(pk, actor)]


def suspend(subscription_pk: int, reason: str) -> None:
    """The credential is refused: wait for a person. Does nothing if not active."""
    try_move(subscription_pk, State.SUSPENDED, reason=reason)


def _try_resume(subscription_pk: int, actor: str) -> bool:
    """``resume`` where somebody may meanwhile have resumed or ended it."""
    try:
        resume(subscription_pk, actor, "There is a new credential.")
    except TransitionRefused:
        return False
    return True
