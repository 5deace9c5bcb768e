"""A real S3-compatible server for the tests: rclone's, which checks signatures.

Its buckets are the folders in ``root``. A second one without a key over the same folder
is what the public sees of a bucket that everybody may read.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.server_process import ServerProcess, free_port, new_folder

KEY = "photowall-tests"
SECRET = "quite-a-secret-for-the-tests"
RCLONE = Path(sys.executable).parent / "rclone"


@dataclass
class S3Server:
    """A server on a port of the loopback; ``stop`` and ``start`` keep its files."""

    root: Path
    port: int = field(default_factory=free_port)
    key: str | None = KEY
    process: ServerProcess | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it answers."""
        command = [str(RCLONE), "serve", "s3", "--addr", f"127.0.0.1:{self.port}"]
        command += ["--config", "", "--vfs-cache-mode", "off", "--dir-cache-time", "0s"]
        if self.key:
            command += ["--auth-key", f"{self.key},{SECRET}"]
        else:
            command += ["--read-only"]
        self.process = ServerProcess([*command, str(self.root)], new_folder("s3"))
        self.process.wait_until(self._answers)

    def stop(self) -> None:
        """As if the service were away."""
        if self.process is not None:
            self.process.stop()
            self.process = None

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False
