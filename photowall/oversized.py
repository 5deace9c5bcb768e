"""A request above a limit is the sender's doing: one line in the log, no traceback."""

from __future__ import annotations

import logging

LOGGERS = (
    "django.security.RequestDataTooBig",
    "django.security.TooManyFieldsSent",
    "django.security.TooManyFilesSent",
)


def without_traceback(record: logging.LogRecord) -> bool:
    """A filter for Django's loggers of it: the line stays, the traceback goes."""
    record.exc_info = None
    return True


def keep_quiet() -> None:
    """Have it so in this process."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(without_traceback)
