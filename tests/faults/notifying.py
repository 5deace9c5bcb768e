"""Signed notifications of our own, and the memory of every one that was answered 200.

The upstream sends some; these come on top, as many and as odd as a test wants.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import time
from collections import Counter
from itertools import count
from threading import Event, Lock, Thread

import requests

from tests.faults.instance import TAG, Instance

EVERY = 0.25
"""Seconds between two notifications of the usual load."""
_numbers = count()


class Notifier:
    """Posts to the callback; ``acknowledged`` counts the 2xx by the body's SHA-256."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._lock = Lock()
        self.acknowledged: Counter[str] = Counter()
        self.forged: set[str] = set()
        self.answers: Counter[int] = Counter()

    def body(self, age: int = 0) -> bytes:
        """A notification like no other; ``age`` moves its time back."""
        number = next(_numbers)
        said = {
            "changed_aspect": "media",
            "object": "tag",
            "object_id": TAG,
            "time": int(time.time()) - age,
            "subscription_id": 1,
            "data": {"number": number},
        }
        return json.dumps([said]).encode()

    def send(self, body: bytes | None = None, secret: str | None = None) -> int:
        """The status of the answer; 0 when there was none."""
        body = self.body() if body is None else body
        right = self._instance.secrets["sandbox_client_secret"]
        signature = hmac.new((secret or right).encode(), body, hashlib.sha1)
        digest = hashlib.sha256(body).hexdigest()
        if secret is not None:
            with self._lock:
                self.forged.add(digest)
        status = 0
        with contextlib.suppress(requests.RequestException):
            status = requests.post(
                self._instance.callback,
                data=body,
                headers={
                    "Content-Type": "application/json",
                    "X-Hub-Signature": signature.hexdigest(),
                },
                timeout=8,
            ).status_code
        with self._lock:
            self.answers[status] += 1
            if 200 <= status < 300:
                self.acknowledged[digest] += 1
        return status

    def storm(self, seconds: float, threads: int) -> None:
        """As many as ``threads`` can send in so long."""
        over = Event()

        def send() -> None:
            while not over.is_set():
                self.send()

        running = [Thread(target=send, daemon=True) for _ in range(threads)]
        for thread in running:
            thread.start()
        over.wait(seconds)
        over.set()
        for thread in running:
            thread.join(10)


class Load:
    """Notifications without a pause, from a thread, while the block runs."""

    def __init__(self, notifier: Notifier, threads: int = 2) -> None:
        self._notifier = notifier
        self._over = Event()
        self._threads = [Thread(target=self._run, daemon=True) for _ in range(threads)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(15)

    def _run(self) -> None:
        while not self._over.wait(EVERY):
            self._notifier.send()
