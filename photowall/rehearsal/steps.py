"""What a scenario is made of: steps, as data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Publish:
    """``share`` of the rehearsal's posts, in ``bursts``, ``pause`` seconds apart."""

    share: float = 1.0
    bursts: int = 1
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of the sandbox, of the rehearsal's tag only. ``seconds`` after which it
    ends by itself, also if nobody is left to heal it."""

    kind: str
    share: float = 1.0
    count: int | None = None
    seconds: float = 60.0
    options: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetFaults:
    """These and no others from now on."""

    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Heal:
    """No faults from now on. The time to converge begins with the last one."""


@dataclass(frozen=True, slots=True)
class Wait:
    """So many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AwaitArchived:
    """Until everything published so far is archived."""


@dataclass(frozen=True, slots=True)
class AwaitSuspended:
    """Until our subscription is suspended, as it must be when we are refused."""


@dataclass(frozen=True, slots=True)
class Resume:
    """What a person does with a new credential."""


@dataclass(frozen=True, slots=True)
class Hasten:
    """The next poll, the next question what the upstream believes we follow, and the
    next attempt to fetch a picture are brought forward: a rehearsal does not wait for
    minutes until their turn comes."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A share of the posts gets another caption."""

    share: float


@dataclass(frozen=True, slots=True)
class Delete:
    """A share of the posts is deleted by their authors."""

    share: float


Step = (
    Publish
    | SetFaults
    | Heal
    | Wait
    | AwaitArchived
    | AwaitSuspended
    | Resume
    | Hasten
    | Edit
    | Delete
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named rehearsal. ``shows`` is one line for people. ``pictures``: each post's
    picture must be kept, too, or be refused with a reason if it ``may_refuse``."""

    name: str
    shows: str
    steps: tuple[Step, ...]
    pictures: bool = False
    may_refuse: bool = False
