"""One injection: posts before, during and after a fault; then wait, then count."""

from __future__ import annotations

import contextlib
import random
import time
from dataclasses import dataclass, field

import tests.faults.kinds_databases
import tests.faults.kinds_notifications
import tests.faults.kinds_processes
import tests.faults.kinds_redis
import tests.faults.kinds_upstream  # noqa: F401  each puts its faults on the list
from tests.faults.checking import Findings, check, converge, is_idle
from tests.faults.databases import DatabaseAway
from tests.faults.instance import Instance
from tests.faults.kinds import Kind, Scene
from tests.faults.notifying import Load, Notifier

PATIENCE = 240.0
"""Seconds after which what is not archived counts as lost."""
QUIET = 60.0
"""Seconds a test waits for the last one's shadow to pass."""


@dataclass
class Outcome:
    """What came of one injection. ``seconds`` from the healing until everything
    published was archived; ``None`` = never."""

    kind: str
    database: str
    seed: str
    posts: int
    acknowledged: int
    lost: int
    doubled: int
    receipts_lost: int
    others: list[str]
    seconds: float | None
    took: float
    notes: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        wrong = self.lost or self.doubled or self.receipts_lost or self.others
        return not wrong and self.seconds is not None


class Injector:
    """Harms one instance again and again, and keeps the books."""

    def __init__(self, instance: Instance, database: str) -> None:
        self.instance = instance
        self.database = database
        self.notifier = Notifier(instance)
        self._known = Findings()

    def settle(self) -> None:
        """All runs, we are followed, nothing is left of what was done before."""
        instance = self.instance
        instance.heal()
        instance.front.send_to(instance.web_port)
        if not instance.upstream.knows_us(instance.callback):
            instance.follow()
        instance.upstream.be_patient_no_more()
        ends = time.monotonic() + QUIET
        while time.monotonic() < ends:
            with contextlib.suppress(DatabaseAway):
                if is_idle(instance.database):
                    return
            time.sleep(0.2)

    def inject(self, kind: Kind, seed: str) -> Outcome:
        """Run it once. The same seed makes the same choices."""
        began = time.monotonic()
        chance = random.Random(seed)
        scene = Scene(self.instance, self.notifier, chance)
        acknowledged = self.notifier.acknowledged.total()
        before = len(self.instance.upstream.listing("photowall"))
        with contextlib.ExitStack() as stack:
            if kind.loaded:
                stack.enter_context(Load(self.notifier))
            self.instance.publish(chance.randint(1, 4))
            fault = contextlib.contextmanager(kind.fault)(scene)
            with fault:
                ends = time.monotonic() + chance.uniform(*kind.lasts)
                for _ in range(3):
                    self.instance.publish(1)
                    scene.wait(0.0, 0.3)
                time.sleep(max(0.0, ends - time.monotonic()))
        healed = time.monotonic()
        self.instance.publish(chance.randint(1, 4))
        ended: list[str] = []
        converge(
            self.instance,
            PATIENCE,
            self._known.lost,
            lambda: ended.extend(self.instance.watch()),
        )
        scene.notes.extend(f"{name} had ended by itself" for name in ended)
        seconds = time.monotonic() - healed
        # What comes twice may come late: a zombie's page, a message once more.
        time.sleep(0.5)
        found = check(self.instance, self.notifier)
        new = found.without(self._known)
        self._known = found
        return Outcome(
            kind=kind.name,
            database=self.database,
            seed=seed,
            posts=len(self.instance.upstream.listing("photowall")) - before,
            acknowledged=self.notifier.acknowledged.total() - acknowledged,
            lost=len(new.lost),
            doubled=len(new.doubled),
            receipts_lost=len(new.receipts),
            others=sorted(new.others),
            seconds=None if new.lost else round(seconds, 1),
            took=round(time.monotonic() - began, 1),
            notes=scene.notes,
        )
