"""The upstream's own count: every call that arrived, and every notification sent.

It is kept in this process and believes nobody: what a follower says it has spent can
be compared with it.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

HOUR = 3600
MOST_CLIENTS = 100
"""Clients counted one by one; the rest share one count."""
MOST_TAGS = 1_000
"""Tags counted one by one, of all clients; the rest are counted in the total only."""
OTHERS = "(others)"
OF_TAG = ("calls", "answered", "refused", "unanswered")
"""What is counted of a tag: calls for its listing, and notifications by outcome."""


@dataclass
class ClientCount:
    """The calls of one client. ``seconds`` are those of the last hour with calls."""

    total: int = 0
    refused: int = 0
    most_in_an_hour: int = 0
    last_hour: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    seconds: deque[list[int]] = field(default_factory=deque)

    def forget_before(self, second: int) -> None:
        """Leave out of the last hour what was before ``second``."""
        while self.seconds and self.seconds[0][0] <= second:
            self.last_hour -= self.seconds.popleft()[1]


class CallCount:
    """The counts of all clients. Safe to use from every thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._clients: dict[str, ClientCount] = {}
        self._by_tag: dict[str, Counter[str]] = {}

    def arrived(self, client: str, kind: str, tag: str = "") -> None:
        """One call of ``client``, before it is looked at; ``tag`` if it asks for
        one's listing."""
        now = int(self._clock())
        with self._lock:
            count = self._of(client)
            count.total += 1
            count.by_kind[kind] += 1
            count.forget_before(now - HOUR)
            if count.seconds and count.seconds[-1][0] == now:
                count.seconds[-1][1] += 1
            else:
                count.seconds.append([now, 1])
            count.last_hour += 1
            count.most_in_an_hour = max(count.most_in_an_hour, count.last_hour)
            self._note(tag, "calls")

    def answered(self, client: str, status: int) -> None:
        """It was answered; 429 counts as refused."""
        if status == 429:
            with self._lock:
                self._of(client).refused += 1

    def notified(self, outcome: str, tag: str) -> None:
        """A notification about ``tag`` was ``answered``, ``refused`` or
        ``unanswered``."""
        with self._lock:
            self._note(tag, outcome)

    def report(self, client: str, tag: str = "") -> dict[str, object]:
        """The counts of one client; with ``tag`` also the calls for its listing and
        the notifications about it, whoever's they are."""
        now = int(self._clock())
        with self._lock:
            count = self._clients.get(client, ClientCount())
            count.forget_before(now - HOUR)
            report: dict[str, object] = {
                "total": count.total,
                "last_hour": count.last_hour,
                "most_in_an_hour": count.most_in_an_hour,
                "by_kind": dict(count.by_kind),
                "refused": count.refused,
            }
            if tag:
                said = self._by_tag.get(tag, Counter())
                report["of_tag"] = {name: said[name] for name in OF_TAG}
            return report

    def _note(self, tag: str, what: str) -> None:
        if tag in self._by_tag or (tag and len(self._by_tag) < MOST_TAGS):
            self._by_tag.setdefault(tag, Counter())[what] += 1

    def _of(self, client: str) -> ClientCount:
        if client not in self._clients and len(self._clients) >= MOST_CLIENTS:
            client = OTHERS
        return self._clients.setdefault(client, ClientCount())


counts = CallCount()
"""Those of this process."""
