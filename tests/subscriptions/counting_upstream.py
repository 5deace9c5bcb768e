"""A provider in a process of its own that counts every call it gets, and allows so
many in any hour: ``python -m tests.subscriptions.counting_upstream LIMIT``.

``/skip?seconds=`` sets its clock forward, ``/counts`` tells what it saw: the most
calls in any hour, all calls, and how many it refused.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

HOUR = 3600.0


class Counter:
    """Times of all calls, by a clock that can be set forward."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.times: list[float] = []
        self.skipped = 0.0
        self.refused = 0
        self.lock = threading.Lock()

    def now(self) -> float:
        return time.monotonic() + self.skipped

    def call(self) -> int | None:
        """What is left after this call; ``None`` = one too many."""
        with self.lock:
            now = self.now()
            self.times.append(now)
            recent = sum(at > now - HOUR for at in self.times)
            if recent > self.limit:
                self.refused += 1
                return None
            return self.limit - recent

    def counts(self) -> dict[str, int]:
        with self.lock:
            fullest = max(
                (sum(at <= t < at + HOUR for t in self.times) for at in self.times),
                default=0,
            )
            return {
                "fullest_hour": fullest,
                "all": len(self.times),
                "refused": self.refused,
            }


class Door(BaseHTTPRequestHandler):
    """Any tag's listing is empty; each call counts."""

    counter: Counter

    def do_GET(self) -> None:
        """Answer one call."""
        place = urlsplit(self.path)
        if place.path == "/skip":
            self.counter.skipped += float(parse_qs(place.query)["seconds"][0])
            return self._answer(200, {})
        if place.path == "/counts":
            return self._answer(200, self.counter.counts())
        left = self.counter.call()
        if left is None:
            said = {"code": 429, "error_type": "OAuthRateLimitException"}
            return self._answer(429, {"meta": said})
        answer = {"meta": {"code": 200}, "data": [], "pagination": {}}
        return self._answer(200, answer, left)

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _answer(self, status: int, document: object, left: int | None = None) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if left is not None:
            self.send_header("X-Ratelimit-Limit", str(self.counter.limit))
            self.send_header("X-Ratelimit-Remaining", str(left))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    Door.counter = Counter(int(sys.argv[1]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    print(server.server_port, flush=True)
    server.serve_forever()
