"""Blanks secrets in text that people will read: logs, reasons. Standard library only.

One pattern for all forms in which a named secret is written: ``name=value``,
``name: value``, the reprs of dicts and pairs, JSON (also inside another string), and
percent-encoded. Rather too much is blanked than too little.
"""

from __future__ import annotations

import re

_NAMES = (
    r"access_token|client_secret|client_id|(?:hub\.)?verify_token|token|sig"
    r"|password|secret_key|sessionid"
)
_HEADERS = r"(?:proxy-)?authorization|(?:set-)?cookie"
_STARTS = r"(?<![a-z0-9])|(?<=%[0-9a-f]{2})"
_IS = r"(?:\\{0,4}[\"']\s*[,:=]|\s*(?:=|:|%3D))\s*"
_QUOTED = (
    r"b?(?:\\{1,4}[\"'][^\"'\\\n]*"  # inside another string
    r"|\"(?:\\.|[^\"\\\n])*"
    r"|'(?:\\.|[^'\\\n])*)"
)
_SECRET = re.compile(
    rf"(?i)(?:{_STARTS})({_NAMES})({_IS})"
    rf"(?:{_QUOTED}|(?:(?!%26|%23)[^\s&\"'<>\\])+)"
)
_HEADER = re.compile(rf"(?i)(?:{_STARTS})({_HEADERS})({_IS})(?:{_QUOTED}|[^\n]+)")
_ADDRESS = re.compile(
    r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,20}://[^\s:/?#@]*):[^\s/?#@]+@"
)


def redact(text: str) -> str:
    """``text`` with the values of secrets blanked: … stands for each."""
    text = _ADDRESS.sub(r"\1:…@", text)
    text = _HEADER.sub(r"\1\2…", text)
    return _SECRET.sub(r"\1\2…", text)
