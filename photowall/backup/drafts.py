"""Copies that are not yet sure to outlive a power cut."""

from __future__ import annotations

import os
from pathlib import Path

from photowall.backup.folder import settle

AT_ONCE = 256
"""Copies that wait together."""
SIZE = 256 * 1024 * 1024
"""Their bytes, together."""


class Drafts:
    """Copies under names of drafts, which get their names when their bytes are on the
    disk: a name in the pool stands for a whole file, and no later backup looks into it
    again."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Path, Path]] = []
        self._size = 0

    def add(self, draft: Path, target: Path, size: int) -> None:
        """``draft`` is to be called ``target``, soon. Raises ``OSError``."""
        self._waiting.append((draft, target))
        self._size += size
        if len(self._waiting) >= AT_ONCE or self._size >= SIZE:
            self.settle()

    def settle(self) -> None:
        """All that wait get their names. Raises ``OSError``."""
        # All at once is quicker than one by one, but says nothing of what could not be
        # written; one by one says it, and has nothing left to write.
        os.sync()
        for draft, target in self._waiting:
            settle(draft)
            draft.replace(target)
        self._waiting, self._size = [], 0

    def end(self) -> None:
        """The names are on the disk too. Raises ``OSError``."""
        self.settle()
        os.sync()
