"""``coverage()``: which minutes of a tag are complete, partial or blind, and why.

Reads the ledger (``subscriptions.ledger`` writes it) with a handful of queries,
however long the period. What the words claim: ``docs/explanation/coverage.md``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from media_archive.errors import PhotowallError
from media_archive.tags import normalise_tag
from subscriptions.coverage_minutes import (
    Known,
    Stretch,
    followed_minutes,
    minute_of,
    next_minute_of,
    stretches_of,
    time_of,
    worst_of,
)
from subscriptions.models import (
    CoverageSpan,
    Gap,
    GapKind,
    Hindrance,
    Quality,
    State,
    Subscription,
    SubscriptionEvent,
)
from subscriptions.providers import REGISTRY

LONGEST = timedelta(days=366)
"""The longest period that is answered at once."""

USUAL = timedelta(hours=24)
"""The period when nobody says one: the last 24 hours."""

EARLIEST = datetime(1, 1, 1, tzinfo=UTC)

SLACK = timedelta(minutes=1)
"""So much later than the poll interval a tag may be read and still be in time."""

_UNCONNECTED = {State.DRAFT, State.REQUESTED, State.VERIFYING, State.FAILED}


class CoverageRefused(PhotowallError):
    """The question cannot be answered; the message says why. ``field`` is what is
    wrong with it: ``since``, ``until`` or ``provider``."""

    code = "coverage"

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Coverage:
    """The answer for [``since``, ``until``), whole minutes, none of the future.

    ``provider`` is None for the answer over several; ``providers`` has then the
    answer of each. ``followed`` says whether the tag was ever followed there.
    """

    tag: str
    since: datetime
    until: datetime
    stretches: list[Stretch]
    provider: str | None = None
    followed: bool = True
    providers: list[Coverage] = field(default_factory=list)

    @property
    def minutes(self) -> dict[str, int]:
        """How many minutes of each quality."""
        counts = {quality.value: 0 for quality in Quality}
        for stretch in self.stretches:
            counts[stretch.quality.value] += stretch.minutes
        return counts

    @property
    def share_complete(self) -> float:
        """Of all minutes, 0.0 to 1.0."""
        counts = self.minutes
        return counts[Quality.COMPLETE.value] / max(1, sum(counts.values()))


def coverage(
    tag: str,
    since: datetime | None = None,
    until: datetime | None = None,
    provider: str | None = None,
    *,
    now: datetime | None = None,
) -> Coverage:
    """How well ``tag`` is covered at one provider, or at all that it is followed at.

    Without ``until`` up to now, without ``since`` the 24 hours before it. The period
    is widened to whole minutes and cut where the present minute begins. Raises
    ``InvalidTag`` and ``CoverageRefused``, both with a sentence for people.
    """
    tag, now = normalise_tag(tag), now or timezone.now()
    first, end = _period(since, until, now)
    if provider is not None:
        _refuse_unknown(provider)
    known = _Reader(tag, provider, time_of(first), time_of(end), now).read()
    answers = []
    for key in sorted(known) or ([provider] if provider else []):
        of = known.get(key, Known())
        found = stretches_of(of, first, end)
        followed = bool(of.followed)
        answers.append(
            Coverage(tag, time_of(first), time_of(end), found, key, followed)
        )
    if provider is not None:
        return answers[0]
    if len(answers) == 1:
        whole = answers[0].stretches
    elif answers:
        lives = [followed_minutes(known[key]) for key in sorted(known)]
        told = [each.stretches for each in answers]
        whole = worst_of(list(zip(told, lives, strict=True)), first, end)
    else:
        whole = stretches_of(Known(), first, end)
    return Coverage(
        tag,
        time_of(first),
        time_of(end),
        whole,
        followed=bool(answers),
        providers=answers,
    )


def _period(
    since: datetime | None, until: datetime | None, now: datetime
) -> tuple[int, int]:
    """(first minute, minute after the last)."""
    for name, time in (("since", since), ("until", until)):
        if time is not None and timezone.is_naive(time):
            raise CoverageRefused("The time has no offset from UTC.", name)
    said, until = since, until or now
    since = max(until, EARLIEST + USUAL) - USUAL if said is None else said
    first = minute_of(since)
    if first >= minute_of(now):
        begins = f"The period begins {_said(since)}"
        if said is None:
            begins = f"The period ends {_said(until)} and begins 24 hours before"
        raise CoverageRefused(
            f"{begins}; of the future, and of the minute "
            f"that is not over, nothing is known. Now it is {_said(now)}.",
            "until" if said is None else "since",
        )
    if until <= since:
        raise CoverageRefused(
            f"The period ends ({_said(until)}) before it begins ({_said(since)}).",
            "until",
        )
    end = min(next_minute_of(until), minute_of(now))
    if time_of(end) - time_of(first) > LONGEST:
        raise CoverageRefused(
            f"The period is longer than {LONGEST.days} days: ask for a part of it.",
            "since",
        )
    return first, end


def _refuse_unknown(provider: str) -> None:
    followed_at = Subscription.objects.order_by().values_list("provider", flat=True)
    known = {*REGISTRY, *followed_at.distinct()}
    if provider not in known:
        raise CoverageRefused(
            f"There is no provider “{provider[:32]}”. "
            f"There are: {', '.join(sorted(known))}.",
            "provider",
        )


def _said(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


class _Reader:
    """Reads what is known of one tag in one period, by provider."""

    def __init__(
        self,
        tag: str,
        provider: str | None,
        since: datetime,
        until: datetime,
        now: datetime,
    ) -> None:
        self.since, self.until, self.now = since, until, now
        rows = Subscription.objects.filter(kind="tag", tag=tag)
        if provider is not None:
            rows = rows.filter(provider=provider)
        self.subscriptions = list(rows.select_related("feed").order_by("pk"))
        self.by_pk = {each.pk: each for each in self.subscriptions}
        self.found: dict[str, Known] = defaultdict(Known)

    def read(self) -> dict[str, Known]:
        """Provider → what is known there; without those where nothing ever was."""
        if self.subscriptions:
            self._lives()
            self._spans()
            self._hindrances()
            self._gaps()
        return dict(self.found)

    def _of(self, subscription_pk: int) -> Known:
        return self.found[self.by_pk[subscription_pk].provider]

    def _lives(self) -> None:
        """Since when each is followed, until when, and since when in earnest."""
        events = SubscriptionEvent.objects.filter(
            subscription__in=self.by_pk, after__in=[State.ACTIVE, State.ENDING]
        )
        at: dict[tuple[int, str], datetime] = {}
        for pk, after, time in events.order_by("-id").values_list(
            "subscription", "after", "at"
        ):
            at[pk, after] = time
        self.lives: dict[int, tuple[datetime, datetime]] = {}
        for each in self.subscriptions:
            ends = self.now
            if each.state in {State.ENDING, State.ENDED}:
                ends = at.get((each.pk, State.ENDING), each.state_since)
            self.lives[each.pk] = each.created_at, ends
            known = self._of(each.pk)
            known.followed.append((each.created_at, ends))
            connected = at.get((each.pk, State.ACTIVE))
            if connected is None and each.state in _UNCONNECTED:
                connected = ends
            if connected is not None:
                self._hinder(each.pk, "not_connected", each.created_at, connected)
            if each.state == State.ACTIVE:
                known.young.append((self.now - _rhythm(each), self.now))

    def _spans(self) -> None:
        spans = CoverageSpan.objects.filter(
            subscription__in=self.by_pk,
            begins_at__lt=self.until,
            ends_at__gt=self.since,
        )
        for pk, begins_at, ends_at, quality, reason in spans.values_list(
            "subscription", "begins_at", "ends_at", "quality", "reason"
        ).iterator():
            self._of(pk).spans.append((begins_at, ends_at, quality, reason))

    def _hindrances(self) -> None:
        of_account: dict[int, list[int]] = defaultdict(list)
        for each in self.subscriptions:
            of_account[each.account_id].append(each.pk)
        rows = Hindrance.objects.filter(
            Q(subscription__in=self.by_pk) | Q(account__in=of_account),
            Q(ended_at__isnull=True) | Q(ended_at__gt=self.since),
            began_at__lt=self.until,
        )
        for account, subscription, reason, began_at, ended_at in rows.values_list(
            "account", "subscription", "reason", "began_at", "ended_at"
        ).iterator():
            mine: Iterable[int] = of_account[account] if account else [subscription]
            for pk in mine:
                self._hinder(pk, reason, began_at, ended_at or self.now)

    def _hinder(self, pk: int, reason: str, began: datetime, ended: datetime) -> None:
        born, dead = self.lives[pk]
        clipped = max(began, born), min(ended, dead)
        if clipped[0] < clipped[1]:
            self._of(pk).hindrances.setdefault(reason, []).append(clipped)

    def _gaps(self) -> None:
        """Of stretches that are read once more nothing is open."""
        rows = Gap.objects.filter(
            feed__in=self.by_pk, closed_at__isnull=True, kind=GapKind.NEWS
        )
        for pk, covers_from, opened_at in rows.values_list(
            "feed", "covers_from", "opened_at"
        ):
            begins_at = covers_from or self.by_pk[pk].created_at
            self._of(pk).gaps.append((begins_at, opened_at))


def _rhythm(subscription: Any) -> timedelta:
    """How old news may become before the tag is read."""
    feed = getattr(subscription, "feed", None)
    rhythm = timedelta(seconds=settings.PHOTOWALL_POLL_SECONDS)
    quietest = timedelta(seconds=settings.PHOTOWALL_POLL_LONGEST)
    if feed is not None and feed.next_poll_at and feed.last_fetched_at:
        rhythm = max(rhythm, min(feed.next_poll_at - feed.last_fetched_at, quietest))
    return rhythm + SLACK
