"""Room on a disk, as people write it: ``10 GB``, ``512M``, ``5 %``, ``1073741824``."""

from __future__ import annotations

import re

from django.core.exceptions import ImproperlyConfigured

_SAID = re.compile(
    r"\s*(\d+(?:\.\d+)?)\s*(?:([KMGT])(?:i?B)?|(%)|B)?\s*", re.IGNORECASE
)
_TIMES = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def room(name: str, text: str) -> tuple[int, float]:
    """(bytes, share of the disk): one of them is 0. K, M, G, T are powers of 1024.

    Raises ``ImproperlyConfigured``, which names the variable ``name``.
    """
    said = _SAID.fullmatch(text)
    if said is None:
        raise ImproperlyConfigured(
            f"{name} is bytes (1073741824, 500M, 10G) or per cent (5%), not {text!r}."
        )
    number, unit, per_cent = float(said[1]), said[2], said[3]
    if per_cent is None:
        return int(number * _TIMES.get((unit or "").upper(), 1)), 0.0
    if number >= 100:
        raise ImproperlyConfigured(f"{name} leaves no room for files: {text!r}.")
    return 0, number / 100
