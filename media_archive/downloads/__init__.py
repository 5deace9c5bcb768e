"""Bringing pictures and films here: states, schedule, workers.

States and reasons: docs/reference/downloads.md. Why it is so:
docs/decisions/0018-downloads-are-rows.md
"""

from __future__ import annotations

from media_archive.downloads.reviving import revive
from media_archive.downloads.runner import work_off
from media_archive.downloads.settling import settle

__all__ = ["revive", "settle", "work_off"]
