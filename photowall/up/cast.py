"""Who `up` starts: the commands, their environment, and how each shows it is ready."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from photowall.up import broker
from photowall.up.child import Child, end_with_parent
from photowall.up.console import Refusal
from photowall.up.places import CHECKOUT, Places
from photowall.up.ports import HOST, answers_http, answers_redis

MANAGE = (sys.executable, str(CHECKOUT / "manage.py"))
DEMO_TAG = "photowall"


@dataclass(frozen=True)
class Cast:
    """One run's addresses and secrets, and the children made from them."""

    places: Places
    secrets: dict[str, str]
    web_port: int
    sandbox_port: int | None
    broker_port: int | None
    redis_url: str

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.web_port}"

    @property
    def sandbox_url(self) -> str | None:
        return f"http://{HOST}:{self.sandbox_port}" if self.sandbox_port else None

    def environment(self, role: str) -> dict[str, str]:
        """What the main instance's processes are given."""
        given = os.environ.copy()
        database = f"sqlite:///{self.places.var / 'db.sqlite3'}"
        given.setdefault("DATABASE_URL", database)
        given.setdefault("SECRET_KEY", self.secrets["secret_key"])
        given.setdefault("PHOTOWALL_ENCRYPTION_KEY", self.secrets["encryption_key"])
        given.setdefault("PHOTOWALL_OPEN_SUBSCRIBE", "1")
        given |= {
            "DJANGO_SETTINGS_MODULE": "photowall.settings",
            "PYTHONUNBUFFERED": "1",
            "REDIS_URL": self.redis_url,
            "PHOTOWALL_BASE_URL": self.base_url,
            "PHOTOWALL_VAR": str(self.places.var),
            "PHOTOWALL_ROLE": role,
        }
        if self.sandbox_port:
            private = f"{HOST}:{self.sandbox_port}"
            _add(given, "PHOTOWALL_PRIVATE_HOSTS", private)
        return given

    def _sandbox_environment(self) -> dict[str, str]:
        """Another instance: none of the first one's rows, and no broker."""
        given = os.environ.copy()
        for name in ("DATABASE_URL", "REDIS_URL", "PHOTOWALL_LAYER_URL"):
            given.pop(name, None)
        given.setdefault("SECRET_KEY", self.secrets["secret_key"])
        given.setdefault("PHOTOWALL_ENCRYPTION_KEY", self.secrets["encryption_key"])
        return given | {
            "DJANGO_SETTINGS_MODULE": "photowall.sandbox.settings",
            "PYTHONUNBUFFERED": "1",
            "PHOTOWALL_BASE_URL": str(self.sandbox_url),
            "PHOTOWALL_PRIVATE_HOSTS": f"{HOST}:{self.web_port}",
            "PHOTOWALL_ROLE": "sandbox",
            "PHOTOWALL_SANDBOX_CLIENT_ID": self.secrets["sandbox_client_id"],
            "PHOTOWALL_SANDBOX_CLIENT_SECRET": self.secrets["sandbox_client_secret"],
            "PHOTOWALL_SANDBOX_DB": str(self.places.sandbox / "db.sqlite3"),
            "PHOTOWALL_VAR": str(self.places.var),
        }

    def broker(self) -> Child | None:
        if self.broker_port is None:
            return None
        return Child(
            "broker",
            broker.command(
                self.places, self.broker_port, self.secrets["broker_password"]
            ),
            os.environ,
            self.places,
            partial(answers_redis, self.redis_url),
        )

    def sandbox(self) -> Child | None:
        if self.sandbox_port is None:
            return None
        return Child(
            "sandbox",
            [*MANAGE, "sandbox", "--port", str(self.sandbox_port)],
            self._sandbox_environment(),
            self.places,
            partial(answers_http, self.sandbox_port),
        )

    def web(self) -> Child:
        words = ["-m", "photowall.serving", "-b", HOST, "-p", str(self.web_port)]
        return Child(
            "web",
            [sys.executable, *words],
            self.environment("web"),
            self.places,
            partial(answers_http, self.web_port),
        )

    def worker(self) -> Child:
        return Child(
            "worker",
            [sys.executable, "-m", "photowall.up.worker"],
            self.environment("worker"),
            self.places,
        )

    def command(self, *words: str) -> subprocess.Popen[bytes]:
        """A command of the main instance that does its work and ends."""
        with (self.places.log / f"{words[0]}.log").open("ab") as output:
            return subprocess.Popen(
                [*MANAGE, *words],
                cwd=CHECKOUT,
                env=self.environment("command"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509
            )

    @property
    def migrated(self) -> Path:
        """A file that `prepare_demo` makes once the tables are there."""
        return self.places.run / "migrated"

    def prepare_demo(self) -> subprocess.Popen[bytes]:
        self.migrated.unlink(missing_ok=True)
        words = ["prepare_demo", "--migrated", str(self.migrated)]
        if self.sandbox_url:
            words += ["--sandbox", self.sandbox_url]
        return self.command(*words)


def finished(name: str, process: subprocess.Popen[bytes], places: Places) -> bool:
    """Whether a command is through; Refusal when it failed."""
    code = process.poll()
    if code:
        log = places.log / f"{name}.log"
        words = log.read_text(errors="replace").strip().splitlines()
        last = words[-1] if words else f"code {code}"
        raise Refusal(f"{name} failed: {last} (see {log})")
    return code == 0


def _add(environment: dict[str, str], name: str, value: str) -> None:
    """Append to a comma-separated variable."""
    have = environment.get(name, "")
    environment[name] = f"{have},{value}" if have else value
