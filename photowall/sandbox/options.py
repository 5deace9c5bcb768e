"""The sandbox's own settings, with defaults for a process under the main ones
(the tests): only ``photowall.sandbox.settings`` defines them."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings


def database() -> Path:
    """The SQLite file of the sandbox's rows."""
    default = settings.VAR / "sandbox" / "db.sqlite3"
    return Path(getattr(settings, "PHOTOWALL_SANDBOX_DB", default))


def folder() -> Path:
    """Where drawn pictures are kept."""
    default = settings.VAR / "sandbox" / "pictures"
    return Path(getattr(settings, "PHOTOWALL_SANDBOX_FOLDER", default))


def pictures() -> int:
    """How many different pictures there are."""
    return int(getattr(settings, "PHOTOWALL_SANDBOX_PICTURES", 420))


def every() -> float:
    """Seconds between two posts of one followed tag."""
    return float(getattr(settings, "PHOTOWALL_SANDBOX_EVERY", 4.0))


def client() -> tuple[str, str]:
    """Id and secret of the API client that may follow; empty = none is made."""
    return (
        str(getattr(settings, "PHOTOWALL_SANDBOX_CLIENT_ID", "")),
        str(getattr(settings, "PHOTOWALL_SANDBOX_CLIENT_SECRET", "")),
    )
