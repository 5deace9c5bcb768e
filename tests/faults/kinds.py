"""What a kind of fault is, and the list of all of them."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.faults.instance import Instance
from tests.faults.notifying import Notifier

BOTH = ("postgresql", "sqlite")
POSTGRESQL = ("postgresql",)
SQLITE = ("sqlite",)


@dataclass
class Scene:
    """What a fault may use: the instance, who notifies, and chance from a seed."""

    instance: Instance
    notifier: Notifier
    chance: random.Random
    notes: list[str] = field(default_factory=list)

    def wait(self, least: float, most: float) -> None:
        """A random while, in seconds."""
        time.sleep(self.chance.uniform(least, most))

    def until(self, sql: str, seconds: float) -> bool:
        """Ask until the first column of the first row is true; whether it was."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.instance.one(sql):
                return True
            time.sleep(0.002)
        self.notes.append("the moment did not come")
        return False


Fault = Callable[[Scene], Iterator[None]]
"""A generator: harms, yields while the harm lasts, and heals. What it does after
its last word is healing, and time counts from then."""


@dataclass(frozen=True)
class Kind:
    """A fault with its name. ``loaded``: notifications of ours come all the while;
    without it only those that the upstream sends."""

    name: str
    fault: Fault
    databases: Sequence[str] = BOTH
    loaded: bool = True
    lasts: tuple[float, float] = (1.0, 4.0)
    linux_only: bool = False


KINDS: dict[str, Kind] = {}


def kind(
    *,
    databases: Sequence[str] = BOTH,
    loaded: bool = True,
    lasts: tuple[float, float] = (1.0, 4.0),
    linux_only: bool = False,
) -> Callable[[Fault], Fault]:
    """Put a fault on the list under its own name. ``lasts``: how long, in seconds, it
    is left alone between harming and healing."""

    def put(fault: Fault) -> Fault:
        name = fault.__name__
        KINDS[name] = Kind(name, fault, databases, loaded, lasts, linux_only)
        return fault

    return put


def chosen(database: str, names: Sequence[str] = ()) -> list[Kind]:
    """The kinds for this database and machine, all or those named.

    Raises ``KeyError`` for a name that there is not.
    """
    kinds = [KINDS[name] for name in names] if names else list(KINDS.values())
    return [
        each
        for each in kinds
        if database in each.databases
        and (not each.linux_only or sys.platform == "linux")
    ]
