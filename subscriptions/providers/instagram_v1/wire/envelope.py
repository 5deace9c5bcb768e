"""What is around the data: the envelope, errors, the budget, bytes.

An error comes in two shapes (recorded 2011-2018): ``{"meta": {code, error_type,
error_message}}``, and the same three keys at the top, which the rate limiter and
the signature check send.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from subscriptions.providers.base import Quota
from subscriptions.providers.instagram_v1.wire import fields

CONTENT_TYPE = "application/json; charset=utf-8"
MAX_MESSAGE = 300
MAX_NUMBER = 100
MAX_DEPTH = 64
"""Brackets around a value. A page has 8; Python gives up at about 1,000."""
MAX_QUOTA = 2**31 - 1

# The dialect's own names of secrets. Logs and reasons blank once more, and more, with
# media_archive.redaction; a wire reads without it, so that it can be taken out whole.
_SECRETS = re.compile(
    r"(?i)(?:\b|(?<=%[0-9a-f]{2}))(access_token|client_secret|client_id|sig|(?:hub\.)?verify_token)"
    r"(\\?[\"']?\s*(?:=|:|%3D)\s*\\?[\"']?)"
    r"((?:(?!%26|%23)[^\s&\"'<>#;\\,})])+)"
)


class NotOurFormat(ValueError):
    """The bytes or the document are not Instagram API v1; the text says why."""


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An error as the upstream said it. ``message`` is safe to store and show."""

    code: int
    error_type: str
    message: str


def decode(body: bytes) -> object:
    """Bytes → document. Raises ``NotOurFormat``; bad UTF-8 becomes U+FFFD.

    What JSON cannot carry on (NaN, 1e999, numbers of thousands of digits) must not
    take its page along: it becomes ``None``, or the text as it was written. What lies
    more than ``MAX_DEPTH`` deep becomes text too.
    """
    text = body.decode("utf-8-sig", "replace")
    try:
        document = _shallow(text)
        if document is None:
            document = _loads(_with_depths_as_text(text))
    except (ValueError, RecursionError) as error:
        raise NotOurFormat("The answer is not JSON.") from error
    return document


def _shallow(text: str) -> object:
    """The document; ``None`` if parts of it lie too deep (or if it is null)."""
    try:
        document = _loads(text)
    except RecursionError:
        return None
    return None if _is_deep(document) else document


def _loads(text: str) -> object:
    document: object = json.loads(
        text,
        parse_constant=lambda _: None,
        parse_int=lambda digits: int(digits) if len(digits) < MAX_NUMBER else digits,
        parse_float=_parse_float,
    )
    return document


def _is_deep(document: object) -> bool:
    """Whether something lies more than ``MAX_DEPTH`` brackets deep."""
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        level = [inner for inner in level if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _with_depths_as_text(text: str) -> str:
    """JSON whose parts below ``MAX_DEPTH`` stand in it as texts, as they were."""
    parts, depth, kept, began = [], 0, 0, 0
    for found in _STRING_OR_BRACKETS.finditer(text):
        if found[0][0] in "[{":
            if depth <= MAX_DEPTH < depth + len(found[0]):
                began = found.start() + MAX_DEPTH - depth
            depth += len(found[0])
        elif found[0][0] in "]}":
            if depth - len(found[0]) <= MAX_DEPTH < depth:
                end = found.start() + depth - MAX_DEPTH
                parts += [text[kept:began], json.dumps(text[began:end])]
                kept = end
            depth -= len(found[0])
    return "".join([*parts, text[kept:]])


# A string without its end is one as well: else each quote in it would be tried as the
# beginning of another.
_STRING_OR_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]+|[\]}]+', re.DOTALL)


def _parse_float(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def encode(document: object) -> bytes:
    """Document → bytes as the old API sent them: ASCII with ``\\u`` escapes."""
    return json.dumps(document, ensure_ascii=True).encode("ascii")


def error_in(status: int, document: object) -> ErrorAnswer | None:
    """The error of an answer, or ``None`` if it is a success.

    The code in the body outranks the HTTP status: gateways answer 200 with an
    enveloped 429. ``document`` may be anything, also ``None`` for "no JSON".
    """
    outside = fields.mapping(document)
    said = fields.mapping(outside.get("meta")) or outside
    code = fields.integer(said.get("code"), 999)
    if code is None and "error_type" in said:
        code = status if status >= 400 else 500
    if code is None or (code < 400 <= status):
        code = status
    if 200 <= code < 300:
        return None
    return ErrorAnswer(
        code=code,
        error_type=shown(said.get("error_type")),
        message=shown(said.get("error_message")),
    )


def shown(value: object) -> str:
    """Upstream text for people: secrets blanked, no control characters, ≤ 300."""
    read = value[: 20 * MAX_MESSAGE] if isinstance(value, str) else ""
    read = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in read)
    return _SECRETS.sub(r"\1\2…", read).strip()[:MAX_MESSAGE]


def quota_in(headers: Mapping[str, str]) -> Quota:
    """The budget in ``X-Ratelimit-*``; ``headers`` has lower-case names."""
    return Quota(
        limit=fields.integer(headers.get("x-ratelimit-limit", "").strip(), MAX_QUOTA),
        remaining=fields.integer(
            headers.get("x-ratelimit-remaining", "").strip(), MAX_QUOTA
        ),
    )


def data_in(document: object) -> object:
    """What the envelope holds. Raises ``NotOurFormat`` if there is no envelope."""
    if not isinstance(document, Mapping) or "data" not in document:
        raise NotOurFormat("The answer has no data.")
    return document["data"]


def render_envelope(
    data: object, pagination: Mapping[str, object] | None = None
) -> dict[str, object]:
    """A success. ``pagination`` belongs to lists; it may be empty, never null."""
    answer: dict[str, object] = {"meta": {"code": 200}, "data": data}
    return answer if pagination is None else {"pagination": dict(pagination), **answer}


def render_error(
    code: int, error_type: str, message: str, *, enveloped: bool = True
) -> dict[str, object]:
    """An error. Not enveloped: rate limit, signature and token exchange."""
    said: dict[str, object] = {
        "error_type": error_type,
        "code": code,
        "error_message": message,
    }
    return {"meta": said} if enveloped else said
