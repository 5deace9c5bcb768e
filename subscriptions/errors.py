"""The errors of the upper floor: what may go wrong between us and a provider."""

from __future__ import annotations

from media_archive.errors import PhotowallError


class ProviderError(PhotowallError):
    """The provider's answer is an error that we have no better name for."""

    code = "provider_error"
    retryable = True


class RateLimited(ProviderError):
    """The provider wants fewer calls; ``retry_after`` in seconds when it said so."""

    code = "rate_limited"


class BudgetSpent(RateLimited):
    """Our own budget allows no call for this purpose now; ``retry_after`` says when."""

    code = "budget_spent"


class BreakerOpen(ProviderError):
    """The provider failed again and again: it is asked once a minute, and somebody
    else does so. ``retry_after`` says when it is asked next. Nothing was called."""

    code = "breaker_open"


class AuthRefused(ProviderError):
    """The provider refuses our credential: a person has to mend it."""

    code = "auth"
    retryable = False


class SecretUnreadable(ProviderError):
    """This process has no key for the account's secret: nothing was called. It says
    nothing about the credential, which another process may well use."""

    code = "secret_unreadable"


class CredentialChanged(ProviderError):
    """The provider refused a credential that a person has replaced meanwhile."""

    code = "credential_changed"


class BadAnswer(ProviderError):
    """The answer is not the provider's format: HTML, cut off, or another envelope."""

    code = "bad_answer"


class NoProgress(BadAnswer):
    """A listing leads in a circle or shows the same page again."""

    code = "no_progress"


class SubscriptionRefused(ProviderError):
    """The provider refuses the subscription; the message is in its own words."""

    code = "subscription_refused"
    retryable = False


class ItemGone(ProviderError):
    """The provider says that it has this post no more, or shows it to us no more."""

    code = "item_gone"
    retryable = False


class SignatureRefused(PhotowallError):
    """A notification is not signed by who it says it is from. Nothing is kept."""

    code = "signature"


class Unreadable(PhotowallError):
    """Well signed, but not a notification as we know it. It is kept."""

    code = "unreadable"


class TransitionRefused(PhotowallError):
    """The state machine has no such transition; the message names both states."""

    code = "transition"


class AlreadyFollowed(PhotowallError):
    """This tag is followed at this provider already."""

    code = "already_followed"


class ChallengeRefused(PhotowallError):
    """A challenge that we do not answer; why is not told."""

    code = "challenge"


class BackfillRefused(PhotowallError):
    """The past of a tag cannot be read so; the message says why."""

    code = "backfill"
