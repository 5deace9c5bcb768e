"""Why a minute is as it is: the words of the ledger, for rows and for people.

``docs/reference/coverage.md`` lists the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Words:
    """What people read: the reason in a sentence, and what could be done."""

    sentence: str
    advice: str = ""


PROMPT = timedelta(minutes=90)
"""A minute that was read within this time was read in the usual rhythm: the quietest
tag is read once an hour."""

LATE = (
    (timedelta(hours=6), "read_within_6h"),
    (timedelta(hours=24), "read_within_24h"),
    (timedelta(days=7), "read_within_7d"),
)
"""(until so long after the minute, the word for it), in order."""

LATEST = "read_later"

COMPLETE = ("", "silent", *(word for _, word in LATE), LATEST)
"""Reasons of a complete span, the best first."""

PARTIAL = ("backfilled", "unread_posts")
"""Reasons of a partial span, the best first."""

BLINDING = (
    "credential_refused",
    "paused",
    "rate_limited",
    "budget_spent",
    "provider_down",
    "not_connected",
)
"""Hindrances that keep us from reading; the first that holds is told."""

SPOILING = "unread_posts"
"""A hindrance in which what was read could not all be kept."""

NOTED = "silent"
"""A hindrance that costs nothing: we read although nothing was heard."""

WORDS = {
    "": Words("Read in the usual rhythm."),
    "caught_up": Words("Read afterwards, when the hindrance was over."),
    "silent": Words("Read without being told: notifications were lost."),
    "read_within_6h": Words("Read late, within 6 hours."),
    "read_within_24h": Words("Read late, within a day."),
    "read_within_7d": Words("Read late, within a week."),
    "read_later": Words("Read more than a week later."),
    "backfilled": Words("Backfilled: what the provider still listed then."),
    "unread_posts": Words(
        "Some posts could not be stored.", "Look into the log for their names."
    ),
    "gap_open": Words(
        "The listing is being read and not at its end yet.", "Wait: it is read on."
    ),
    "not_read_yet": Words("Just now: it is read within minutes.", "Wait a little."),
    "credential_refused": Words(
        "The provider refused our credential.", "Mend the account's credential."
    ),
    "paused": Words("Paused by a person.", "Resume the subscription."),
    "rate_limited": Words(
        "The provider wanted fewer calls.", "Wait: it is read when it may be."
    ),
    "budget_spent": Words(
        "Our calls of the hour were used up.",
        "Wait, or raise the account's hourly limit.",
    ),
    "provider_down": Words(
        "The provider did not answer as it should.", "Wait: it is asked every minute."
    ),
    "not_connected": Words(
        "The provider had not confirmed the subscription.",
        "Retry the subscription if it has failed.",
    ),
    "not_followed": Words(
        "The tag was not followed.", "Backfill what the provider still lists."
    ),
    "not_read": Words(
        "Nothing was read: we were down, or behind.",
        "See that the workers run; backfill what the provider still lists.",
    ),
}


def words_for(reason: str) -> Words:
    """The words for a reason; a reason nobody knows is told as it stands."""
    return WORDS.get(reason) or Words(reason.replace("_", " ").capitalize() + ".")
