"""Long lists of names are read side by side, in order: none is ever held whole. An
archive of a million posts has some thirteen million files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from photowall.backup.errors import BackupRefused

Named = tuple[str, int]
"""The name of a file, and its bytes."""
_AFTER_ALL: Named = ("~", 0)
"""No name of ours comes after it."""


class InOrder:
    """Looks names up in ``rows``. Both ascend, the names asked for as well as the rows;
    whatever does not raises ``BackupRefused``."""

    def __init__(self, rows: Iterable[Named]) -> None:
        self._rows = ascending(rows, "What is there")
        self._now: Named = ("", 0)
        self._asked = ""

    def size_of(self, name: str) -> int | None:
        """What the rows say of it; None if it is not among them."""
        if name < self._asked:
            raise _disorder("What is looked for", name)
        self._asked = name
        while self._now[0] < name:
            self._now = next(self._rows, _AFTER_ALL)
        return self._now[1] if self._now[0] == name else None


def ascending(rows: Iterable[Named], what: str) -> Iterator[Named]:
    """The rows; raises ``BackupRefused`` when one is behind its place."""
    last = ""
    for row in rows:
        if row[0] < last:
            raise _disorder(what, row[0])
        last = row[0]
        yield row


def _disorder(what: str, name: str) -> BackupRefused:
    return BackupRefused(f"{what} is not in the order of names, at {name!r}.")
