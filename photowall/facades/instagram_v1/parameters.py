"""What a caller sent, wherever it put it: query, form, multipart, or a form without
any Content-Type (instagram-node-lib).

Of a name that occurs twice the last one counts (python-instagram sends two ``sig``).
Values have no NUL and no lone surrogates: a database could not hold them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl

from django.core.exceptions import (
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError

from photowall.facades.instagram_v1.errors import invalid, too_large

MOST_PARAMETERS = 100
LONGEST_BODY = 64 * 1024
"""Bytes. The longest honest one is a callback address and some words."""
LARGEST = 2**63 - 1
OVERRIDES = ("PUT", "DELETE")

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Parameters:
    """``query`` in its order, as ``next_url`` has to repeat it; ``body`` besides."""

    query: Sequence[tuple[str, str]]
    body: Sequence[tuple[str, str]] = ()

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """Read ``request``. Raises ``DialectError`` for what cannot be read."""
        query = _pairs(request.META.get("QUERY_STRING", ""))
        if request.method in ("GET", "HEAD"):
            return cls(query)
        return cls(query, _body(request))

    def get(self, name: str) -> str:
        """The value, without outer blanks; ``""`` = not given. Body before query."""
        for pairs in (self.body, self.query):
            for key, value in reversed(pairs):
                if key == name:
                    return value.strip()
        return ""

    def method(self, sent: str) -> str:
        """The method meant: a POST may say ``_method=DELETE``."""
        override = self.get("_method").upper()
        return override if sent == "POST" and override in OVERRIDES else sent

    def count(self, *, default: int, most: int) -> int:
        """How many entries are wanted, at most ``most``. Raises ``DialectError``."""
        text = self.get("count")
        if not text:
            return default
        if not _WHOLE_NUMBER.fullmatch(text):
            raise invalid("count must be a number")
        if text.startswith("-") or not text.strip("+0"):
            raise invalid("count must be larger than zero")
        return min(int(text), most) if len(text) < 10 else most

    def cursor(self, *names: str) -> int | None:
        """The first of ``names`` that is given, as a place in a listing. A number too
        large for one is beyond the newest. Raises ``DialectError``."""
        for name in names:
            text = self.get(name)
            if not text:
                continue
            if not (text.isascii() and text.isdigit()):
                raise invalid(f"{name} is not a cursor of this service")
            return min(int(text[:20]), LARGEST) if len(text) < 20 else LARGEST
        return None


def _pairs(text: str | bytes) -> list[tuple[str, str]]:
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    try:
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            errors="replace",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError as error:
        raise too_large() from error
    return _storable(pairs)


def _body(request: HttpRequest) -> list[tuple[str, str]]:
    try:
        if request.content_type == "multipart/form-data":
            if int(request.META.get("CONTENT_LENGTH") or 0) > LONGEST_BODY:
                raise too_large()
            posted = request.POST
            return _storable(
                (name, str(value))
                for name, values in posted.lists()
                for value in values
            )
        body = request.read(LONGEST_BODY + 1)
    except (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent) as error:
        raise too_large() from error
    except (MultiPartParserError, UnreadablePostError, LookupError) as error:
        # LookupError: a charset that is a codec, but none of text.
        raise invalid("The body cannot be read.") from error
    if len(body) > LONGEST_BODY:
        raise too_large()
    return _pairs(body)


def _storable(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(_UNSTORABLE.sub("", k), _UNSTORABLE.sub("", v)) for k, v in pairs]
