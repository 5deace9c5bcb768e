"""A real nginx for the tests, configured as the how-to says, with a folder of its own.

Where none is installed, these tests say so; with `CI=true` that is a failure
(`manage.py test` sees to both).
"""

from __future__ import annotations

import contextlib
import re
import socket
from pathlib import Path

from tests.server_process import ServerProcess, free_port, new_folder

PAGE = Path(__file__).parents[1] / "docs" / "howto" / "behind-nginx.md"
MAIN = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    types {{ }}
    default_type text/wrong;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{server}
}}
"""


class Nginx:
    """The how-to's server in front of ``upstream``, without TLS, on a free port."""

    def __init__(self, binary: str, upstream: int, media: Path) -> None:
        self.port = free_port()
        folder = new_folder("nginx")
        configuration = folder / "nginx.conf"
        server = _as_documented(self.port, upstream, media)
        configuration.write_text(MAIN.format(folder=folder, server=server))
        command = [binary, "-p", str(folder), "-c", str(configuration), "-e", "stderr"]
        self._process = ServerProcess(command, folder)
        self._process.wait_until(self._answers)

    def stop(self) -> None:
        """End it, and take its folder away."""
        self._process.stop()

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False


def _as_documented(port: int, upstream: int, media: Path) -> str:
    """The page's configuration with its names replaced; each has to stand there."""
    text = PAGE.read_text("utf-8")
    found = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)
    assert found is not None
    server = found[1]
    for old, new in {
        "listen 443 ssl;": f"listen 127.0.0.1:{port};",
        "ssl_certificate     /etc/ssl/photos.example.org.pem;": "",
        "ssl_certificate_key /etc/ssl/photos.example.org.key;": "",
        "photos.example.org": "127.0.0.1",
        "http://127.0.0.1:8000": f"http://127.0.0.1:{upstream}",
        "/srv/photowall/var/media/": f"{media}/",
    }.items():
        assert old in server, old
        server = server.replace(old, new)
    return server
