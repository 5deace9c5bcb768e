"""What a person may do to a subscription: one table for buttons and actions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from subscriptions import ending, lifecycle
from subscriptions.models import State, Subscription
from subscriptions.tasks import (
    Rung,
    end_subscription,
    fetch_subscription,
    request_subscription,
)


@dataclass(frozen=True, slots=True)
class Step:
    """``label`` is on the button, ``action`` in the list's menu, ``done`` is said
    afterwards, of the tag. ``states`` are those that have the button."""

    label: str
    action: str
    done: str
    service: Callable[[int, str], None]
    task: Rung | None
    states: frozenset[State]

    def take(self, subscription_pk: int, actor: str) -> None:
        """Do it and ring. Raises ``TransitionRefused``."""
        self.service(subscription_pk, actor)
        if self.task is not None:
            self.task.delay_on_commit(subscription_pk)


def _fetch_now(subscription_pk: int, actor: str) -> None:
    lifecycle.mark_due(subscription_pk)


STEPS = {
    "retry": Step(
        "Retry",
        "Subscribe again (retry what failed)",
        "is asked for again",
        lifecycle.retry,
        request_subscription,
        frozenset({State.FAILED}),
    ),
    "stop": Step(
        "Stop asking",
        "Stop asking the provider for what it has not confirmed",
        "is not asked for any more",
        lifecycle.stop_asking,
        None,
        frozenset({State.REQUESTED}),
    ),
    "resume": Step(
        "Resume",
        "Resume reading",
        "is read again",
        lifecycle.resume,
        fetch_subscription,
        frozenset({State.PAUSED, State.SUSPENDED}),
    ),
    "fetch": Step(
        "Fetch now",
        "Fetch now",
        "is fetched now",
        _fetch_now,
        fetch_subscription,
        frozenset({State.ACTIVE}),
    ),
    "pause": Step(
        "Pause",
        "Pause reading",
        "is paused",
        lifecycle.pause,
        None,
        frozenset({State.ACTIVE}),
    ),
    "end": Step(
        "End",
        "End: stop following at the provider (the archive stays)",
        "is ended; its media stay",
        lifecycle.end,
        end_subscription,
        frozenset({State.ACTIVE, State.PAUSED, State.SUSPENDED, State.FAILED}),
    ),
    "end_here": Step(
        "End here only",
        "End here only (the provider does not agree)",
        "is ended here; its media stay",
        ending.end_here,
        None,
        frozenset({State.ENDING}),
    ),
}
"""Word → step, in the order of the buttons."""


_INSTEAD = {
    ("end", State.REQUESTED): "Press “Stop asking” first, then it can be ended.",
    ("end", State.VERIFYING): "The provider is about to answer: "
    "wait for that, two minutes at most, then it can be ended.",
    ("end", State.ENDING): "The provider is being told already.",
    ("end", State.ENDED): "It is over.",
    ("resume", State.ENDING): "When it has ended, follow the hashtag anew.",
    ("resume", State.ENDED): "Follow the hashtag anew.",
    ("resume", State.ACTIVE): "It is read already.",
    ("resume", State.FAILED): "Press “Retry”.",
    ("retry", State.ACTIVE): "It is followed already.",
    ("retry", State.REQUESTED): "It is being asked for already.",
    ("retry", State.ENDED): "Follow the hashtag anew.",
    ("pause", State.PAUSED): "Somebody has paused it already.",
}


def instead(word: str, state: str) -> str:
    """What to do where a step is not possible; empty = nothing comes to mind."""
    return _INSTEAD.get((word, State(state)), "")


def steps_for(subscription: Subscription) -> list[tuple[str, Step]]:
    """(word, step) of what may be done now."""
    return [(w, s) for w, s in STEPS.items() if subscription.state in s.states]
