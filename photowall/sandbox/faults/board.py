"""The board: which faults are set, whose turn it is, and how often each was done.

Faults live in this process and end by themselves: after their seconds, after their
count, or with the process. Each has its own source of chance, from the seed, its
place in the list and its kind: the same requests in the same order meet the same
faults.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from random import Random
from threading import Lock

from photowall.sandbox.chance import seeded
from photowall.sandbox.faults.kinds import Family, Kind

LONGEST = 3600.0
"""Seconds after which any fault is over."""
ONE_OF = frozenset({Family.ANSWER, Family.PICTURE})
"""What is said can be said in one way only."""
USUAL = 60.0
"""Seconds of a fault of which neither seconds nor count are said."""


@dataclass(eq=False)
class Fault:
    """One fault that is set. ``share`` of what it meets is hit, ``count`` times at
    most; ``tag`` limits it to one tag."""

    kind: Kind
    seconds: float
    count: int | None = None
    share: float = 1.0
    tag: str = ""
    options: dict[str, float] = field(default_factory=dict)
    ends_at: float = 0.0
    done: int = 0
    random: Random = field(default_factory=Random)

    def option(self, name: str) -> float:
        """What was said of it, or the kind's default."""
        return self.options.get(name, self.kind.options[name])


class Board:
    """The faults of this process. Safe to use from every thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._faults: list[Fault] = []
        self._seed = 0
        self._done: Counter[str] = Counter()
        self._accepted = 0

    def put(self, faults: Sequence[Fault], seed: int) -> None:
        """Replace what is set, and count from zero unless nothing is put."""
        now = self._clock()
        for place, fault in enumerate(faults):
            fault.ends_at = now + min(fault.seconds, LONGEST)
            fault.random = seeded("fault", seed, place, fault.kind.name)
        with self._lock:
            if faults:
                self._done.clear()
                self._accepted = 0
            self._faults = list(faults)
            self._seed = seed

    def is_set(self, names: Collection[str], tag: str | None = None) -> bool:
        """Whether a fault of the kinds ``names`` is set that may meet ``tag`` (None:
        any). Nothing is drawn."""
        with self._lock:
            return any(
                fault.kind.name in names and (tag is None or fault.tag in ("", tag))
                for fault in self._active()
            )

    def drawn(self, names: Collection[str], tag: str) -> list[Fault]:
        """The faults of the kinds ``names`` that hit this one, in the order they were
        put; each thereby has been done once more. Of answers and of
        pictures, one at most."""
        hit: list[Fault] = []
        with self._lock:
            for fault in self._active():
                if fault.kind.name not in names or fault.tag not in ("", tag):
                    continue
                # Drawn always: what another fault does must not shift the chance.
                if fault.random.random() < fault.share:
                    hit.append(fault)
            answers = [fault for fault in hit if fault.kind.family in ONE_OF]
            hit = [fault for fault in hit if fault not in answers[1:]]
            for fault in hit:
                fault.done += 1
                self._done[fault.kind.name] += 1
        return hit

    def accepted_forgery(self) -> None:
        """A receiver took a false notification for a true one."""
        with self._lock:
            self._accepted += 1

    def report(self) -> dict[str, object]:
        """What is set, and what was done since it was set, by kind."""
        now = self._clock()
        with self._lock:
            return {
                "seed": self._seed,
                "faults": [_shown(fault, now) for fault in self._active()],
                "injected": dict(self._done),
                "forgeries_accepted": self._accepted,
            }

    def _active(self) -> list[Fault]:
        now = self._clock()
        return [
            fault
            for fault in self._faults
            if now < fault.ends_at and (fault.count is None or fault.done < fault.count)
        ]


def _shown(fault: Fault, now: float) -> dict[str, object]:
    return {
        "kind": fault.kind.name,
        "seconds_left": round(fault.ends_at - now, 1),
        "count": fault.count,
        "share": fault.share,
        "tag": fault.tag,
        "injected": fault.done,
        **{name: fault.option(name) for name in fault.kind.options},
    }


board = Board()
"""The one of this process."""
