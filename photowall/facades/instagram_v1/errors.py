"""What the facade answers when it cannot answer: the dialect's errors, in its words."""

from __future__ import annotations

from collections.abc import Mapping

from subscriptions.providers.instagram_v1.wire import envelope

LONGEST_MESSAGE = 500
"""Characters of an error message; it may quote what the caller sent."""


class DialectError(Exception):
    """An error as an old client expects it. ``code`` is the HTTP status as well."""

    def __init__(
        self,
        error_type: str,
        message: str,
        *,
        code: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message[:LONGEST_MESSAGE]
        self.code = code
        self.headers = dict(headers or {})

    def document(self, *, enveloped: bool = True) -> dict[str, object]:
        """The answer's body."""
        return envelope.render_error(
            self.code, self.error_type, self.message, enveloped=enveloped
        )


def invalid(message: str) -> DialectError:
    """A parameter is missing or makes no sense."""
    return DialectError("APIInvalidParametersError", message)


def not_found(message: str) -> DialectError:
    """The thing asked for is not there: 400, as the API always answered."""
    return DialectError("APINotFoundError", message)


def refused(message: str) -> DialectError:
    """A subscription cannot be made."""
    return DialectError("APISubscriptionError", message)


def no_such_path() -> DialectError:
    """The address is none of ours."""
    return DialectError("APINotFoundError", "There is no such endpoint here.", code=404)


def wrong_method(allowed: str) -> DialectError:
    """The address is ours, the method is not. ``allowed`` as in ``Allow``."""
    return DialectError(
        "APIInvalidParametersError",
        f"This endpoint answers {allowed} only.",
        code=405,
        headers={"Allow": allowed},
    )


def too_large() -> DialectError:
    """More bytes or more parameters than any client of this API sends."""
    return DialectError(
        "APIInvalidParametersError", "The request is too large.", code=413
    )


def too_many() -> DialectError:
    """The hour's budget is used up."""
    return DialectError(
        "OAuthRateLimitException",
        "The maximum number of requests per hour has been exceeded.",
        code=429,
    )


def unavailable() -> DialectError:
    """The database does not answer just now."""
    return DialectError(
        "APIError",
        "The service is not available. Please try again.",
        code=503,
        headers={"Retry-After": "5"},
    )


def ours() -> DialectError:
    """A fault of ours. What it is stands in the log."""
    return DialectError("APIError", "Something went wrong here.", code=500)
