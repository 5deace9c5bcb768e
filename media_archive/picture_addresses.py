"""Which pictures our pages can show: what their Content-Security-Policy lets through.

Any ``https:`` address; ``http:`` only from the origins that the settings name. What a
browser would refuse is not put on a page at all: no broken picture, no complaint in
the console. Nothing is judged but the address; the archive keeps all of them.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings


def may_be_shown(url: str) -> bool:
    """Whether a page of ours may load a picture or a film from ``url``."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme != "http":
        return parts.scheme == "https"
    origin = f"http://{parts.netloc}".lower()
    return any(_allows(source, origin) for source in _origins())


def _origins() -> list[str]:
    ours: str = settings.PHOTOWALL_BASE_URL
    named: list[str] = settings.PHOTOWALL_PICTURE_ORIGINS
    return [ours, *named]


def _allows(source: str, origin: str) -> bool:
    """By the rules of CSP sources: ``http:``, ``http://host[:port]``, or a host with
    ``*.`` before it. Ports other than the default one have to be named."""
    scheme, _, rest = source.lower().rpartition("://")
    if source.lower() in ("http:", "*"):
        return True
    if scheme not in ("", "http"):
        return False
    wanted, _, _ = rest.partition("/")
    host = origin.removeprefix("http://").removesuffix(":80")
    if wanted.startswith("*."):
        return host.endswith(wanted[1:])
    return host == wanted.removesuffix(":80")
