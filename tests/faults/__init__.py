"""Kill and outage tests: whole instances as processes, harmed on purpose."""

from __future__ import annotations
