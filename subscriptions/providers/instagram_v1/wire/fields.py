"""One field of a document → one value, or ``None``. Nothing in here ever raises.

Text loses what PostgreSQL cannot store (NUL, lone surrogates) and is cut; an empty
text says nothing and is ``None``. ``bool`` is never a number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

MAX_TEXT = 10_000
MAX_NAME = 255
MAX_URL = 2_048
MAX_ID = 64
MAX_CURSOR = 512
MAX_INTEGER = 2**63 - 1
MAX_PIXELS = 2**31 - 1
LAST_SECOND = 253_402_300_799
"""9999-12-31T23:59:59Z, the last one a ``datetime`` can hold."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NATIVE_ID = re.compile(rf"[0-9A-Za-z.:~=+-]{{1,{MAX_ID}}}")
_DIGITS = re.compile(r"[0-9]{1,19}")
_DECIMAL = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,40})?")
_CURSOR = re.compile(rf"[\x21-\x7e]{{1,{MAX_CURSOR}}}")
_URL = re.compile("https?://[^\x00-\x20\x7f-\xa0\\\\\ud800-\udfff]+", re.IGNORECASE)


def mapping(value: object) -> Mapping[str, object]:
    """``value`` if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def text(value: object, limit: int = MAX_TEXT) -> str | None:
    """A text without NUL and lone surrogates, at most ``limit`` characters."""
    if not isinstance(value, str):
        return None
    return _UNSTORABLE.sub("", value[: 2 * limit])[:limit] or None


def name(value: object) -> str | None:
    """A short text without outer blanks: the name of a person or a place."""
    return (text(value, MAX_NAME) or "").strip() or None


def native_id(value: object) -> str | None:
    """An id as text. ``"<pk>_<userid>"`` is known by its pk alone."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 0 <= value < 10**MAX_ID else None
    if not isinstance(value, str):
        return None
    pk = value[: 3 * MAX_ID].strip().partition("_")[0]
    return pk if _NATIVE_ID.fullmatch(pk) else None


def owner_id(value: object) -> str | None:
    """The user id in ``"<pk>_<userid>"``."""
    if not isinstance(value, str) or len(value) > 3 * MAX_ID:
        return None
    return native_id(value.strip().partition("_")[2])


def integer(value: object, largest: int = MAX_INTEGER) -> int | None:
    """A whole number from 0 to ``largest``; also as text of digits."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = int(value) if _DIGITS.fullmatch(value) else None
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) and value.is_integer() else None
    return value if isinstance(value, int) and 0 <= value <= largest else None


def pixels(value: object) -> int | None:
    """A width or height; 0 is not one."""
    return integer(value, MAX_PIXELS) or None


def degrees(value: object, limit: float) -> float | None:
    """A latitude (``limit`` 90) or longitude (180)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = float(value) if _DECIMAL.fullmatch(value) else None
    if not isinstance(value, int | float) or not -limit <= value <= limit:
        return None
    return float(value)


def url(value: object) -> str | None:
    """An http(s) address with a host and without credentials."""
    if not isinstance(value, str) or len(value) > MAX_URL or not _URL.fullmatch(value):
        return None
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and parts.username is None
        parts.port  # noqa: B018 - raises for a port that is no port
    except ValueError:
        return None
    return value if usable else None


def cursor(value: object) -> str | None:
    """A cursor is opaque: text as it is, an old integer as text. ``""`` is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 0 <= value < 10**MAX_ID else None
    if not isinstance(value, str):
        return None
    return value if _CURSOR.fullmatch(value) else None


def moment(value: object) -> datetime | None:
    """Seconds since 1970, as text or number, or an ISO date (2010). 0 is not said."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        stripped = value[:64].strip()
        if not _DECIMAL.fullmatch(stripped):
            return _iso_moment(stripped)
        value = float(stripped)
    if not isinstance(value, int | float) or not 0 < value <= LAST_SECOND:
        return None
    return datetime.fromtimestamp(value, UTC)


def _iso_moment(value: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(value)
        aware = read if read.tzinfo else read.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
