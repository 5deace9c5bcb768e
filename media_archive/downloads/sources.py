"""Which address a download takes, and which picture an address means. Pure.

A source is one size at the provider's address, as ``MediaAsset.sources`` keeps it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

Source = Mapping[str, Any]

MOST_PIXELS = 50_000_000
"""What says itself to be larger would be refused: it is asked for last."""


def best_first(sources: Sequence[Source], kind: str) -> list[str]:
    """The addresses of that kind ("image" or "video"), the largest first. A size that
    the provider does not tell counts as the smallest."""
    found = [s for s in sources if s.get("kind") == kind and s.get("url")]
    found.sort(key=_worth, reverse=True)
    # The same address may stand for two sizes.
    return list(dict.fromkeys(str(source["url"]) for source in found))


def has(sources: Sequence[Source], kind: str) -> bool:
    """Whether there is an address of that kind at all."""
    return any(source.get("kind") == kind for source in sources)


def key_of(sources: Sequence[Source]) -> str:
    """Which picture is meant (``MediaAsset.source_key``): of a film without a picture,
    which film. "" if there is neither."""
    urls = best_first(sources, "image") or best_first(sources, "video")
    return key_of_address(urls[0]) if urls else ""


def key_of_address(url: str | None) -> str:
    """A hash of the path, which stays when an address is signed anew or moves to
    another host of the provider. "" for no address."""
    if not url:
        return ""
    try:
        path = urlsplit(url).path
    except ValueError:
        # Brackets that are no IPv6 address: it is refused when it is called.
        path = url
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()


def is_signed(url: str) -> bool:
    """Whether its query looks as if it expires or is signed."""
    try:
        query = urlsplit(url).query.lower()
    except ValueError:
        return False
    names = {pair.partition("=")[0].rpartition("-")[2] for pair in query.split("&")}
    return not names.isdisjoint(SIGNING)


def meant_by(url: str | None) -> str | None:
    """What of an address says which picture is meant: of one that is signed its path,
    which is the same when it is signed anew; of any other all of it."""
    if url is None or "?" not in url or not is_signed(url):
        return url
    return urlsplit(url).path


SIGNING = frozenset({"sig", "signature", "expires", "oh", "oe", "token", "policy"})
"""Last words of the parameters that sign an address, at the usual hosts of pictures
("X-Amz-Signature", "oh" and "oe")."""


def _worth(source: Source) -> tuple[bool, int]:
    pixels = int(source.get("width") or 0) * int(source.get("height") or 0)
    return pixels <= MOST_PIXELS, pixels
