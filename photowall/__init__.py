"""The roof: wiring and front doors."""

from __future__ import annotations

__version__ = "0.1.0"
