"""Who serves others must not do it half-open: such settings refuse to start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GOOD = {
    "PHOTOWALL_HTTPS": "1",
    "SECRET_KEY": "a-real-secret-key-of-more-than-32-characters",
    "ALLOWED_HOSTS": "wall.example.org",
}


OURS = ("SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "PHOTOWALL_")


def start(
    program: str = "import django; django.setup()", **environment: str
) -> subprocess.CompletedProcess[str]:
    """A process with these settings of ours, and no other."""
    around = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**around, "DJANGO_SETTINGS_MODULE": "photowall.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def setting(name: str, **environment: str) -> str:
    program = f"from django.conf import settings; print(repr({name}))"
    done = start(program, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_good_production_settings_start() -> None:
    assert start(**GOOD).returncode == 0


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"DEBUG": "1"},
        {"ALLOWED_HOSTS": "127.0.0.1,127.8.0.1,localhost,[::1],::1"},
        {"PHOTOWALL_BASE_URL": "http://[::1]:8000", "DEBUG": "1"},
        {"PHOTOWALL_BASE_URL": "http://LOCALHOST:8000/"},
    ],
)
def test_on_this_machine_alone_nothing_must_be_set(environment: dict[str, str]) -> None:
    done = start(**environment)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"SECRET_KEY": "insecure-development-key-set-SECRET_KEY"}, "Set SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "Set SECRET_KEY"),
        ({"DEBUG": "1"}, "Unset DEBUG"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        (
            {"PHOTOWALL_HTTPS": "0", "PHOTOWALL_BEHIND_PROXY": "1", "DEBUG": "1"},
            "DEBUG",
        ),
    ],
)
def test_half_open_settings_refuse(environment: dict[str, str], sentence: str) -> None:
    refused = start(**GOOD | environment)
    assert refused.returncode != 0
    assert sentence in refused.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"ALLOWED_HOSTS": "wall.example.org"}, "Set SECRET_KEY"),
        ({"ALLOWED_HOSTS": "localhost,192.168.0.7"}, "Set SECRET_KEY"),
        ({"ALLOWED_HOSTS": ".localhost.example.org"}, "Set SECRET_KEY"),
        ({"ALLOWED_HOSTS": "0.0.0.0"}, "Set SECRET_KEY"),
        ({"ALLOWED_HOSTS": "testserver"}, "Set SECRET_KEY"),
        ({"ALLOWED_HOSTS": "*"}, "Set SECRET_KEY"),
        ({"PHOTOWALL_BASE_URL": "http://wall.example.org"}, "Set SECRET_KEY"),
        (
            {
                "ALLOWED_HOSTS": "wall.example.org",
                "PHOTOWALL_BASE_URL": "http://wall.example.org",
            },
            "Set SECRET_KEY",
        ),
        ({**GOOD, "PHOTOWALL_HTTPS": "0", "DEBUG": "1"}, "Unset DEBUG"),
        (
            {**GOOD, "PHOTOWALL_HTTPS": "0", "ALLOWED_HOSTS": "*"},
            "Name our hosts in ALLOWED_HOSTS",
        ),
    ],
)
def test_plain_http_for_others_is_held_to_the_same(
    environment: dict[str, str], sentence: str
) -> None:
    refused = start(**environment)
    assert refused.returncode != 0
    last = refused.stderr.splitlines()[-1]
    assert "ImproperlyConfigured: " in last
    assert sentence in last


def test_messages_of_the_admin_are_not_kept_in_a_cookie() -> None:
    assert "session" in setting("settings.MESSAGE_STORAGE")


@pytest.mark.parametrize(("role", "seconds"), [("web", "1.5"), ("worker", None)])
def test_a_web_process_does_not_wait_long_for_postgresql(
    role: str, seconds: str | None
) -> None:
    options = "settings.DATABASES['default'].get('OPTIONS', {}).get('pool', {})"
    url = "postgres://nobody@127.0.0.1:1/none"
    waits = setting(f"{options}.get('timeout')", PHOTOWALL_ROLE=role, DATABASE_URL=url)
    assert waits == str(seconds)


@pytest.mark.parametrize("role", ["web", "worker"])
def test_a_database_that_vanished_is_given_up(role: str) -> None:
    options = "settings.DATABASES['default']['OPTIONS']"
    names = ("connect_timeout", "tcp_user_timeout", "keepalives_idle")
    said = setting(
        f"[{options}.get(name) for name in {names}]",
        PHOTOWALL_ROLE=role,
        DATABASE_URL="postgres://nobody@127.0.0.1:1/none?connect_timeout=2",
    )
    assert said == "[2, 15000, 15]"


@pytest.mark.parametrize(("role", "seconds"), [("web", "5"), ("worker", "20")])
def test_a_web_process_does_not_wait_long_for_sqlite(role: str, seconds: str) -> None:
    options = "settings.DATABASES['default']['OPTIONS']"
    waits = setting(
        f"{options}['timeout']", PHOTOWALL_ROLE=role, DATABASE_URL="sqlite:///:memory:"
    )
    assert waits == seconds
