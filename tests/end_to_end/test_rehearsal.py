"""A rehearsal with a whole instance: it passes, and it can fail."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.end_to_end.running import ROOT, Running, running
from tests.server_process import free_port

CHILDREN = (
    "media_archive_mediatag",
    "media_archive_mediaasset",
    "media_archive_rawdocument",
    "subscriptions_match",
)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("rehearsal")
    environment = {"PHOTOWALL_SANDBOX_EVERY": "3600"}
    with running(folder, environment, f"--port={free_port()}") as started:
        yield started


def rehearse(instance: Running, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Its exit code and its sheets."""
    done = subprocess.run(
        [sys.executable, "manage.py", "rehearse", *words, "--json"],
        cwd=ROOT,
        env=instance.environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    sheets = [json.loads(line) for line in done.stdout.splitlines()]
    assert sheets, done.stderr
    return done.returncode, sheets


@pytest.mark.parametrize("scenario", ["storm", "revoked_token", "expired_addresses"])
def test_it_passes(instance: Running, scenario: str) -> None:
    code, (sheet,) = rehearse(instance, scenario, "--posts=10", "--seed=7")

    assert (code, sheet["passed"]) == (0, True), sheet
    assert sheet["published"] == sheet["archived"] == 10
    assert sheet["injected"]
    if scenario == "storm":
        assert sheet["receipts_kept"] >= 50
        assert sheet["calls"] <= 20
    if scenario == "expired_addresses":
        # Read again over HTTP by other processes, and kept: the bytes that were served.
        assert sheet["injected"]["picture_expired"] >= 3
        assert sheet["pictures"]["kept"] == 10
        assert sheet["checks"]["calls within budget"]
    with closing(_open(instance.var)) as rows:
        instance.until(lambda: _states(rows, sheet["tag"]) == {"ended"}, 20)


def test_ended_early_it_heals_and_leaves(instance: Running) -> None:
    words = [sys.executable, "manage.py", "rehearse", "server_errors", "--posts=10"]
    with subprocess.Popen(
        words,
        cwd=ROOT,
        env=instance.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        tags = instance.until(lambda: _faulty_tags(instance), 40)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)

    assert process.returncode == 130, said
    assert said.endswith("Ended early: faults are healed.\n")
    assert _faulty_tags(instance) == set()
    (tag,) = tags
    with closing(_open(instance.var)) as rows:
        instance.until(lambda: _states(rows, tag) == {"ended"}, 20)


def test_an_archive_that_loses_a_row_fails_and_the_row_is_named(
    instance: Running,
) -> None:
    lost: list[str] = []
    saboteur = threading.Thread(target=_lose_one, args=[instance.var, lost])
    saboteur.start()

    words = ["calm", "--posts=10", "--seconds-limit=4"]
    code, (sheet,) = rehearse(instance, *words)

    saboteur.join(30)
    assert lost
    assert (code, sheet["passed"]) == (1, False)
    assert sheet["lost"] == lost
    assert sheet["checks"]["published = archived"] is False
    assert sheet["checks"]["none doubled"] is True


def _faulty_tags(instance: Running) -> set[str]:
    """The tags for which a fault is set, as the sandbox says."""
    secrets = json.loads((instance.var / "secrets.json").read_text())
    answer = requests.get(
        f"{instance.demo['sandbox']}sandbox/faults/",
        headers={"Authorization": f"Bearer {secrets['sandbox_client_secret']}"},
        timeout=10,
    )
    return {fault["tag"] for fault in answer.json()["faults"]}


def _lose_one(var: Path, lost: list[str]) -> None:
    """Delete an archived post of the newest rehearsal, behind everybody's back."""
    newest = """SELECT m.id, m.native_id FROM media_archive_mediaitem m
        JOIN media_archive_mediatag l ON l.item_id = m.id
        JOIN media_archive_tag t ON t.id = l.tag_id
        JOIN subscriptions_subscription s ON s.tag = t.name
        WHERE s.state = 'active' AND t.name LIKE 'rehearsal%' ORDER BY m.id LIMIT 1"""
    deadline = time.monotonic() + 60
    with closing(_open(var)) as rows:
        while not lost and time.monotonic() < deadline:
            found = rows.execute(newest).fetchone()
            if found is None:
                time.sleep(0.02)
                continue
            for table in CHILDREN:
                rows.execute(f"DELETE FROM {table} WHERE item_id = ?", found[:1])
            rows.execute("DELETE FROM media_archive_mediaitem WHERE id = ?", found[:1])
            lost.append(found[1])


def _open(var: Path) -> sqlite3.Connection:
    return sqlite3.connect(var / "db.sqlite3", timeout=20, isolation_level=None)


def _states(rows: sqlite3.Connection, tag: str) -> set[str]:
    query = "SELECT state FROM subscriptions_subscription WHERE tag = ?"
    return {state for (state,) in rows.execute(query, [tag])}
