"""The running instance that is rehearsed with: found, or refused in one sentence."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError

from media_archive.errors import PhotowallError
from photowall.rehearsal.upstream import Upstream
from photowall.up.ports import answers_http
from subscriptions.models import ProviderAccount

ACCOUNT = "Sandbox"
"""What `up` calls its account at the sandbox."""
START = "Start Photowall first: python3 manage.py up"


class CannotRehearse(PhotowallError):
    """There is nothing to rehearse with; the message says what to do."""

    code = "cannot_rehearse"


def account_at_the_sandbox() -> ProviderAccount:
    """Whose web server answers. Raises ``CannotRehearse`` where there is none."""
    base = settings.PHOTOWALL_BASE_URL
    if not answers_http(urlsplit(base).port or 80):
        # Nobody who named no address needs to know which one we tried.
        where = f" at {base}" if "PHOTOWALL_BASE_URL" in os.environ else ""
        raise CannotRehearse(f"Photowall does not run{where}. {START}")
    try:
        account = ProviderAccount.objects.filter(name=ACCOUNT).first()
    except DatabaseError as error:
        raise CannotRehearse(f"There is no archive here. {START}") from error
    if account is None:
        raise CannotRehearse(f"This instance follows no sandbox. {START}")
    return account


def upstream_of(account: ProviderAccount) -> Upstream:
    """The sandbox of ``account``, which answers. Raises ``CannotRehearse`` and
    ``SandboxRefused``."""
    host = urlsplit(account.base_url).hostname or ""
    if not _is_near(host):
        raise CannotRehearse(f"{host} is not this machine: no rehearsal with others.")
    url = account.base_url.removesuffix("/v1")
    upstream = Upstream(url, account.client_id, account.client_secret)
    upstream.faults()
    return upstream


@contextmanager
def alone() -> Iterator[None]:
    """One rehearsal at a time: another one's faults would be ours. Raises
    ``CannotRehearse``."""
    path: Path = settings.VAR / "run" / "rehearsal.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotRehearse("Another rehearsal is running.") from error
        yield


def megabytes_of(name: str) -> float | None:
    """Resident memory of a process that `up` started; None where nobody knows."""
    try:
        pid = (settings.VAR / "run" / f"{name}.pid").read_text().split()[0]
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    except (OSError, IndexError, ValueError):
        return None
    return None


def _is_near(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
