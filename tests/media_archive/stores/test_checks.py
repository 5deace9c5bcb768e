"""Settings of the store with which nothing could be kept are told in words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from media_archive import checks

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "checks.md"
WHOLE = {"bucket_name": "b", "access_key": "k", "secret_key": "s"}
HERE = {"endpoint_url": "http://127.0.0.1:9000"}


def said(settings: Any, accel: str = "", **options: str) -> list[Any]:
    settings.S3_OPTIONS = dict.fromkeys(settings.S3_OPTIONS, "") | options
    settings.PHOTOWALL_ACCEL_REDIRECT = accel
    return checks.check_store()


@pytest.mark.parametrize(
    ("accel", "options"),
    [
        ("", {}),
        ("/protected/", {}),
        ("", WHOLE),
        ("", WHOLE | HERE),
        ("", WHOLE | {"endpoint_url": "https://s3.example.org"}),
    ],
)
def test_what_is_whole_is_well(
    settings: Any, accel: str, options: dict[str, str]
) -> None:
    assert said(settings, accel, **options) == []


@pytest.mark.parametrize(
    ("accel", "options", "check_id", "words"),
    [
        ("", {"bucket_name": "b"}, "E006", "S3_ACCESS_KEY and S3_SECRET_KEY are not"),
        ("", WHOLE | {"secret_key": ""}, "E006", "but S3_SECRET_KEY is not set"),
        ("", WHOLE | {"endpoint_url": "s3.example.org"}, "E007", "no web address"),
        ("", WHOLE | {"endpoint_url": "http://[::1"}, "E007", "no web address"),
        ("", WHOLE | {"endpoint_url": "http://s3.example"}, "W003", "not encrypted"),
        ("protected", {}, "E008", "begin and end with a slash"),
        ("/protected/", WHOLE, "W004", "the files are in S3"),
    ],
)
def test_what_cannot_work_is_told(
    settings: Any, accel: str, options: dict[str, str], check_id: str, words: str
) -> None:
    (message,) = said(settings, accel, **options)
    assert message.id == f"photowall.{check_id}"
    assert words in message.msg
    assert message.hint
    assert f"`{message.id}`" in PAGE.read_text("utf-8")


def test_half_a_setting_stops_the_command_with_a_sentence() -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | {"S3_BUCKET": "pictures", "S3_SECRET_KEY": "hush-hush"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = result.stdout + result.stderr
    assert result.returncode != 0
    assert "photowall.E006" in said
    assert "S3_ACCESS_KEY is not set" in said
    assert "Traceback" not in said
    assert "hush-hush" not in said
