"""Which addresses are public, by our own table, and which URLs we call at all.

Not ``ipaddress.is_global``: what it answers changes between Python releases. The
table follows the IANA special-purpose registries (IPv4, IPv6, read 2026-11). All
that carries an IPv4 address inside (mapped, compatible, NAT64, 6to4, Teredo) is
refused as a whole, whatever it carries.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from media_archive.errors import RefusedAddress

MAX_URL = 2_048
PORTS = {"http": 80, "https": 443}

SPECIAL_IPV4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's own service, in public space
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)

PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
"""All that is handed out. Loopback, mapped, compatible, NAT64, local, site-local,
link-local, segment routing and multicast lie outside of it."""

SPECIAL_IPV6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)

_UNSPEAKABLE = re.compile("[\x00-\x20\x7f-\xa0\\\\\u2028\u2029\ud800-\udfff]")
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def is_public(address: str) -> bool:
    """Whether ``address`` (an IP address as text) is one that anybody may call."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in SPECIAL_IPV4)
    if ip.scope_id is not None or ip not in PUBLIC_IPV6:
        return False
    return not any(ip in network for network in SPECIAL_IPV6)


@dataclass(frozen=True, slots=True)
class Target:
    """An address to call, taken apart once: what is checked is what is called.

    ``host`` is ASCII in lower case, without brackets; ``path`` starts with ``/``
    and holds the query; ``url`` is the whole, put together again.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def pair(self) -> str:
        """``host:port`` as it is written in ``PHOTOWALL_PRIVATE_HOSTS``."""
        return f"{self._bracketed}:{self.port}"

    @property
    def authority(self) -> str:
        """The ``Host`` header."""
        usual = self.port == PORTS[self.scheme]
        return self._bracketed if usual else self.pair

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def parse_target(url: str) -> Target:
    """Take ``url`` apart. Raises ``RefusedAddress`` with a reason for people.

    This only reads; whether the host is private is decided when connecting.
    """
    if len(url) > MAX_URL:
        raise RefusedAddress(f"The address is longer than {MAX_URL} characters.")
    if _UNSPEAKABLE.search(url):
        raise RefusedAddress("The address has blanks or control characters in it.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise RefusedAddress("The address is malformed.") from error
    if parts.scheme not in PORTS:
        raise RefusedAddress("Only http and https addresses are called.")
    if "@" in parts.netloc:
        raise RefusedAddress("The address has a user name or password in it.")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    if parts.query:
        path += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~?[]{}|^")
    return Target(
        scheme=parts.scheme,
        host=_ascii_host(host, literal="[" in parts.netloc),
        port=PORTS[parts.scheme] if port is None else port,
        path=path,
    )


def _ascii_host(host: str, *, literal: bool) -> str:
    if literal:
        try:
            ip = ipaddress.IPv6Address(host)
        except ValueError as error:
            raise RefusedAddress("The host is not an IPv6 address.") from error
        if ip.scope_id is not None:
            raise RefusedAddress("The host names a network interface.")
        return str(ip)
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise RefusedAddress("The host is not a name.") from error
    name = name.lower().removesuffix(".")
    if not _NAME.fullmatch(name) or ".." in name:
        raise RefusedAddress("The host is not a name.")
    # 2130706433, 0x7f.1 and 0177.0.0.1 are ways to write 127.0.0.1: only the usual
    # spelling of an IPv4 address is taken.
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError as error:
            raise RefusedAddress("The host is not an IPv4 address.") from error
    return name
