"""How a subscription is, in one word: computed from the rows, never typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Min
from django.utils import timezone

from subscriptions import accounts
from subscriptions.errors import SecretUnreadable
from subscriptions.models import Feed, Gap, GapKind, State, Subscription

LATE = timedelta(minutes=2)
"""Work that is due longer than this is late."""

QUIET = timedelta(minutes=15)
"""Nothing heard for so long is quiet."""


@dataclass(frozen=True, slots=True)
class Light:
    """``word`` for people, ``colour`` as a class (good, busy, warn, bad, off), and
    what a person may do about it."""

    word: str
    colour: str
    advice: str


_BY_STATE = {
    State.DRAFT: Light("Draft", "off", "It was never asked for."),
    State.REQUESTED: Light(
        "Connecting", "busy", "The provider is being asked; this takes seconds."
    ),
    State.VERIFYING: Light(
        "Connecting", "busy", "The provider has called us back and is about to agree."
    ),
    State.SUSPENDED: Light(
        "Needs you",
        "bad",
        "Enter a valid credential in the provider account: it goes on by itself. "
        "Nothing is lost, what came meanwhile is read then.",
    ),
    State.PAUSED: Light(
        "Paused", "off", "Resume reads what came meanwhile, as far as it still can."
    ),
    State.FAILED: Light(
        "Needs you", "bad", "Mend what the reason names, then press Retry."
    ),
    State.ENDING: Light(
        "Ending", "busy", "The provider is being told; it is tried until it agrees."
    ),
    State.ENDED: Light(
        "Ended",
        "off",
        "It is over; the archive keeps its media. Add it anew to follow.",
    ),
}


def light_of(subscription: Subscription) -> Light:
    """The light of one subscription, which has its account and feed at hand."""
    state = State(subscription.state)
    if state != State.ACTIVE:
        return _BY_STATE[state]
    feed, now = subscription.feed, timezone.now()
    if accounts.is_paused(subscription.account):
        until = subscription.account.paused_until
        return Light(
            f"Waiting until {until:%H:%M} UTC",
            "warn",
            "The provider wants fewer calls. It goes on by itself, nothing is lost.",
        )
    if (down := _down_until(subscription, now)) is not None:
        return Light(
            f"Provider is down, next try {down:%H:%M} UTC",
            "warn",
            "It goes on by itself as soon as the provider answers. Try now in the "
            "provider account tries at once.",
        )
    spent = subscription.account.spent_until
    if feed.last_error_code == "budget_spent" and spent is not None and spent > now:
        return Light(
            f"Budget used up until {spent:%H:%M} UTC",
            "warn",
            "Our calls of the hour are used up. It goes on by itself, nothing is lost; "
            "a higher hourly limit of the provider account ends it sooner.",
        )
    if feed.failures and feed.last_error_code == SecretUnreadable.code:
        return Light(
            "Needs you",
            "bad",
            "Set PHOTOWALL_ENCRYPTION_KEY to the key the account's secret was stored "
            "with, wherever Photowall runs, or enter the secret anew. Nothing is lost.",
        )
    if feed.failures:
        return Light(
            "Late",
            "warn",
            "Reading goes wrong and is tried again by itself; see the last error.",
        )
    if _is_late(feed, now):
        return Light("Late", "warn", "There is work nobody does: is a worker running?")
    if (behind := _behind(feed, now)) is not None:
        return behind
    if feed.last_heard_at is not None and now - feed.last_heard_at < QUIET:
        return Light("Live", "good", "Nothing to do.")
    return Light("Quiet", "good", "Nothing to do: nobody posts with this tag just now.")


def _down_until(subscription: Subscription, now: datetime) -> datetime | None:
    """When a provider that is down is asked next."""
    until = subscription.account.breaker_until
    return max(until, now) if until is not None else None


def _behind(feed: Feed, now: datetime) -> Light | None:
    """Older posts that were skipped to show the newest first: being read, or stuck."""
    gaps = Gap.objects.unread().filter(feed=feed, kind=GapKind.NEWS)
    opened = gaps.aggregate(first=Min("opened_at"), trouble=Max("failures"))
    if opened["first"] is None:
        return None
    if opened["trouble"]:
        return Light(
            "Late",
            "warn",
            "The newest posts are read. Reading those before them goes wrong and is "
            "tried again by itself; see the last error.",
        )
    if now - opened["first"] < LATE:
        return None
    return Light(
        "Catching up",
        "busy",
        "The newest posts are read; those before them follow page by page.",
    )


def _is_late(feed: Feed, now: datetime) -> bool:
    if feed.dirty_seq <= feed.done_seq:
        return False
    signs = (feed.last_heard_at, feed.last_fetched_at, feed.subscription.state_since)
    return all(sign is None or now - sign > LATE for sign in signs)
