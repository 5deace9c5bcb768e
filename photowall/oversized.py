"""A form above the limit is the sender's doing: one line in the log, no traceback."""

from __future__ import annotations

import logging

LOGGER = "django.security.RequestDataTooBig"


def without_traceback(record: logging.LogRecord) -> bool:
    """A filter for Django's logger of it: the line stays, the traceback goes."""
    record.exc_info = None
    return True


def keep_quiet() -> None:
    """Have it so in this process."""
    logging.getLogger(LOGGER).addFilter(without_traceback)
