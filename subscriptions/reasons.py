"""What went wrong, in words for people: what it was, and what to do next."""

from __future__ import annotations

from media_archive.errors import PhotowallError
from media_archive.redaction import redact

LONGEST = 300

_SENTENCES = {
    "bad_answer": (
        "What answered is not the provider's API. "
        "Check the account's base URL, then retry."
    ),
    "no_progress": (
        "The provider's listing leads to pages that we have read. What lies behind "
        "them is tried again; new posts are read all the same."
    ),
    "auth": "The provider refuses our credential. Mend the account, then retry.",
    "credential_changed": (
        "The provider refused a credential that was replaced meanwhile. We try again."
    ),
    "subscription_refused": "The provider refuses the subscription.",
    "timeout": "The provider did not answer in time. Retry when it is back.",
    "unreachable": "The provider cannot be reached. Retry when it is back.",
    "refused_address": (
        "The account's base URL is an address that may not be called. Correct it, "
        "or allow it in PHOTOWALL_PRIVATE_HOSTS."
    ),
    "too_large": "The provider's answer was larger than anything it should send.",
    "rate_limited": "The provider wants fewer calls. We wait and go on by ourselves.",
    "budget_spent": (
        "Our calls of the hour are used up. We wait and go on by ourselves."
    ),
    "breaker_open": "The provider is down. It is asked once a minute until it is back.",
    "provider_error": "The provider has a problem of its own. Retry later.",
    "bug": "Something went wrong on our side; the log knows more.",
}


def redacted(text: str) -> str:
    """``text`` of a stranger for a person: one line, no secrets, ≤ 300 characters."""
    line = " ".join(redact(text[: 20 * LONGEST]).split())
    return "".join(c for c in line if c.isprintable())[:LONGEST]


def reason_of(error: PhotowallError) -> str:
    """The sentence for an error's code, followed by its own words; ≤ 300."""
    sentence = _SENTENCES.get(error.code, "")
    words = redacted(error.message)
    joined = f"{sentence} (It said: {words})" if sentence and words else ""
    return (joined or sentence or words)[:LONGEST]
