"""Where `manage.py up` keeps things, and the secrets it makes once."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photowall.up.console import Refusal

CHECKOUT = Path(__file__).resolve().parents[2]

# What --fresh forgets: our own names only, whatever else the folder may hold.
KEPT_THINGS = (
    "beat-schedule*",
    "db.sqlite3*",
    "demo.json",
    "log",
    "media",
    "redis",
    "run",
    "sandbox",
    "secrets.json",
)


@dataclass(frozen=True)
class Places:
    """The folder of one installation (`var/`) and what lies in it."""

    var: Path

    @classmethod
    def from_environment(cls) -> Places:
        chosen = os.environ.get("PHOTOWALL_VAR")
        return cls(Path(chosen).absolute() if chosen else CHECKOUT / "var")

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def run(self) -> Path:
        """One file for every process that was started."""
        return self.var / "run"

    @property
    def redis(self) -> Path:
        return self.var / "redis"

    @property
    def sandbox(self) -> Path:
        return self.var / "sandbox"

    @property
    def demo(self) -> Path:
        return self.var / "demo.json"

    @property
    def secrets(self) -> Path:
        return self.var / "secrets.json"

    @property
    def lock(self) -> Path:
        return self.var / "up.lock"

    def make(self) -> None:
        """All folders. Raises Refusal where we may not write."""
        try:
            if not self.var.exists():
                self.var.mkdir(mode=0o700, parents=True)
            for folder in (self.log, self.run, self.redis, self.sandbox):
                folder.mkdir(exist_ok=True)
            self._close()
            probe = self.run / "probe"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise Refusal(
                f"Photowall cannot write to {self.var} ({error.strerror}); copy it to "
                "a folder of your own, or name another one with PHOTOWALL_VAR."
            ) from error

    def _close(self) -> None:
        """Rows and secrets: nobody else's business on this machine. What an earlier
        start left open is closed too; a folder that all share (/tmp) stays so."""
        ours = [path for pattern in KEPT_THINGS for path in self.var.glob(pattern)]
        for path in (self.var, *ours):
            mode = stat.S_IMODE(path.lstat().st_mode)
            shared = path == self.var and mode & stat.S_ISVTX
            if mode & 0o077 and not shared and not path.is_symlink():
                path.chmod(mode & 0o700)

    def forget(self) -> None:
        """Remove the archive and everything around it."""
        for pattern in KEPT_THINGS:
            for path in self.var.glob(pattern):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()


def write_private(path: Path, content: dict[str, Any]) -> None:
    """JSON that only its owner may read, replaced in one step."""
    write_private_text(path, json.dumps(content, indent=2) + "\n")


def write_private_text(path: Path, text: str) -> None:
    """A file that only its owner may read, replaced in one step."""
    draft = path.with_name(path.name + ".new")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The object in the file; empty when there is none, or it is unreadable."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def lasting_secrets(path: Path) -> dict[str, str]:
    """The installation's secrets: random, made once, kept with mode 600."""
    have = read_json(path)
    if path.exists() and not have:
        raise Refusal(
            f"{path} is not readable as JSON; repair it, or start with --fresh."
        )
    wanted = {
        "secret_key": secrets.token_urlsafe(48),
        "encryption_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "sandbox_client_id": secrets.token_hex(16),
        "sandbox_client_secret": secrets.token_hex(16),
        "admin_password": secrets.token_urlsafe(12),
        "analyst_token": secrets.token_urlsafe(32),
        "broker_password": secrets.token_urlsafe(32),
    }
    kept = wanted | have
    if kept != have:
        write_private(path, kept)
    return kept
