"""JSONP: the answer as a script that calls the caller's function.

The caller's page is another site's, so: GET only, strict names, a comment first
(whatever the name is, the body cannot start another format), nothing in it that
means something in HTML or ends a line of script.
"""

from __future__ import annotations

import re

from photowall.facades.instagram_v1.errors import invalid

CONTENT_TYPE = "application/javascript; charset=utf-8"

_NAME = re.compile(r"[A-Za-z0-9_.$\[\]]{1,128}")
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}


def function_name(text: str) -> str | None:
    """The name in ``callback=``; ``None`` = not asked for. Raises ``DialectError``
    for what is no name of a function."""
    if not text:
        return None
    if not _NAME.fullmatch(text):
        raise invalid("callback must be the name of a function")
    return text


def script(function: str, document: bytes) -> bytes:
    """``document`` (ASCII JSON, so U+2028 and U+2029 are escaped already) as the
    argument of ``function``."""
    argument = document.decode("ascii").translate(_ESCAPES)
    return f"/**/{function}({argument});".encode("ascii")
