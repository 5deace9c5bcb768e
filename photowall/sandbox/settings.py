"""The settings of the sandbox: the same product with its own rows, alone.

It has its own SQLite file and no broker: no task is rung, one process does it all.
Every variable read here stands in ``docs/reference/settings.md``.
"""

from __future__ import annotations

from pathlib import Path

from photowall.settings import *  # noqa: F403  all settings, then what differs
from photowall.settings import INSTALLED_APPS, VAR, env

ROOT_URLCONF = "photowall.sandbox.urls"
ASGI_APPLICATION = "photowall.sandbox.asgi.application"
INSTALLED_APPS = [*INSTALLED_APPS, "photowall.sandbox"]
PHOTOWALL_BASE_URL = env.str(
    "PHOTOWALL_BASE_URL", default="http://127.0.0.1:8001"
).rstrip("/")

# --- Its own rows and files ---------------------------------------------------
PHOTOWALL_SANDBOX_DB = Path(
    env.str("PHOTOWALL_SANDBOX_DB", default=str(VAR / "sandbox" / "db.sqlite3"))
)
PHOTOWALL_SANDBOX_FOLDER = PHOTOWALL_SANDBOX_DB.parent / "pictures"
PHOTOWALL_SANDBOX_PICTURES = env.int("PHOTOWALL_SANDBOX_PICTURES", default=420)
"""Different pictures: twenty rounds through all scenes, about 75 MB of files."""
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(PHOTOWALL_SANDBOX_DB),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
        },
    }
}

# --- Its pace, and who may follow it ------------------------------------------
PHOTOWALL_SANDBOX_EVERY = env.float("PHOTOWALL_SANDBOX_EVERY", default=4.0)
PHOTOWALL_SANDBOX_CLIENT_ID = env.str("PHOTOWALL_SANDBOX_CLIENT_ID", default="")
PHOTOWALL_SANDBOX_CLIENT_SECRET = env.str("PHOTOWALL_SANDBOX_CLIENT_SECRET", default="")

# --- Alone in its process -----------------------------------------------------
PHOTOWALL_RING_TASKS = False
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
# Cookies know no ports: both instances' admins can be open in one browser.
SESSION_COOKIE_NAME = "sandbox_sessionid"
CSRF_COOKIE_NAME = "sandbox_csrftoken"
