"""What a source's answer means for a download. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from media_archive.downloads import sources
from media_archive.errors import OutgoingError


@dataclass(frozen=True, slots=True)
class Here:
    """The file has come."""


@dataclass(frozen=True, slots=True)
class Later:
    """It may come another time. ``after``: seconds that the source asked for."""

    reason: str
    detail: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class NewAddress:
    """The address is refused: it has expired."""

    detail: str


@dataclass(frozen=True, slots=True)
class SaysGone:
    """The source says that it is not there (any more)."""

    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """We do not take it, now or ever."""

    reason: str
    detail: str


NotHere = Later | NewAddress | SaysGone | Refused
"""What is said instead of the file."""

_LENGTH = re.compile("[0-9]{1,18}")
BUSY = (429, 503)
EXPIRED = (401, 403)
GONE = (404, 410)


def meaning_of(status: int, url: str, retry_after: float | None) -> Here | NotHere:
    """Of an answer with this status from ``url``."""
    host = urlsplit(url).hostname
    said = f"{host} answered with status {status}."
    if status == 200:
        return Here()
    if status in GONE:
        return SaysGone(said)
    if status in EXPIRED or (status == 400 and sources.is_signed(url)):
        return NewAddress(said)
    if status in BUSY:
        return Later(
            "rate_limited" if status == 429 else "unreachable", said, retry_after
        )
    if status >= 500:
        return Later("unreachable", said)
    return Later("bad_answer", said)


def meaning_of_error(error: OutgoingError) -> NotHere:
    """Of an exchange that failed."""
    if error.retryable:
        return Later(error.code, error.message, error.retry_after)
    return Refused(error.code, error.message)


def says_its_length(headers: Mapping[str, str]) -> bool:
    """Whether a body that was cut on its way could have been told from a whole one."""
    coding = headers.get("transfer-encoding")
    if coding is not None:  # it outranks a length (RFC 9112, section 6.3)
        return coding.strip().lower() == "chunked"
    return _LENGTH.fullmatch(headers.get("content-length", "").strip()) is not None
