"""Picture addresses that expire, as those of the big hosts do.

While a fault of pictures is set, every answer of the v1 API signs the addresses of
its posts' pictures anew: ``tag`` says whose they are, ``oe`` until when (seconds since
1970, hex), ``oh`` that it was us. Without such a fault nothing is signed, and an
address without a signature is served to everybody.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode

ADDRESS = re.compile(r"(https?://[^/]+)(/sandbox/pictures/\d+-[\w-]+\.jpg)")
GOOD_FOR = 86_400
"""Seconds for which an address is good, unless a fault says otherwise."""
EXPIRED = "URL signature expired"
WRONG = "URL signature mismatch"

_key = secrets.token_bytes(32)


def sign(document: Any, tag: str, good_for: Callable[[], float]) -> Any:
    """``document`` (of the v1 API) with its posts' picture addresses signed.
    ``good_for()`` is asked once for each post: seconds from now."""
    data = document.get("data") if isinstance(document, dict) else None
    if isinstance(data, list):
        signed: Any = [_post(post, tag, good_for) for post in data]
    else:
        signed = _post(data, tag, good_for)
    return {**document, "data": signed} if data is not None else document


def refusal(path: str, query: str) -> str | None:
    """Why a picture is not served at this address; ``None`` = it is."""
    said = {name: values[-1] for name, values in parse_qs(query).items()}
    if "oh" not in said and "oe" not in said:
        return None
    until = said.get("oe", "")
    if not hmac.compare_digest(
        _signature(path, said.get("tag", ""), until), said.get("oh", "")
    ):
        return WRONG
    return EXPIRED if time.time() >= int(until, 16) else None


def tag_of(query: str) -> str:
    """The tag for which the address was given out; "" if none is said."""
    return parse_qs(query).get("tag", [""])[-1]


def _post(post: Any, tag: str, good_for: Callable[[], float]) -> Any:
    if not isinstance(post, dict):
        return post
    until = f"{int(time.time() + good_for()):x}"

    def signed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: signed(each) for name, each in value.items()}
        if isinstance(value, list):
            return [signed(each) for each in value]
        found = ADDRESS.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return value
        said = {"tag": tag, "oe": until, "oh": _signature(found[2], tag, until)}
        return f"{value}?{urlencode(said)}"

    return signed(post)


def _signature(path: str, tag: str, until: str) -> str:
    said = f"{path} {tag} {until}".encode()
    return hmac.digest(_key, said, "sha256").hex()[:32]
