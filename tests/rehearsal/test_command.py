"""`manage.py rehearse`: lists, refuses in one sentence, never with others."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from photowall.rehearsal.instance import CannotRehearse, alone, upstream_of
from photowall.rehearsal.scenarios import SCENARIOS
from photowall.rehearsal.upstream import SandboxRefused, Upstream
from subscriptions.models import ProviderAccount
from tests.server_process import free_port


def test_without_a_scenario_it_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("rehearse")
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [*SCENARIOS, "all"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sotrm"], "There is no scenario sotrm"),
        (["calm", "--posts", "4"], "--posts must be from 5 to 1,000."),
        (["calm", "--seconds-limit", "0"], "--seconds-limit must be more than 0."),
        (["calm"], "Start Photowall first: python3 manage.py up"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    words: list[str], sentence: str, settings: Settings, tmp_path: Path
) -> None:
    settings.VAR = tmp_path
    settings.PHOTOWALL_BASE_URL = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CommandError, match=sentence):
        call_command("rehearse", *words)


@pytest.mark.parametrize("given", [False, True])
def test_only_an_address_that_was_given_is_named(
    given: bool, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAR = tmp_path
    settings.PHOTOWALL_BASE_URL = base = f"http://127.0.0.1:{free_port()}"
    monkeypatch.delenv("PHOTOWALL_BASE_URL", raising=False)
    if given:
        monkeypatch.setenv("PHOTOWALL_BASE_URL", base)
    with pytest.raises(CommandError, match="does not run") as refused:
        call_command("rehearse", "calm")
    assert (base in str(refused.value)) is given


def test_one_at_a_time(settings: Settings, tmp_path: Path) -> None:
    settings.VAR = tmp_path
    with alone():
        pass
    with (tmp_path / "run" / "rehearsal.lock").open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(CannotRehearse, match="Another rehearsal"), alone():
            pytest.fail("two at a time")


def test_with_an_upstream_elsewhere_nothing_is_rehearsed() -> None:
    account = ProviderAccount(name="Sandbox", base_url="https://api.example.org/v1")
    with pytest.raises(CannotRehearse, match="not this machine"):
        upstream_of(account)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"status": 403, "response_json": {}}, "does not know our client secret"),
        ({"status": 404, "response_data": "?"}, "is no sandbox"),
        (
            {"status": 400, "response_json": {"error": {"message": "No."}}},
            "The sandbox refuses: No.",
        ),
    ],
)
def test_a_sandbox_that_refuses_is_quoted(
    settings: Settings, httpserver: HTTPServer, answer: dict[str, Any], sentence: str
) -> None:
    settings.PHOTOWALL_PRIVATE_HOSTS = [f"{httpserver.host}:{httpserver.port}"]
    given = httpserver.expect_request("/sandbox/faults/")
    if "response_json" in answer:
        given.respond_with_json(answer["response_json"], status=answer["status"])
    else:
        given.respond_with_data(answer["response_data"], status=answer["status"])
    upstream = Upstream(httpserver.url_for("").rstrip("/"), "id", "secret")
    with pytest.raises(SandboxRefused, match=sentence):
        upstream.faults()
