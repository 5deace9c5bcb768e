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


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "photowall.settings"}
        | GOOD
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_good_production_settings_start() -> None:
    assert start().returncode == 0


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
    refused = start(**environment)
    assert refused.returncode != 0
    assert sentence in refused.stderr.splitlines()[-1]
