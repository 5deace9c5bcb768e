"""Nothing but ``outgoing_http`` opens connections to addresses from outside."""

from __future__ import annotations

import pytest

from tests.import_rules import ROOT, all_imports, modules

WAY_OUT = {
    "media_archive.guarded_connections",
    "media_archive.guarded_sockets",
    "media_archive.outgoing_http",
}
CLIENTS = (
    "aiohttp",
    "ftplib",
    "http.client",
    "httpx",
    "pycurl",
    "requests",
    "smtplib",
    "socket",
    "telnetlib",
    "urllib.request",
    "urllib3",
    "websockets",
)
"""What can call somebody."""

INSIDE = {
    "photowall.up.pip_wheel": "the registry of packages, before anything is installed",
    "photowall.up.ports": "its own processes, on this machine",
}
"""Who may use one of them for what is no address from outside."""


def is_client(target: str) -> bool:
    return any(target == name or target.startswith(f"{name}.") for name in CLIENTS)


def is_inside(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in INSIDE)


def test_no_other_module_can_call_anybody() -> None:
    found = {
        (module, target)
        for module, targets in all_imports().items()
        for target, _ in targets
        if is_client(target) and module not in WAY_OUT and not is_inside(module)
    }
    assert found == set()


def test_the_way_out_is_seen() -> None:
    """The control: what the first test looks for is found where it must be."""
    seen = {
        module
        for module, targets in all_imports().items()
        if any(is_client(target) for target, _ in targets)
    }
    assert seen >= WAY_OUT


def test_only_the_way_out_uses_its_connections() -> None:
    users = {
        module
        for module, targets in all_imports().items()
        for target, _ in targets
        if target == "media_archive.guarded_connections"
    }
    assert users == {"media_archive.outgoing_http"}


@pytest.mark.parametrize(
    "word", ["create_connection", "open_connection", "urlopen(", "getaddrinfo"]
)
def test_no_call_hides_behind_another_library(word: str) -> None:
    users = {
        name
        for name, path in modules(ROOT).items()
        if word in path.read_text(encoding="utf-8")
        and name not in WAY_OUT
        and not is_inside(name)
    }
    assert users == set()
