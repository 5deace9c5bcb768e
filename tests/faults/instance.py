"""One whole Photowall under our control: every process by its handle.

On PostgreSQL it runs as in production: web processes behind a front, a worker with
two processes, and a timetable of its own. On SQLite it runs as ``up`` does: one web
process, and one worker with threads and the timetable in it. Redis, database and
upstream are its own, so that each may be harmed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from photowall.up.cast import DEMO_TAG
from photowall.up.places import CHECKOUT, lasting_secrets
from photowall.up.ports import HOST, answers_http
from tests.faults.brokers import Broker
from tests.faults.databases import Database, PostgresCluster, SqliteFile, wait_for
from tests.faults.front import Front
from tests.faults.processes import Process
from tests.faults.upstream import Upstream
from tests.server_process import CannotStart, free_port, new_folder

POLL_SECONDS = 10
"""How long a tag may stay unread here when nobody speaks of it. The product's
default is 300; the timetable looks every 30 s."""
CELERY = (sys.executable, "-m", "celery", "-A", "photowall")
TAG = DEMO_TAG


class Instance:
    """Started by ``start``, gone after ``end`` whatever happened in between."""

    def __init__(self, database: str) -> None:
        self.folder = new_folder(f"faults-{database}")
        self.secrets = lasting_secrets(self.folder / "secrets.json")
        self.front = Front()
        self.broker = Broker(self.folder)
        self.database: Database = (
            SqliteFile(self.folder / "db.sqlite3")
            if database == "sqlite"
            else PostgresCluster()
        )
        self.embedded = database == "sqlite"
        self.base_url = f"http://{HOST}:{self.front.port}"
        bare = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "REDIS_URL", "PHOTOWALL_LAYER_URL")
        }
        bare |= {
            "PHOTOWALL_VAR": str(self.folder),
            "SECRET_KEY": self.secrets["secret_key"],
            "PHOTOWALL_ENCRYPTION_KEY": self.secrets["encryption_key"],
            "PYTHONUNBUFFERED": "1",
        }
        self.upstream = Upstream(
            self.folder,
            self.secrets,
            bare | {"PHOTOWALL_PRIVATE_HOSTS": f"{HOST}:{self.front.port}"},
        )
        self._environment = bare | {
            "DJANGO_SETTINGS_MODULE": "photowall.settings",
            "DATABASE_URL": self.database.url,
            "REDIS_URL": self.broker.url,
            "PHOTOWALL_BASE_URL": self.base_url,
            "PHOTOWALL_PRIVATE_HOSTS": f"{HOST}:{self.upstream.port}",
            "PHOTOWALL_POLL_SECONDS": str(POLL_SECONDS),
        }
        self.web = self.new_web("web")
        self.worker = self.new_worker("worker")
        self.beat = None if self.embedded else self.new_beat("beat")
        self.callback = ""
        self._guests: list[Process] = []

    def start(self) -> None:
        """Everything, until the tag is followed and its first post archived."""
        self.broker.process.start()
        self.database.start()
        # Both start while the tables are made, as in `up`.
        self.upstream.process.begin()
        self.web.begin()
        self.front.send_to(self.web_port)
        self.follow()
        for process in (self.worker, self.beat):
            if process is not None:
                process.begin()
        self.upstream.start()
        self.web.wait_ready()
        row = self.database.ask("SELECT callback_id FROM subscriptions_subscription")
        callback_id = str(row[0][0]).replace("-", "")
        parts = (0, 8), (8, 12), (12, 16), (16, 20), (20, 32)
        dashed = "-".join(callback_id[begin:end] for begin, end in parts)
        self.callback = f"{self.base_url}/callbacks/{dashed}/"

    def follow(self) -> None:
        """What a person does who wants to be sure that the tag is followed."""
        self.command("prepare_demo", "--sandbox", self.upstream.url)

    def command(self, *words: str) -> None:
        """One of our commands. Raises ``CannotStart`` with its last words."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=CHECKOUT,
            env=self._environment | {"PHOTOWALL_ROLE": "command"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise CannotStart(f"{words[0]}: {(done.stderr or done.stdout)[-500:]}")

    def new_web(self, name: str) -> Process:
        """A web process at a port of its own; not started, not behind the front."""
        port = free_port()
        process = Process(
            name,
            [sys.executable, "-m", "photowall.serving", "-b", HOST, "-p", str(port)],
            self._environment | {"PHOTOWALL_ROLE": "web"},
            self.folder,
            partial(answers_http, port),
        )
        self._ports = {**getattr(self, "_ports", {}), name: port}
        return process

    @property
    def web_port(self) -> int:
        return self._ports[self.web.name]

    def new_worker(self, name: str) -> Process:
        """A worker; on SQLite with the timetable in it."""
        if self.embedded:
            words = [sys.executable, "-m", "photowall.up.worker"]
        else:
            words = [*CELERY, "worker", "--concurrency=2", "--loglevel=INFO"]
            words += ["-n", f"{name}@%h", "--without-gossip", "--without-mingle"]
        return Process(
            name, words, self._environment | {"PHOTOWALL_ROLE": "worker"}, self.folder
        )

    def new_beat(self, name: str) -> Process:
        """A timetable in a process of its own."""
        schedule = self.folder / f"{name}-schedule"
        words = [*CELERY, "beat", "--loglevel=INFO", "-s", str(schedule)]
        words += ["--pidfile="]
        return Process(
            name, words, self._environment | {"PHOTOWALL_ROLE": "worker"}, self.folder
        )

    def guest(self, process: Process) -> Process:
        """Start a process beside the usual ones; it ends with the instance."""
        self._guests.append(process)
        process.begin()
        return process

    def take_over(self, web: Process) -> None:
        """From now on this is the web process."""
        self.front.send_to(self._ports[web.name])
        self.web = web

    def heal(self) -> None:
        """Every usual process runs and serves."""
        for process in (self.broker.process, self.upstream.process):
            if not process.alive:
                process.start()
        self.database.start()
        wait_for(self.database)
        for each in (self.web, self.worker, self.beat):
            if each is not None:
                each.begin()
        self.web.wait_ready()

    def watch(self) -> list[str]:
        """Start again what has ended by itself, as whoever looks after a process
        does; the names."""
        usual = (self.web, self.worker, self.beat)
        ended = [each for each in usual if each is not None and not each.alive]
        for each in ended:
            each.begin()
        return [each.name for each in ended]

    def publish(self, count: int) -> list[str]:
        """Post at the upstream under the followed tag."""
        return self.upstream.publish(TAG, count)

    def one(self, sql: str) -> Any:
        """The first column of the first row, or ``None``."""
        rows = self.database.ask(sql)
        return rows[0][0] if rows else None

    def end(self) -> None:
        """Stop everything and remove every file."""
        for process in (*self._guests, self.web, self.worker, self.beat):
            if process is not None:
                process.end()
        self.upstream.end()
        self.broker.process.end()
        self.database.end()
        self.front.end()
        # Processes that have just been killed may leave a file a moment longer.
        for _ in range(3):
            shutil.rmtree(self.folder, ignore_errors=True)
            if not Path(self.folder).exists():
                return
            time.sleep(0.2)
