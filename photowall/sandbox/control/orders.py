"""What a control door was told, read strictly: no unknown field, no wrong type."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from media_archive.errors import InvalidTag, PhotowallError
from media_archive.tags import normalise_tag
from photowall.sandbox.faults.board import LONGEST, USUAL, Fault
from photowall.sandbox.faults.kinds import ALWAYS, KINDS

MOST_POSTS = 1_000
"""Posts of one call."""
MOST_FAULTS = 50
MOST_TIMES = 1_000
"""Notifications that a storm makes of one, and false ones beside one."""
LONGEST_DELAY = 60.0
LONGEST_PUBLISHING = 40.0
"""Seconds one call may take for posts some time apart."""
_NEVER = object()


class OrderRefused(PhotowallError):
    """The order cannot be understood; the message says which field, and why."""

    code = "order_refused"


class Order:
    """A JSON object whose fields are taken one by one; none may be left over."""

    def __init__(self, said: object, known: Collection[str], what: str) -> None:
        if not isinstance(said, dict):
            raise OrderRefused(f"{what} must be a JSON object.")
        self._said: Mapping[str, Any] = said
        self._what = what
        for name in said:
            if name not in known:
                self._unknown(name, known)

    def has(self, name: str) -> bool:
        return name in self._said

    def text(self, name: str) -> str:
        """A text; it must be there."""
        value = self._said.get(name)
        if not isinstance(value, str):
            raise OrderRefused(f"{self._what}: {name} must be a text.")
        return value

    def tag(self) -> str:
        """The normal form of ``tag``."""
        try:
            return normalise_tag(self.text("tag"))
        except InvalidTag as error:
            raise OrderRefused(f"{self._what}: {error.message}") from error

    def number(
        self, name: str, least: float, most: float, default: object = _NEVER
    ) -> float:
        """A number from ``least`` to ``most``."""
        value = self._said.get(name, default)
        fine = isinstance(value, int | float) and not isinstance(value, bool)
        # Compared as it came: a whole number may be too large for a float.
        if not fine or not least <= value <= most:
            raise OrderRefused(
                f"{self._what}: {name} must be a number from {least:g} to {most:g}."
            )
        return float(value)

    def whole(self, name: str, least: int, most: int, default: object = _NEVER) -> int:
        """A whole number from ``least`` to ``most``."""
        value = self.number(name, least, most, default)
        if value != int(value):
            raise OrderRefused(f"{self._what}: {name} must be a whole number.")
        return int(value)

    def flag(self, name: str) -> bool:
        """True or false; false when it is not there."""
        value = self._said.get(name, False)
        if not isinstance(value, bool):
            raise OrderRefused(f"{self._what}: {name} must be true or false.")
        return value

    def list(self, name: str, most: int) -> list[Any]:
        """A list of at most so many."""
        value = self._said.get(name)
        if not isinstance(value, list) or len(value) > most:
            raise OrderRefused(f"{self._what}: {name} must be a list of ≤ {most:,}.")
        return value

    def _unknown(self, name: str, known: Collection[str]) -> NoReturn:
        raise OrderRefused(
            f"{self._what}: there is no field {_quoted(name)}. {_nearest(name, known)}"
        )


def read(body: bytes) -> object:
    """The JSON document of a request. Raises ``OrderRefused``."""
    try:
        return json.loads(
            body, parse_constant=_refuse_number, object_pairs_hook=_only_once
        )
    except (ValueError, RecursionError) as error:
        raise OrderRefused("The body is not a JSON document.") from error


def publishing(said: object) -> tuple[str, int, float, bool]:
    """Tag, how many (0 = none, the tag is only led by hand), seconds between two, and
    whether they are near-identical shots."""
    order = Order(said, ("tag", "count", "every", "alike"), "publish")
    count = order.whole("count", 0, MOST_POSTS, 1)
    every = order.number("every", 0, LONGEST_PUBLISHING, 0)
    if count * every > LONGEST_PUBLISHING:
        raise OrderRefused(
            f"publish: count times every must be {LONGEST_PUBLISHING:g} s or less."
        )
    return order.tag(), count, every, order.flag("alike")


def chosen_posts(said: object, what: str) -> list[str]:
    """The native ids of posts to edit or delete."""
    ids = Order(said, ("native_ids",), what).list("native_ids", MOST_POSTS)
    if not all(isinstance(each, str) and 0 < len(each) <= 64 for each in ids):
        raise OrderRefused(f"{what}: native_ids must be texts.")
    return ids


def faults(said: object) -> tuple[list[Fault], int]:
    """The faults to set, and the seed."""
    order = Order(said, ("faults", "seed"), "faults")
    seed = order.whole("seed", 0, 2**53, 0)
    return [_fault(each) for each in order.list("faults", MOST_FAULTS)], seed


def _fault(said: object) -> Fault:
    name = said.get("kind") if isinstance(said, dict) else None
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise OrderRefused(
            f"There is no kind of fault {_quoted(name)}. {_nearest(str(name), KINDS)}"
        )
    order = Order(said, (*ALWAYS, *kind.options), kind.name)
    counted = order.has("count")
    return Fault(
        kind=kind,
        seconds=order.number("seconds", 0, LONGEST, LONGEST if counted else USUAL),
        count=order.whole("count", 1, 1_000_000) if counted else None,
        share=order.number("share", 0, 1, 1),
        tag=order.tag() if order.has("tag") else "",
        options={
            option: (
                float(order.whole(option, 1, MOST_TIMES))
                if option == "times"
                else order.number(option, 0, LONGEST_DELAY)
            )
            for option in kind.options
            if order.has(option)
        },
    )


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name[:64], list(known), 1)
    if near:
        return f"Did you mean {near[0]}?"
    return f"Known: {', '.join(known)}."


def _quoted(name: object) -> str:
    return json.dumps(name)[:64]


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(text)


def _only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs):
        raise ValueError("a field twice")
    return said
