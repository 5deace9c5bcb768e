"""The life of a subscription: follow, confirm, pause, mend, end.

A row and its verify token are committed before the provider hears of them, because
its challenge arrives while our request is still open. No call to a provider happens
inside a transaction. States: ``docs/reference/subscription-states.md``.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from media_archive import claims
from media_archive.errors import PhotowallError
from media_archive.models import Tag
from media_archive.tags import normalise_tag
from subscriptions import accounts, backoff, calls
from subscriptions.errors import (
    AlreadyFollowed,
    ChallengeRefused,
    RateLimited,
    TransitionRefused,
)
from subscriptions.models import (
    Feed,
    ProviderAccount,
    Purpose,
    State,
    Subscription,
    passed,
)
from subscriptions.providers import get_provider
from subscriptions.providers.base import Provider
from subscriptions.reasons import reason_of
from subscriptions.transitions import move

STUCK = timedelta(minutes=2)
"""So long a request may stay without an end."""

ASKED = timedelta(minutes=10)
"""So long after our request an active subscription still answers a challenge."""

HOLD = 45
"""Seconds one attempt to end a subscription may take."""

_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{1,128}")


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
            move(made.pk, State.REQUESTED, actor=actor)
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


def callback_url(subscription: Subscription) -> str:
    """Where the provider reaches us, absolute."""
    path = reverse("callback", args=[subscription.callback_id])
    return f"{settings.PHOTOWALL_BASE_URL}{path}"


def request(subscription_pk: int) -> bool:
    """Ask the provider for the subscription; whether this call did ask.

    Safe to run twice and at once: one caller takes it, the others return. However
    the provider answers, the subscription ends ``active``, or ``failed`` with a
    reason, or stays ``requested`` while the provider wants fewer calls.
    """
    subscription = _take_request(subscription_pk)
    if subscription is None:
        return False
    asked_at = subscription.challenge_asked_at
    try:
        with calls.calling(subscription.account, Purpose.PEOPLE) as credentials:
            made = _provider_of(subscription).subscribe(
                credentials,
                tag=subscription.tag,
                callback_url=callback_url(subscription),
                verify_token=subscription.verify_token,
            )
    except RateLimited as error:
        if not Subscription.objects.filter(
            pk=subscription_pk, state=State.REQUESTED, challenge_asked_at=asked_at
        ).update(challenge_asked_at=None, state_reason=reason_of(error)):
            fail(subscription_pk, reason_of(error), challenge_asked_at=asked_at)
    except PhotowallError as error:
        fail(subscription_pk, reason_of(error), challenge_asked_at=asked_at)
    else:
        _confirm(subscription_pk, made.native_id, challenge_asked_at=asked_at)
    return True


def answer_challenge(callback_id: str, params: Mapping[str, str]) -> str:
    """The text to echo to the provider's GET.

    Raises ``ChallengeRefused``, always with the same words, unless the callback is
    one of ours that waits for a challenge, and mode, token and text are right.
    """
    subscription = by_callback(callback_id)
    text = params.get("hub.challenge", "")
    token = params.get("hub.verify_token", "").encode("utf-8", "surrogatepass")
    if (
        subscription is None
        or params.get("hub.mode") != "subscribe"
        or not hmac.compare_digest(token, subscription.verify_token.encode())
        or not _CHALLENGE.fullmatch(text)
        or not _awaits_challenge(subscription)
    ):
        raise ChallengeRefused("Not found.")
    if subscription.state == State.REQUESTED:
        try:
            move(subscription.pk, State.VERIFYING, reason="The provider asked us.")
        except TransitionRefused as error:
            # The same challenge twice at once is answered twice; else we gave up.
            subscription.refresh_from_db()
            if not _awaits_challenge(subscription):
                raise ChallengeRefused("Not found.") from error
    return text


def by_callback(callback_id: str) -> Subscription | None:
    """The subscription behind a callback's path, with its account."""
    try:
        uuid = UUID(callback_id)
    except ValueError:
        return None
    rows = Subscription.objects.select_related("account")
    return rows.filter(callback_id=uuid).first()


def fail(subscription_pk: int, reason: str, **only_if: object) -> None:
    """The request came to nothing. If it is over already, nothing changes."""
    _try_move(subscription_pk, State.FAILED, reason=reason, only_if=only_if)


def retry(subscription_pk: int, actor: str) -> None:
    """Ask again for a failed subscription. Raises ``TransitionRefused``."""
    move(
        subscription_pk,
        State.REQUESTED,
        actor=actor,
        reason="Tried again.",
        sources=[State.FAILED],
        challenge_asked_at=None,
    )


def pause(subscription_pk: int, actor: str) -> None:
    """Read nothing until resumed; the provider goes on notifying. Raises
    ``TransitionRefused``."""
    move(subscription_pk, State.PAUSED, actor=actor, reason="Paused by a person.")


def resume(subscription_pk: int, actor: str) -> None:
    """Read again, also what came meanwhile: after a pause, or after a suspension
    when the credential is mended. Raises ``TransitionRefused``."""
    with transaction.atomic():
        move(
            subscription_pk,
            State.ACTIVE,
            actor=actor,
            sources=[State.PAUSED, State.SUSPENDED],
        )
        mark_due(subscription_pk)


def wake_suspended(account: ProviderAccount, actor: str) -> list[int]:
    """A new credential: resume what was suspended for the old one; the keys."""
    ProviderAccount.objects.filter(pk=account.pk).update(
        paused_until=None, paused_reason="", pauses=0
    )
    suspended = account.subscriptions.filter(state=State.SUSPENDED).order_by("pk")
    found = list(suspended.values_list("pk", flat=True))
    return [pk for pk in found if _try_resume(pk, actor)]


def mark_due(subscription_pk: int) -> None:
    """Have the tag read as soon as may be, whatever was wrong before."""
    Feed.objects.filter(pk=subscription_pk).update(
        dirty_seq=F("dirty_seq") + 1, next_attempt_at=None, failures=0
    )


def suspend(subscription_pk: int, reason: str) -> None:
    """The credential is refused: wait for a person. Does nothing if not active."""
    _try_move(subscription_pk, State.SUSPENDED, reason=reason)


def end(subscription_pk: int, actor: str) -> None:
    """Stop following; the archive keeps everything. The provider is told by
    ``finish_ending``. Raises ``TransitionRefused``."""
    with transaction.atomic():
        move(subscription_pk, State.ENDING, actor=actor, reason="Ended by a person.")
        Feed.objects.filter(pk=subscription_pk).update(failures=0, next_attempt_at=None)


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
    subscription = _with_account(subscription_pk)
    reason = "The provider has ended it."
    try:
        _unsubscribe(subscription)
    except PhotowallError as error:
        if error.retryable or subscription.upstream_id:
            _postpone_ending(subscription_pk, epoch, error)
            return False
        # It never confirmed anything and does not let us ask: there is nothing
        # to end, and a notification that came after all would be refused.
        reason = f"Never confirmed by the provider. {reason_of(error)}"
    ended = _try_move(subscription_pk, State.ENDED, reason=reason)
    claims.release(Feed.objects.all(), subscription_pk, epoch, next_attempt_at=None)
    return ended


def give_up_stuck() -> int:
    """Fail requests that were begun long ago and never came to an end."""
    begun = Subscription.objects.filter(
        Q(state=State.VERIFYING) | Q(state=State.REQUESTED),
        challenge_asked_at__lt=timezone.now() - STUCK,
    ).values_list("pk", flat=True)
    stuck = list(begun[:100])
    for pk in stuck:
        fail(pk, "The provider did not confirm it within two minutes. Please retry.")
    return len(stuck)


def requests_due() -> QuerySet[Subscription]:
    """Subscriptions that nobody has asked the provider for yet."""
    return Subscription.objects.filter(
        passed("account__paused_until"),
        state=State.REQUESTED,
        challenge_asked_at__isnull=True,
    )


def _take_request(subscription_pk: int) -> Subscription | None:
    """Compare and swap: one caller gets the subscription, with the time it was
    taken, which fences what follows."""
    now = timezone.now()
    subscription = _with_account(subscription_pk)
    if accounts.is_paused(subscription.account):
        return None
    taken = Subscription.objects.filter(
        pk=subscription_pk, state=State.REQUESTED, challenge_asked_at__isnull=True
    ).update(challenge_asked_at=now)
    subscription.challenge_asked_at = now
    return subscription if taken else None


def _confirm(subscription_pk: int, native_id: str, **only_if: object) -> None:
    """The provider's 200: read what the tag has from now on."""
    # Who has the subscription already may answer without a challenge. The table
    # has no short cut, and the history shall show what happened.
    _try_move(
        subscription_pk,
        State.VERIFYING,
        reason="The provider accepted without asking us.",
        only_if=only_if,
    )
    with transaction.atomic():
        if _try_move(
            subscription_pk, State.ACTIVE, only_if=only_if, upstream_id=native_id[:128]
        ):
            mark_due(subscription_pk)


def _awaits_challenge(subscription: Subscription) -> bool:
    asked_at = subscription.challenge_asked_at
    if asked_at is None:
        return False
    if subscription.state == State.ACTIVE:
        return timezone.now() - asked_at < ASKED
    return subscription.state in {State.REQUESTED, State.VERIFYING}


def _unsubscribe(subscription: Subscription) -> None:
    provider = _provider_of(subscription)
    account = subscription.account
    if subscription.upstream_id:
        native_ids = [subscription.upstream_id]
    else:
        # Its answer may have been lost: what calls our address is ours.
        ours = callback_url(subscription)
        with calls.calling(account, Purpose.PEOPLE) as credentials:
            listed = provider.subscriptions(credentials)
        native_ids = [each.native_id for each in listed if each.callback_url == ours]
    for native_id in native_ids:
        with calls.calling(account, Purpose.PEOPLE) as credentials:
            provider.unsubscribe(credentials, native_id=native_id)


def _postpone_ending(subscription_pk: int, epoch: int, error: PhotowallError) -> None:
    feed = Feed.objects.get(pk=subscription_pk)
    wait = timedelta(seconds=backoff.after_failure(feed.failures + 1))
    if claims.release(
        Feed.objects.all(),
        subscription_pk,
        epoch,
        failures=feed.failures + 1,
        next_attempt_at=Now() + wait,
    ):
        Subscription.objects.filter(pk=subscription_pk, state=State.ENDING).update(
            state_reason=f"We try again. {reason_of(error)}"[:300]
        )


def _try_move(subscription_pk: int, after: State, **more: object) -> bool:
    """``move`` where somebody else may rightly have been first."""
    try:
        move(subscription_pk, after, **more)  # type: ignore[arg-type]
    except TransitionRefused:
        return False
    return True


def _try_resume(subscription_pk: int, actor: str) -> bool:
    """``resume`` where somebody may meanwhile have resumed or ended it."""
    try:
        resume(subscription_pk, actor)
    except TransitionRefused:
        return False
    return True


def _with_account(subscription_pk: int) -> Subscription:
    return Subscription.objects.select_related("account").get(pk=subscription_pk)


def _provider_of(subscription: Subscription) -> Provider:
    return get_provider(subscription.provider)
