"""The upstream of a fault test: the sandbox, its posters, and what it believes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import requests

from photowall.up.places import CHECKOUT
from photowall.up.ports import answers_http
from tests.faults.processes import Process
from tests.server_process import free_port

FAULTS = "/sandbox/faults/"
LIES = {"silence", "delayed", "out_of_order"}
"""Faults with which it believes to have told us what it has not, or not yet."""


class Upstream:
    """The sandbox as processes: its server, and who posts there.

    What it lists, and what it has delivered, is read from its own file.
    """

    def __init__(
        self, folder: Path, secrets: Mapping[str, str], environment: Mapping[str, str]
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        secret = secrets["sandbox_client_secret"]
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._file = folder / "sandbox" / "db.sqlite3"
        self._environment = dict(environment) | {
            "DJANGO_SETTINGS_MODULE": "photowall.sandbox.settings",
            "PHOTOWALL_BASE_URL": self.url,
            "PHOTOWALL_ROLE": "sandbox",
            "PHOTOWALL_SANDBOX_CLIENT_ID": secrets["sandbox_client_id"],
            "PHOTOWALL_SANDBOX_CLIENT_SECRET": secret,
            "PHOTOWALL_SANDBOX_DB": str(self._file),
            "PHOTOWALL_SANDBOX_PICTURES": "2",
        }
        port = ["--port", str(self.port)]
        self.process = Process(
            "sandbox",
            [sys.executable, "manage.py", "sandbox", "--no-publish", *port],
            self._environment,
            folder,
            partial(answers_http, self.port),
        )
        self._folder = folder
        self._posters: subprocess.Popen[str] | None = None
        self._honest_until: set[str] | None = None
        self._not_sent: set[str] = set()

    def start(self) -> None:
        """Server and posters."""
        self.process.start()
        with (self._folder / "posting.log").open("ab") as log:
            self._posters = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.posting"],
                cwd=CHECKOUT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def publish(self, tag: str, count: int) -> list[str]:
        """Post; the native ids. Works while the upstream's server is down."""
        posters = self._posters
        if posters is None or posters.stdin is None or posters.stdout is None:
            raise RuntimeError("nobody posts yet")
        posters.stdin.write(f"{tag} {count}\n")
        posters.stdin.flush()
        answer = posters.stdout.readline()
        if not answer:
            log = (self._folder / "posting.log").read_text(errors="replace")
            raise RuntimeError(f"the posters have ended: {log[-500:]}")
        return [str(native_id) for native_id in json.loads(answer)]

    def hang(self) -> None:
        """Its server stands still, at a moment when it does not keep the posters from
        its file."""
        while True:
            self.process.hang()
            try:
                self._change("DELETE FROM facades_delivery WHERE 1 = 0", patience=0.2)
            except sqlite3.OperationalError:
                self.process.go_on()
                time.sleep(0.05)
            else:
                return

    def misbehave(self, faults: Sequence[Mapping[str, Any]], seed: int) -> None:
        """What its server does wrong from now on; nothing with an empty list."""
        told = self._delivered()
        if self._honest_until is not None:
            self._not_sent |= told - self._honest_until
        lies = any(fault["kind"] in LIES for fault in faults)
        self._honest_until = told if lies else None
        answer = requests.put(
            self.url + FAULTS,
            json={"faults": list(faults), "seed": seed},
            headers=self._headers,
            timeout=10,
        )
        answer.raise_for_status()

    def misdeeds(self) -> int:
        """How often it did wrong since it was told to."""
        answer = requests.get(self.url + FAULTS, headers=self._headers, timeout=10)
        answer.raise_for_status()
        return sum(answer.json()["injected"].values())

    def listing(self, tag: str) -> set[str]:
        """The native ids of all that it lists under the tag."""
        rows = self._ask(
            "SELECT i.native_id FROM media_archive_mediaitem i"
            " JOIN media_archive_mediatag l ON l.item_id = i.id"
            " JOIN media_archive_tag t ON t.id = l.tag_id"
            f" WHERE t.name = '{tag}' AND i.visibility = 'visible'"
        )
        return {str(row[0]) for row in rows}

    def told(self) -> set[str]:
        """SHA-256 of every notification that it saw answered with a 2xx."""
        return self._delivered() - self._not_sent

    def _delivered(self) -> set[str]:
        rows = self._ask("SELECT body FROM facades_delivery WHERE state = 'delivered'")
        return {hashlib.sha256(bytes(row[0])).hexdigest() for row in rows}

    def knows_us(self, callback: str) -> bool:
        """Whether it would notify this address."""
        rows = self._ask(
            "SELECT 1 FROM facades_endpoint WHERE state IN ('active', 'failing')"
            f" AND callback_url = '{callback}'"
        )
        return bool(rows)

    def forget_us(self) -> None:
        """Subscriptions vanish, as they did at the real one."""
        self._change("DELETE FROM facades_delivery")
        self._change("DELETE FROM facades_endpoint")

    def be_patient_no_more(self) -> None:
        """Whatever it wanted to try again much later, it tries now: a test does not
        begin in the last one's shadow."""
        self._change(
            "UPDATE facades_delivery SET next_attempt_at = '2000-01-01 00:00:00',"
            " attempts = 0 WHERE state = 'retry_wait'"
        )

    def end(self) -> None:
        """Both processes."""
        if self._posters is not None:
            self._posters.kill()
            self._posters.wait(10)
        self.process.end()

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self._file, timeout=30)) as own:
            return own.execute(sql).fetchall()

    def _change(self, sql: str, patience: float = 30) -> None:
        connection = sqlite3.connect(self._file, timeout=patience)
        with contextlib.closing(connection) as own, own:
            own.execute(sql)
