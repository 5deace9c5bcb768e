"""The root of every error of ours, and the leaves of the ground floor.

``code`` is stable and documented in ``docs/reference/errors.md``; ``retryable`` is
the whole retry policy of a task; ``retry_after`` (seconds) is set when the other
side told us how long to wait.
"""

from __future__ import annotations


class PhotowallError(Exception):
    """Root of all errors that Photowall raises on purpose."""

    code = "bug"
    retryable = False

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class InvalidTag(PhotowallError):
    """The text is not a hashtag; the message says why, for people."""

    code = "invalid_tag"


class ClaimLost(PhotowallError):
    """Another worker has taken the row since; everything of ours is rolled back."""

    code = "claim_lost"
    retryable = True


class DoorBusy(PhotowallError):
    """More is waiting for the database than there is room for."""

    code = "busy"
    retryable = True


class OutgoingError(PhotowallError):
    """A request of ours to an address outside did not get a usable answer."""

    code = "unreachable"
    retryable = True


class OutgoingTimeout(OutgoingError):
    """The other side did not answer in time."""

    code = "timeout"


class NoAnswer(OutgoingTimeout):
    """It has the whole request, and did not answer (to the end) in time."""


class RefusedAddress(OutgoingError):
    """The address is not one we call: private, malformed, or a forbidden scheme."""

    code = "refused_address"
    retryable = False


class AnswerTooLarge(OutgoingError):
    """The answer is larger than the limit; what came so far was thrown away."""

    code = "too_large"
    retryable = False


class CompressedAnswer(OutgoingError):
    """A picture or film that comes compressed, though we asked for it as it is: how
    much it would become cannot be told."""

    code = "compressed"
    retryable = False


class PictureRefused(PhotowallError):
    """A picture or film that we do not keep; the message says why, for people."""

    code = "not_an_image"


class BrokenImage(PictureRefused):
    """It says what it is, and cannot be decoded to its end."""

    code = "broken_image"


class TooManyPixels(PictureRefused):
    """It is larger than any screen or camera of ours; told from its header."""

    code = "too_many_pixels"


class TooManyFrames(PictureRefused):
    """It moves for longer than we show."""

    code = "too_many_frames"


class DecodingTookTooLong(PictureRefused):
    """It was still not decoded after all the time that a picture has."""

    code = "decoding_took_too_long"


class DecodingTookTooMuchMemory(PictureRefused):
    """It needs more memory than a picture may."""

    code = "decoding_took_too_much_memory"


class DiskFull(PhotowallError):
    """There is no room for files; work that needs some waits until there is."""

    code = "disk"
    retryable = True
