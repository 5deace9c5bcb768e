"""What happens after something was archived: the only listener on this floor."""

from __future__ import annotations
