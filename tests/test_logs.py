"""No secret reaches a log, in whatever form, and no stranger writes a line of ours."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from media_archive.redaction import redact
from photowall.logs import RedactingFormatter

ROOT = Path(__file__).resolve().parents[1]
SECRET = "s3cr3t-of-ours"
NAMES = (
    "access_token",
    "client_secret",
    "client_id",
    "sig",
    "verify_token",
    "hub.verify_token",
    "token",
    "csrf_token",
    "password",
    "SECRET_KEY",
    "sessionid",
)


def formatted(message: object, *args: object, **more: object) -> str:
    """What the handler would write, without the time."""
    record = logging.LogRecord(
        "photowall", logging.ERROR, "x.py", 1, message, args, None
    )
    record.__dict__.update(more)
    return RedactingFormatter("{levelname} {message}", style="{").format(record)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "form",
    [
        "GET /v1/x?{name}={value}&count=20",
        "{name} = {value} count=20",
        "{name}: {value} count=20",
        "{{'{name}': '{value}', 'count': 20}}",
        '{{"{name}": "{value}", "count": 20}}',
        '{{\\"{name}\\": \\"{value}\\", \\"count\\": 20}}',
        "{{b'{name}': b'{value}', 'count': 20}}",
        "[('{name}', '{value}'), ('count', 20)]",
        "q=a%26{name}%3D{value}%26count%3D20",
        "{name}='{value} with spaces' count",
        '{name}="with a \\" in {value}" count',
    ],
)
def test_a_secret_is_blanked_in_every_form(name: str, form: str) -> None:
    said = redact(form.format(name=name, value=SECRET))
    assert SECRET not in said
    assert "with" not in said
    assert name in said
    assert "count" in said


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Token {SECRET}",
        f"authorization: Bearer {SECRET}",
        f"{{'Authorization': 'Basic {SECRET}', 'Accept': '*/*'}}",
        f"(b'authorization', b'Token {SECRET}')",
        f'Authorization: Digest username="a", response="{SECRET}"',
        f"Cookie: a=b; other={SECRET}",
        f"redis://:{SECRET}@127.0.0.1:6379/0",
        f"postgres://wall:{SECRET}@db.example.org/wall",
    ],
)
def test_headers_and_addresses_lose_their_secret(text: str) -> None:
    said = redact(text)
    assert SECRET not in said
    assert said != ""


@pytest.mark.parametrize(
    "text",
    [
        "The token is missing.",
        "Reading https://example.org:8000/v1/tags/fox/media/recent?count=20",
        "{'max_tag_id': '17', 'count': 20}",
        "mytoken=1 design: nice",
        "A photo by ada@example.org: http://example.org/a@b",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_redacting_a_long_text_is_quick() -> None:
    for piece in ("token", "a.", "token='", "\\", "x://", "sig: "):
        text = piece * (200_000 // len(piece))
        assert len(redact(text)) > 0


def test_a_traceback_and_a_stack_are_redacted_and_keep_their_lines() -> None:
    try:
        raise ValueError(f"client_secret={SECRET}")
    except ValueError:
        said = formatted(
            "Went wrong", exc_info=sys.exc_info(), stack_info=f"token={SECRET}"
        )
    assert SECRET not in said
    lines = said.splitlines()
    assert lines[0] == "ERROR Went wrong"
    assert "  ValueError: client_secret=…" in lines
    assert "  token=…" in lines
    assert all(line.startswith("  ") for line in lines[1:])


def test_a_record_formatted_by_another_before_is_redacted_all_the_same() -> None:
    assert SECRET not in formatted("x", exc_text=f"ValueError: token={SECRET}")


def test_a_line_feed_in_a_message_begins_no_line_of_ours() -> None:
    said = formatted("tag %s", "fox\n2026 INFO forged\r\x1b[2J\u2028\x85\u202e")
    assert said == "ERROR tag fox\\n2026 INFO forged\\x0d\\x1b[2J\\u2028\\x85\\u202e"


def test_a_line_feed_in_an_exception_begins_no_line_of_ours() -> None:
    try:
        raise ValueError("a\nERROR forged\r\x1b")
    except ValueError:
        said = formatted("x", exc_info=sys.exc_info())
    assert "  ERROR forged\\x0d\\x1b" in said.split("\n")
    assert "\nERROR" not in said


def test_a_message_that_does_not_fit_its_arguments_is_no_way_around() -> None:
    said = formatted("%d and %s", f"token={SECRET}")
    assert said.startswith("ERROR %d and %s")
    assert SECRET not in said


def test_what_is_configured_redacts_ours_djangos_and_celerys() -> None:
    program = f"""
import django; django.setup()
import logging
from celery.utils.log import get_task_logger
from photowall.celery import app
app.log.setup(loglevel="INFO")
names = ("photowall", "django", "django.request", "django.server", "celery", "twisted")
for name in names:
    try:
        raise ValueError("client_secret={SECRET}")
    except ValueError:
        logging.getLogger(name).exception("token=%s", "{SECRET}")
get_task_logger("x").error("token={SECRET}")
print("done")
"""
    for debug in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=os.environ | {"DEBUG": debug},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.strip() == "done", done.stderr
        assert SECRET not in done.stderr
        assert done.stderr.count("token=…") == 7, json.dumps(done.stderr)
