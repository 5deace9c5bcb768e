"""For what another thread does."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection


def wait_until(true: Callable[[], bool], seconds: float = 15) -> bool:
    """Look again and again; False if it does not come true in ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def close_connection() -> None:
    """This thread's, before it ends."""
    connection.close()
