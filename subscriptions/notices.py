"""What the audience of a wall is told when its hashtag is not being read.

No codes and no blame: whoever can do something about it reads the reason in the admin.
"""

from __future__ import annotations

from subscriptions.models import State, Subscription

NOT_NOW = "This hashtag cannot be read just now."
PAUSED = "Paused by the organiser."
ENDED = "This wall has ended. New photos are not collected any more."

FAILURES = 3
"""Reads in a row that came to nothing; fewer are mended before anybody looks."""

_SENTENCES = {
    State.SUSPENDED: NOT_NOW,
    State.FAILED: NOT_NOW,
    State.PAUSED: PAUSED,
    State.ENDING: ENDED,
    State.ENDED: ENDED,
}


def notice_of(tag: str) -> str | None:
    """The sentence for the wall of ``tag`` (in its normal form).

    ``None`` while it is read, or about to be, somewhere; and where nobody ever
    followed it. The last subscription speaks.
    """
    sentence = None
    rows = Subscription.objects.filter(tag=tag).order_by("-pk")
    for state, failures in rows.values_list("state", "feed__failures")[:50]:
        told = _SENTENCES.get(State(state))
        if told is None and (failures or 0) >= FAILURES:
            told = NOT_NOW
        if told is None:
            return None
        sentence = sentence or told
    return sentence
