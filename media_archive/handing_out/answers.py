"""What HTTP says about a file: conditions, ranges and headers (RFC 9110, sections 8.8,
13 and 14). Pure: no file is touched.

A file never changes, so its name is its strong validator. Who has seen it may keep it
for good, but no cache that serves others: that one would outlive a takedown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from media_archive.stores.shape import content_type_of

FOR_GOOD = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"
POLICY = "default-src 'none'; sandbox"

_ETAGS = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_RANGE = re.compile("bytes=([0-9]*)-([0-9]*)", re.IGNORECASE)
LONGEST_RANGE = 64
"""Characters of a Range header that is looked at; a longer one is none."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A file that may be handed out. ``to_all`` is false when only the one who asks
    may see it."""

    name: str
    size: int
    to_all: bool = True

    @property
    def etag(self) -> str:
        """Its strong validator."""
        return f'"{self.name.rpartition("/")[2].partition(".")[0]}"'


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers, and which part of the file is the body (``length`` 0: none)."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    start: int = 0
    length: int = 0


def answer_to(method: str, headers: Mapping[str, str], file: Shown) -> Answer:
    """The answer to a GET or HEAD with these headers (names in small letters)."""
    whole = _headers_of(file)
    if not _matches(headers.get("if-match", "*"), file.etag, weak=False):
        return Answer(412, {"Content-Length": "0"})
    if _matches(headers.get("if-none-match", ""), file.etag, weak=True):
        kept = ("ETag", "Cache-Control", "Cross-Origin-Resource-Policy")
        return Answer(304, {name: whole[name] for name in kept})
    part = _part(headers, file) if method == "GET" else None
    if part == ():
        unmet = {"Content-Range": f"bytes */{file.size}", "Content-Length": "0"}
        return Answer(416, whole | unmet)
    if part:
        start, end = part
        length = end - start + 1
        partial = {
            "Content-Range": f"bytes {start}-{end}/{file.size}",
            "Content-Length": str(length),
        }
        return Answer(206, whole | partial, start, length)
    return Answer(200, whole, 0, file.size if method == "GET" else 0)


def sent_on(file: Shown, prefix: str) -> Answer:
    """The answer that leaves the file to the web server in front of us
    (``X-Accel-Redirect``): that one minds conditions and ranges."""
    headers = _headers_of(file) | {"X-Accel-Redirect": f"{prefix}{file.name}"}
    for name in ("Content-Length", "ETag"):
        del headers[name]
    return Answer(200, headers)


def _headers_of(file: Shown) -> dict[str, str]:
    content_type = content_type_of(file.name)
    place, _, ending = file.name.rpartition("/")[2].partition(".")
    return {
        "Content-Type": content_type,
        "Content-Length": str(file.size),
        "Content-Disposition": f'inline; filename="photowall-{place[:16]}.{ending}"',
        "Content-Security-Policy": POLICY,
        "Cross-Origin-Resource-Policy": "cross-origin"
        if file.to_all
        else "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": FOR_GOOD if file.to_all else ASK_AGAIN,
        "ETag": file.etag,
        "Accept-Ranges": "bytes",
    }


def _matches(condition: str, etag: str, *, weak: bool) -> bool:
    """Whether a list of entity tags, or ``*``, has ours. A weak tag counts only where
    comparison is weak (section 8.8.3.2)."""
    if condition.strip() == "*":
        return True
    said = _ETAGS.findall(condition)
    return etag in said or (weak and f"W/{etag}" in said)


def _part(
    headers: Mapping[str, str], file: Shown
) -> tuple[()] | tuple[int, int] | None:
    """First and last byte of the part that is asked for; ``()`` when there is no such
    part, None when all is to be sent: also for what is no range, and for several."""
    said = headers.get("range", "")
    asked = _RANGE.fullmatch(said.strip()) if len(said) <= LONGEST_RANGE else None
    if asked is None or asked[1] == asked[2] == "":
        return None
    if "if-range" in headers and headers["if-range"].strip() != file.etag:
        return None
    last = file.size - 1
    if not asked[1]:
        count = min(_number(asked[2]), file.size)
        return (file.size - count, last) if count else ()
    first = _number(asked[1])
    end = min(_number(asked[2]), last) if asked[2] else last
    if asked[2] and _number(asked[2]) < first:
        return None
    return (first, end) if first <= last else ()


def _number(digits: str) -> int:
    """As it stands there; beyond 18 digits it is larger than any file."""
    digits = digits.lstrip("0")
    return int(digits or 0) if len(digits) <= 18 else 10**18
