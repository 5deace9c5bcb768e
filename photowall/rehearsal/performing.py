"""One rehearsal from its first step to its sheet."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from django.db.models.functions import Now
from django.utils import timezone

from media_archive.errors import PhotowallError
from media_archive.tasks import keep_pictures
from photowall.rehearsal import evidence, kept, steps
from photowall.rehearsal.instance import megabytes_of
from photowall.rehearsal.sheet import Sheet
from photowall.rehearsal.steps import Scenario, Step
from photowall.rehearsal.upstream import Upstream
from subscriptions import lifecycle
from subscriptions.errors import TransitionRefused
from subscriptions.models import Feed, ProviderAccount, State, Subscription
from subscriptions.tasks import (
    end_subscription,
    poll_due,
    refresh_addresses,
    request_subscription,
)

ACTOR = "rehearsal"
LOOK = 0.25
"""Seconds between two looks at the archive."""
PATIENCE = 60.0
"""Seconds for anything that a scenario waits for on its way."""
PROCESSES = ("web", "worker")
DEFAULT_BUDGET = 5_000

Tell = Callable[[str], None]


class StepFailed(PhotowallError):
    """A step did not happen in time; the sheet says which."""

    code = "step_failed"


@dataclass
class Performance:
    """One scenario on its way. ``tell`` gets a line for people now and then;
    ``saw(archived, published)`` whenever we have looked."""

    scenario: Scenario
    upstream: Upstream
    account: ProviderAccount
    seed: int
    posts: int
    seconds_limit: float
    tell: Tell
    saw: Callable[[int, int], None] = lambda archived, published: None
    published: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    healed_at: float = 0.0
    failing: bool = False

    def __post_init__(self) -> None:
        self.tag = f"rehearsal{secrets.token_hex(4)}"
        self.random = Random(self.seed)  # noqa: S311  a choice of posts
        self.sheet = Sheet(self.scenario.name, self.tag, self.seed, self.seconds_limit)
        self.sheet.may_refuse = self.scenario.may_refuse

    def perform(self) -> Sheet:
        """All steps and the sheet. However it ends, faults are healed and the
        subscription is ended. Raises ``SandboxRefused`` when there is no more
        sandbox."""
        before = {name: megabytes_of(name) for name in PROCESSES}
        self.upstream.set_faults((), self.tag, self.seed)
        self.upstream.lead(self.tag)
        self.subscription = lifecycle.create(self.account, self.tag, ACTOR)
        try:
            self._play()
            self._sum_up()
        finally:
            try:
                self._heal()
            finally:
                self._end()
        for name, megabytes in before.items():
            after = megabytes_of(name)
            if megabytes is not None and after is not None:
                self.sheet.megabytes[name] = (megabytes, after)
        return self.sheet

    def _play(self) -> None:
        try:
            self._follow()
            for step in self.scenario.steps:
                self._do(step)
        except StepFailed as error:
            self.sheet.troubles.append(error.message)
        self._heal()

    def _follow(self) -> None:
        self.tell(f"following #{self.tag}")
        request_subscription.delay_on_commit(self.subscription.pk)
        self._until(lambda: self._state() == State.ACTIVE, "The tag is not followed")

    def _do(self, step: Step) -> None:
        match step:
            case steps.Publish():
                self._publish(step)
            case steps.SetFaults():
                self.tell("faults: " + ", ".join(each.kind for each in step.faults))
                self.upstream.set_faults(step.faults, self.tag, self.seed)
                self.failing = True
            case steps.Heal():
                self._heal()
            case steps.Wait():
                self._wait(step.seconds)
            case steps.AwaitArchived():
                self._until(self._is_archived, "Not everything was archived")
            case steps.AwaitSuspended():
                suspended = "The subscription was not suspended"
                self._until(lambda: self._state() == State.SUSPENDED, suspended)
            case steps.Resume():
                self.tell("a person resumes the subscription")
                lifecycle.wake_suspended(self.account, ACTOR)
            case steps.Hasten():
                self._hasten()
            case steps.Edit():
                chosen = self._chosen(step.share)
                self.edited += self.upstream.edit(chosen)
            case steps.Delete():
                chosen = self._chosen(step.share)
                self.deleted += self.upstream.delete(chosen)

    def _publish(self, step: steps.Publish) -> None:
        count = max(1, round(self.posts * step.share))
        count = min(count, max(1, self.posts - len(self.published)))
        for burst in range(step.bursts):
            size = count // step.bursts + (burst < count % step.bursts)
            if size:
                self.published += self.upstream.publish(self.tag, size)
            self._wait(step.pause if burst + 1 < step.bursts else 0.0)
        self.tell(f"{len(self.published)} posted")
        self.healed_at = time.monotonic()

    def _heal(self) -> None:
        """None of ours any more. The sandbox goes on counting those it did before."""
        if not self.failing:
            return
        faults = self.upstream.faults()
        self.sheet.injected = {str(k): int(n) for k, n in faults["injected"].items()}
        self.sheet.forgeries_accepted = int(faults["forgeries_accepted"])
        self.upstream.set_faults((), self.tag, self.seed)
        self.failing = False
        self.healed_at = time.monotonic()

    def _hasten(self) -> None:
        self.tell("the next poll is brought forward")
        long_ago = timezone.now() - timedelta(hours=2)
        Feed.objects.filter(pk=self.subscription.pk).update(
            next_poll_at=Now(), last_fetched_at=long_ago
        )
        ProviderAccount.objects.filter(pk=self.account.pk).update(upkeep_at=Now())
        poll_due.delay_on_commit()
        kept.hasten(self.subscription)
        keep_pictures.delay_on_commit()
        refresh_addresses.delay_on_commit()
        self.healed_at = time.monotonic()

    def _chosen(self, share: float) -> list[str]:
        count = max(1, round(len(self.published) * share))
        return sorted(self.random.sample(self.published, count))

    def _sum_up(self) -> None:
        """Wait for what is still to come, then look at everything once more."""
        self.tell("waiting until published = archived")
        deadline = self.healed_at + self.seconds_limit
        while not self._has_converged():
            if time.monotonic() > deadline:
                break
            time.sleep(LOOK)
        else:
            self.sheet.seconds_to_converge = time.monotonic() - self.healed_at
        sheet, truth = self.sheet, self.upstream.posts(self.tag)
        found = evidence.gather(self.subscription)
        counted = self.upstream.calls(self.tag)
        sheet.published = len(self.published)
        sheet.archived = len(found.archived)
        sheet.lost = sorted(set(truth) - found.archived)
        sheet.doubled, sheet.journal_wrong = found.doubled, found.journal_wrong
        sheet.edited = len(self.edited)
        sheet.edits_missing = evidence.edits_missing(self.subscription, self.edited)
        sheet.deleted = len(self.deleted)
        sheet.deleted_not_kept = sorted(set(self.deleted) - found.archived)
        sheet.receipts_kept = found.receipts
        sheet.notifications_answered = int(counted["of_tag"]["answered"])
        sheet.notifications_refused = int(counted["of_tag"]["refused"])
        sheet.calls = int(counted["of_tag"]["calls"])
        sheet.most_calls_in_an_hour = int(counted["most_in_an_hour"])
        if self.scenario.pictures:
            served = self.upstream.pictures(self.tag)
            sheet.pictures = kept.gather(self.subscription, served)
        self.account.refresh_from_db()
        limits = (self.account.hourly_limit, self.account.quota_limit)
        sheet.calls_allowed = min(n for n in (*limits, DEFAULT_BUDGET) if n)

    def _has_converged(self) -> bool:
        return (
            self._is_archived()
            and not evidence.edits_missing(self.subscription, self.edited)
            and evidence.is_settled(self.subscription)
            and (not self.scenario.pictures or kept.are_settled(self.subscription))
        )

    def _is_archived(self) -> bool:
        truth = set(self.upstream.posts(self.tag))
        here = evidence.archived(self.subscription, truth)
        self.saw(len(here), len(truth))
        return here == truth

    def _end(self) -> None:
        try:
            lifecycle.end(self.subscription.pk, ACTOR)
        except TransitionRefused:
            # Never confirmed: it fails by itself, and the next rehearsal ends it.
            return
        end_subscription.delay_on_commit(self.subscription.pk)

    def _state(self) -> str:
        return Subscription.objects.values_list("state", flat=True).get(
            pk=self.subscription.pk
        )

    def _wait(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self._is_archived()
            time.sleep(min(LOOK, left))

    def _until(self, ready: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if time.monotonic() > deadline:
                raise StepFailed(f"{otherwise} within {PATIENCE:.0f} s.")
            time.sleep(LOOK)


def end_leftovers() -> int:
    """End what a rehearsal that was killed still follows; how many."""
    left = Subscription.objects.filter(
        created_by=ACTOR,
        tag__startswith=ACTOR,
        state__in=[State.ACTIVE, State.PAUSED, State.SUSPENDED, State.FAILED],
    )
    ended = 0
    for pk in left.values_list("pk", flat=True):
        try:
            lifecycle.end(pk, ACTOR)
        except TransitionRefused:
            continue
        end_subscription.delay_on_commit(pk)
        ended += 1
    return ended
